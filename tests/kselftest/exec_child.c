// SPDX-License-Identifier: GPL-2.0-only
/*
 * exec_child LIMIT [LIBRARY]: checks that a program with 16 MiB of BSS has
 * started with next to no heap and with LIMIT bytes as its limit, and that a
 * library with as much BSS can be loaded.
 */

#define _GNU_SOURCE
#include <dlfcn.h>

#include "heap.h"

static char bss[16 * MIB];

#ifdef WITH_DLOPEN
/* The BSS of a library is there and is not heap. */
static bool load(const char *library)
{
	long heap = total_heap();
	void *handle = dlopen(library, RTLD_NOW);
	char *their_bss = handle ? dlsym(handle, "their_bss") : NULL;

	if (!their_bss)
		return false;
	memset(their_bss, 1, 16 * MIB);
	return total_heap() - heap < 64 && heap_vma_pages(NULL) == total_heap();
}
#else
static bool load(const char *library)
{
	return false;
}
#endif

int main(int argc, char **argv)
{
	struct rlimit limit;

	memset(bss, 1, sizeof(bss));
	return !(argc > 1 && getrlimit(RLIMIT_HEAP, &limit) == 0 &&
		 limit.rlim_cur == strtoul(argv[1], NULL, 0) &&
		 /* The C library's own: thread-local storage and the like. */
		 total_heap() < 64 && heap_vma_pages(NULL) == total_heap() &&
		 (argc == 2 || load(argv[2])));
}
