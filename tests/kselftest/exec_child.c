// SPDX-License-Identifier: GPL-2.0-only
/*
 * exec_child LIMIT: checks that a program with 16 MiB of BSS has started with
 * next to no heap and with LIMIT bytes as its limit.
 */

#define _GNU_SOURCE
#include "heap.h"

static char bss[16 << 20];

int main(int argc, char **argv)
{
	struct rlimit limit;

	memset(bss, 1, sizeof(bss));
	return !(argc == 2 && getrlimit(RLIMIT_HEAP, &limit) == 0 &&
		 limit.rlim_cur == strtoul(argv[1], NULL, 0) &&
		 /* glibc's own, from the break: thread-local storage. */
		 total_heap() < 64 && heap_vma_pages(NULL) == total_heap());
}
