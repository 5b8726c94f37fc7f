// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaks memory, 1 MiB at a time, until it has 500 MiB or malloc() fails. Tells
 * how much it got.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK (1024 * 1024)

int main(void)
{
	int mib;

	for (mib = 0; mib < 500; mib++) {
		char *leaked = malloc(BLOCK);

		if (!leaked)
			break;
		memset(leaked, 1, BLOCK);
	}
	printf("%d MiB\n", mib);
	return mib < 500;
}
