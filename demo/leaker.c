// SPDX-License-Identifier: GPL-2.0-only
/*
 * A service that leaks: it answers each line it reads, and keeps 1 MiB for each
 * that nothing ever frees. Where malloc() fails it says so, and answers without.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK (1024 * 1024)

int main(void)
{
	char request[16];
	int mib = 0;

	while (fgets(request, sizeof(request), stdin)) {
		char *leaked = malloc(BLOCK);

		if (leaked) {
			memset(leaked, 1, BLOCK);
			mib++;
			puts("ok");
		} else {
			printf("ENOMEM at %d MiB\n", mib);
		}
		fflush(stdout);
	}
	return 0;
}
