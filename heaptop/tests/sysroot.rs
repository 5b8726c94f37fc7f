// SPDX-License-Identifier: GPL-2.0-only

//! The program, on a copy of /proc and /sys that is made here: no kernel is needed.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A machine with two processes of a service, one of a user, and a thread of the kernel.
fn machine(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&root);
    let write = |file: &str, text: &str| {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/:/bin/sh\n",
    );
    write(
        "proc/vmstat",
        "nr_free_pages 1\nheap_refused 67\nheap_would_refuse 2\n",
    );
    write("sys/kernel/mm/heap_limit/policy", "addr0 [commit]\n");
    write("sys/kernel/mm/heap_limit/mode", "[enforce] audit\n");
    write("sys/kernel/mm/heap_limit/threshold", "90\n");
    write("proc/self/status", &status(0, 1));
    write("proc/2/status", "Name:\tkthreadd\nUid:\t0\t0\t0\t0\n");
    for (pid, uid, used, unit) in [
        (101, 0, 60, "/system.slice/web.service"),
        (102, 0, 30, "/system.slice/web.service/worker"),
        (103, 1000, 10, "/user.slice/user-1000.slice/session-1.scope"),
    ] {
        let file = |name: &str| format!("proc/{pid}/{name}");
        write(&file("status"), &status(uid, used));
        write(&file("comm"), &format!("command{pid}\n"));
        write(&file("cmdline"), &format!("/bin/command{pid}\0--all\0"));
        write(&file("cgroup"), &format!("0::{unit}\n"));
        write(&file("limits"), LIMITS);
    }
    root
}

const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units
Max heap size             67108864             unlimited            bytes
";

/// Of a process that uses so many MiB.
fn status(uid: u32, used: u32) -> String {
    let kilobytes = used * 1024;
    format!(
        "Name:\tx\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nVmRSS:\t{kilobytes} kB\n\
         VmHeap:\t{kilobytes} kB\nVmHeapPeak:\t{kilobytes} kB\n\
         HeapRefused:\t1\nHeapWouldRefuse:\t0\n"
    )
}

fn heaptop(root: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heaptop"))
        .arg("--sysroot")
        .arg(root)
        .args(options)
        .output()
        .unwrap()
}

fn shown(root: &Path, options: &[&str]) -> String {
    let output = heaptop(root, options);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn table() {
    let expected = "\
policy: commit, mode: enforce, refused: 67, would-be: 2
PID USER USED  RSS PEAK %SOFT SOFT      HARD REFUSED WOULD-BE UNIT            COMMAND
101 root 60Mi 60Mi 60Mi  93.8 64Mi unlimited       1        0 web.service     command101
102 root 30Mi 30Mi 30Mi  46.9 64Mi unlimited       1        0 web.service     command102
103 me   10Mi 10Mi 10Mi  15.6 64Mi unlimited       1        0 session-1.scope command103
";
    assert_eq!(shown(&machine("table"), &[]), expected);
}

#[test]
fn groups() {
    let expected = "\
policy: commit, mode: enforce, refused: 67, would-be: 2
PROCS USED  RSS PEAK %SOFT REFUSED WOULD-BE UNIT
    1 10Mi 10Mi 10Mi  15.6       1        0 session-1.scope
    2 90Mi 90Mi 90Mi  93.8       2        0 web.service
";
    assert_eq!(shown(&machine("groups"), &["-r", "-g", "unit"]), expected);
}

#[test]
fn json() {
    let text = shown(&machine("json"), &["-j", "-u", "me"]);
    let value: Value = serde_json::from_str(&text).unwrap();
    let processes = value["processes"].as_array().unwrap();
    assert_eq!(processes.len(), 1);
    assert_eq!(processes[0]["arguments"][1], "--all");
    assert_eq!(processes[0]["used_bytes"], 10 << 20);
}

#[test]
fn metrics() {
    let text = shown(&machine("metrics"), &["-m"]);
    let line = r#"heap_limit_unit_used_bytes{unit="web.service"} 94371840.0"#;
    assert!(text.lines().any(|other| other == line), "{text}");
}

#[test]
fn without_the_patches() {
    let root = machine("without");
    let path = root.join("proc/self/status");
    fs::write(&path, "Name:\tx\n").unwrap();
    let output = heaptop(&root, &[]);
    let expected = format!(
        "heaptop: this kernel has no RLIMIT_HEAP (no VmHeap in {}): \
         boot one with the rlimit-heap patches\n",
        path.display()
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}
