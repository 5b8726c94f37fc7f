// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 32-bit program, without a C library: the break and mmap2 are counted and
 * limited as for any other. Runs under a limit of 1 MiB.
 */

#define KIB 1024
#define MIB (1024 * 1024)

/* VmHeap in kB, or -1. */
static long heap_kib(void)
{
	static char text[4096];
	int fd = open("/proc/self/status", O_RDONLY);
	ssize_t len = read(fd, text, sizeof(text) - 1);

	close(fd);
	for (char *line = text; len > 0 && line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, "VmHeap:", 7)) {
			line += 7;
			while (*line == ' ' || *line == '\t')
				line++;
			return atol(line);
		}
	}
	return -1;
}

static void *map(size_t size)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* That of nolibc has another name in each kernel. */
static char *set_break(void *addr)
{
	return (char *)syscall(__NR_brk, addr);
}

int main(void)
{
	char *old = set_break(NULL);
	void *p;

	if (sizeof(long) != 4 || heap_kib() != 0)
		return 1;
	/* The break may start within a page. */
	old = (char *)(((unsigned long)old + 4095) & -4096ul);
	if (set_break(old + 64 * KIB) != old + 64 * KIB || heap_kib() != 64)
		return 2;
	if (set_break(old + 2 * MIB) != old + 64 * KIB || heap_kib() != 64)
		return 3;
	p = map(512 * KIB);
	if (p == MAP_FAILED || heap_kib() != 64 + 512)
		return 4;
	if (map(512 * KIB) != MAP_FAILED || errno != ENOMEM || heap_kib() != 64 + 512)
		return 5;
	if (munmap(p, 512 * KIB) || set_break(old) != old || heap_kib() != 0)
		return 6;
	return 0;
}
