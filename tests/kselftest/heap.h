/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests look at: the count of the heap and the VMAs it is made of.
 *
 * Nothing here allocates: it would be counted.
 */

#ifndef HEAP_H
#define HEAP_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef RLIMIT_HEAP
#define RLIMIT_HEAP 16
#endif

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define MIB (1024 * 1024)
#define FAR ((char *)0x500000000000)	/* nothing is there, and around it */
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)

static long page_size;

__attribute__((constructor)) static void heap_init(void)
{
	page_size = sysconf(_SC_PAGESIZE);
}

/* The whole of a file in /proc, NUL-terminated, in a static buffer; or NULL. */
static inline char *read_proc(const char *path)
{
	static char buf[1 << 19];
	size_t len = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		return NULL;
	while ((n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += n;
	close(fd);
	if (n < 0 || len == sizeof(buf) - 1)
		return NULL;
	buf[len] = '\0';
	return buf;
}

/* How often a line, or a part of one, is in the kernel log. */
static inline int logged(const char *line)
{
	static char buf[1 << 18];
	int len = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, buf, sizeof(buf) - 1);
	int n = 0;

	buf[len < 0 ? 0 : len] = '\0';
	for (char *p = buf; (p = strstr(p, line)); p++)
		n++;
	return n;
}

/* A value in kB from a file of lines "Name: value kB"; pages, or -1. */
static inline long proc_pages(const char *path, const char *name)
{
	char *line = read_proc(path);

	line = line ? strstr(line, name) : NULL;
	return line ? atol(line + strlen(name)) * 1024 / page_size : -1;
}

/* A number from a file of lines "name value", or -1. */
static inline long proc_number(const char *path, const char *name)
{
	char *line = read_proc(path);

	line = line ? strstr(line, name) : NULL;
	return line ? atol(line + strlen(name)) : -1;
}

/* mm->total_heap, in pages. */
static inline long total_heap(void)
{
	return proc_pages("/proc/self/status", "VmHeap:");
}

/* What of it is there, in memory or swapped out. */
static inline long heap_resident(void)
{
	return proc_pages("/proc/self/status", "VmHeapResident:");
}

/* The most that it has been. */
static inline long peak_heap(void)
{
	return proc_pages("/proc/self/status", "VmHeapPeak:");
}

/* How often growth of it was refused, and would have been but for an audit. */
static inline long heap_refused(void)
{
	return proc_number("/proc/self/status", "HeapRefused:");
}

static inline long heap_would_refuse(void)
{
	return proc_number("/proc/self/status", "HeapWouldRefuse:");
}

/*
 * The pages of all VMAs with VM_HEAP. If @vmas is given, also how many VMAs
 * that is.
 */
static inline long heap_vma_pages(int *vmas)
{
	char *p = read_proc("/proc/self/smaps");
	long pages = 0, size = 0;
	int n = 0;

	while (p && *p) {
		char *end = strchrnul(p, '\n');

		if (!strncmp(p, "Size:", 5))
			size = atol(p + 5) * 1024 / page_size;
		if (!strncmp(p, "VmFlags:", 8) && memmem(p, end - p, " hp", 3)) {
			pages += size;
			n++;
		}
		p = *end ? end + 1 : end;
	}
	if (vmas)
		*vmas = n;
	return p ? pages : -1;
}

/* The invariant: what is counted is what is there. */
#define ASSERT_EXACT() ASSERT_EQ(heap_vma_pages(NULL), total_heap())

/* Sets the soft limit, in bytes. */
static inline int set_limit(rlim_t bytes)
{
	return setrlimit(RLIMIT_HEAP, &(struct rlimit){ bytes, RLIM_INFINITY });
}

/* Lets the heap grow by @pages pages more. */
static inline int allow_pages(long pages)
{
	return set_limit((total_heap() + pages) * page_size);
}

#define POLICY_FILE "/sys/kernel/mm/heap_limit/policy"
#define MODE_FILE "/sys/kernel/mm/heap_limit/mode"
#define LOG_FILE "/sys/kernel/mm/heap_limit/log"
#define THRESHOLD_FILE "/sys/kernel/mm/heap_limit/threshold"
#define OVERCOMMIT_FILE "/proc/sys/vm/overcommit_memory"

static inline bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int saved = errno;

	close(fd);
	errno = saved;
	return ok;
}

/* How many huge pages the machine keeps. */
static inline bool set_huge_pages(const char *number)
{
	return write_file("/proc/sys/vm/nr_hugepages", number);
}

static inline bool file_is(const char *path, const char *text)
{
	char *is = read_proc(path);

	return is && !strcmp(is, text);
}

/* Lets the policy of that name decide, for all processes. */
static inline bool set_policy(const char *name)
{
	return write_file(POLICY_FILE, name);
}

/* Enforces the limit, or audits it, for all processes. */
static inline bool set_mode(const char *name)
{
	return write_file(MODE_FILE, name);
}

/* Not glibc's: it moves the break of the process by itself. */
static inline uintptr_t sys_brk(uintptr_t addr)
{
	return syscall(SYS_brk, addr);
}

/* Runs @expr in a forked child; true if it is true there. */
#define IN_CHILD(expr) ({						\
	int __status;							\
	pid_t __pid = fork();						\
									\
	if (__pid == 0)							\
		_exit(!(expr));						\
	__pid > 0 && waitpid(__pid, &__status, 0) == __pid &&		\
		WIFEXITED(__status) && WEXITSTATUS(__status) == 0;	\
})

#endif	/* HEAP_H */
