// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	char *text = malloc(6);

	if (!text || snprintf(text, 6, "hello") != 5)
		return 1;
	puts(text);
	free(text);
	return 0;
}
