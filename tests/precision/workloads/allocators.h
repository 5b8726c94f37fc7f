/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef ALLOCATORS_H
#define ALLOCATORS_H

#include <stddef.h>

/* What allocators say of themselves: NULL where they are not preloaded. */
int mallctl(const char *name, void *old, size_t *oldlen, void *new, size_t newlen);
void tcmalloc_get_stats(char *buffer, int length) __asm__("MallocExtension_GetStats");
void mi_process_info(size_t *elapsed, size_t *user, size_t *system, size_t *rss, size_t *peak_rss,
		     size_t *commit, size_t *peak_commit, size_t *faults);
size_t __sanitizer_get_heap_size(void);

#pragma weak mallctl
#pragma weak tcmalloc_get_stats
#pragma weak mi_process_info
#pragma weak __sanitizer_get_heap_size

#endif
