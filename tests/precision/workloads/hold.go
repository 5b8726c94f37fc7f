// SPDX-License-Identifier: GPL-2.0-only

// hold hold|leak MIB: slices, kept.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"time"
)

var kept [][]byte

// block returns n bytes that have been written to.
func block(n int) []byte {
	b := make([]byte, n)
	for i := 0; i < n; i += 512 {
		b[i] = 1
	}
	kept = append(kept, b)
	return b
}

func main() {
	mib, _ := strconv.Atoi(os.Args[2])
	if os.Args[1] == "leak" {
		for i := 1; i <= mib; i++ {
			block(1 << 20)
			fmt.Println("got", i)
		}
		return
	}
	for total := 0; total < mib<<20; {
		total += len(block(32 << (len(kept) % 13)))
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Println("ready", os.Getpid(), stats.Sys-stats.HeapReleased)
	time.Sleep(time.Hour)
}
