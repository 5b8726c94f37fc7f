/* SPDX-License-Identifier: GPL-2.0-only */
/* Makes one allocation of a call fail: CONFIG_FAULT_INJECTION (KERNEL=debug). */

#ifndef FAULT_H
#define FAULT_H

#include <sys/mount.h>

#include "heap.h"

/* Let allocations fail that may sleep, which those for VMAs do. */
static inline bool enable_faults(void)
{
	if (access("/proc/self/fail-nth", W_OK))
		return false;
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
	return write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N") &&
		write_file("/sys/kernel/debug/failslab/verbose", "0") &&
		write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N") &&
		write_file("/sys/kernel/debug/fail_page_alloc/verbose", "0") &&
		write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
}

/* From here on the @n-th allocation of this thread fails. A descriptor, or -1. */
static inline int begin_fault(int n)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR);
	char text[16];

	snprintf(text, sizeof(text), "%d", n);
	return fd < 0 || pwrite(fd, text, strlen(text), 0) < 0 ? -1 : fd;
}

/* Were there so many? No other one fails; false if that cannot be said. */
static inline bool end_fault(int fd, bool *hit)
{
	char text[16];
	bool ok;

	*hit = pread(fd, text, sizeof(text), 0) > 0 && text[0] == '0';
	ok = pwrite(fd, "0", 1, 0) == 1;
	close(fd);
	return ok;
}

#endif	/* FAULT_H */
