// SPDX-License-Identifier: GPL-2.0-only
/*
 * A service that behaves well: it takes MIB at its start and no more, and looks
 * through all of it to answer each line it reads.
 */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096

int main(int argc, char **argv)
{
	size_t size = argc > 1 ? strtoul(argv[1], NULL, 0) << 20 : 0;
	volatile char *data = malloc(size);
	char request[16];

	if (!size || !data)
		errx(2, "usage: neighbour MIB, which must be there");
	memset((char *)data, 1, size);

	while (fgets(request, sizeof(request), stdin)) {
		size_t pages = 0;

		for (size_t i = 0; i < size; i += PAGE)
			pages += data[i];
		puts(pages == size / PAGE ? "ok" : "lost data");
		fflush(stdout);
	}
	return 0;
}
