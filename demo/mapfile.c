// SPDX-License-Identifier: GPL-2.0-only
/* Maps a file of 200 MiB, read-write and private, and reads all of it. */

#define _GNU_SOURCE
#include <err.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE (200 * 1024 * 1024)

int main(void)
{
	const char *file = "/tmp/mapfile";
	FILE *f = fopen(file, "w+");
	long page = sysconf(_SC_PAGESIZE);
	volatile char *map;
	int sum = 0;

	if (!f || ftruncate(fileno(f), SIZE))
		err(2, "%s", file);

	map = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(f), 0);
	unlink(file);
	if (map == MAP_FAILED)
		err(1, "mmap");

	for (long i = 0; i < SIZE; i += page)
		sum |= map[i];
	return sum;
}
