// SPDX-License-Identifier: GPL-2.0-only
//
// hold.js hold|leak MIB: arrays in V8's heap. Buffers are malloc's.

"use strict";
const fs = require("fs");
const v8 = require("v8");

const [how, mib] = [process.argv[2], Number(process.argv[3])];
const kept = [];

// console.log may be late when the process dies.
const print = (line) => fs.writeSync(1, line + "\n");

function block(bytes) {
	kept.push(new Array(bytes / 8).fill(1.5));
}

if (how === "leak") {
	for (let got = 1; got <= mib; got++) {
		block(1 << 20);
		print(`got ${got}`);
	}
} else {
	for (let total = 0; total < mib << 20; total += 64 << 10)
		block(64 << 10);
	// Threads of V8 still give back pages that its statistics leave out already.
	setTimeout(() => print(`ready ${process.pid} ${v8.getHeapStatistics().total_heap_size}`), 3000);
	setInterval(() => kept.length, 1 << 30);
}
