<?php
// SPDX-License-Identifier: GPL-2.0-only
//
// hold.php hold|leak MIB: strings, in the heap of the Zend engine.

[, $how, $mib] = $argv;
$kept = [];
if ($how === "leak") {
	for ($got = 1; $got <= $mib; $got++) {
		$kept[] = str_repeat("x", 1 << 20);
		echo "got $got\n";
	}
} else {
	for ($total = 0; $total < $mib << 20; $total += $size) {
		$size = 32 << count($kept) % 13;
		$kept[] = str_repeat("x", $size);
	}
	echo "ready ", getmypid(), " ", memory_get_usage(true), "\n";
	sleep(3600);
}
