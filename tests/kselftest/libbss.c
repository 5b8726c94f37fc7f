// SPDX-License-Identifier: GPL-2.0-only
/* A library with 16 MiB of BSS. */

char their_bss[16 * 1024 * 1024];
