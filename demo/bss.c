// SPDX-License-Identifier: GPL-2.0-only
/* A program with 200 MiB of BSS, all of which it uses. */

#include <string.h>

static char bss[200 << 20];

int main(void)
{
	memset(bss, 1, sizeof(bss));
	return bss[sizeof(bss) - 1] != 1;
}
