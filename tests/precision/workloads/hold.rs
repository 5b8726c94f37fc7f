// SPDX-License-Identifier: GPL-2.0-only

//! hold hold|leak MIB THREADS: vectors of std, on glibc's malloc. It leaks in one thread.

use std::io::Write;
use std::sync::{Arc, Barrier};
use std::{env, process, thread};

/// glibc's struct mallinfo2: arena is the first, hblkhd the fifth of its ten fields.
#[repr(C)]
struct Mallinfo2([usize; 10]);

extern "C" {
    fn mallinfo2() -> Mallinfo2;
}

fn truth() -> usize {
    // SAFETY: It takes no argument and only fills the struct that it returns.
    let info = unsafe { mallinfo2() };
    info.0[0] + info.0[4]
}

/// Sizes from 32 bytes to 128 KiB, each as often as the others.
fn blocks(share: usize) -> Vec<Vec<u8>> {
    let mut total = 0;
    let mut blocks = Vec::new();
    while total < share {
        let size = 32 << (blocks.len() % 13);
        blocks.push(vec![1; size]);
        total += size;
    }
    blocks
}

fn leak(share: usize) {
    let mut blocks = Vec::new();
    while blocks.len() << 20 < share {
        blocks.push(vec![1_u8; 1 << 20]);
        println!("got {}", blocks.len());
    }
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let mib: usize = args[2].parse().unwrap();
    let threads: usize = args[3].parse().unwrap();
    if args[1] == "leak" {
        return leak(mib << 20);
    }
    let share = (mib << 20) / threads;
    let held = Arc::new(Barrier::new(threads + 1));
    for _ in 0..threads {
        let held = held.clone();
        thread::spawn(move || {
            let _blocks = blocks(share);
            held.wait();
            loop {
                thread::park();
            }
        });
    }
    held.wait();
    println!("ready {} {}", process::id(), truth());
    std::io::stdout().flush().unwrap();
    loop {
        thread::park();
    }
}
