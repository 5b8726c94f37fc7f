// SPDX-License-Identifier: GPL-2.0-only
/* A new program starts with a count of its own, and with the limit. */

#define _GNU_SOURCE
#include <libgen.h>

#include "kselftest_harness.h"
#include "heap.h"

/* Runs exec_child under a limit; true if all is well there. */
static bool run_child(rlim_t limit)
{
	char child[4096], limit_arg[32];
	ssize_t len = readlink("/proc/self/exe", child, sizeof(child) - 16);

	if (len < 0)
		return false;
	child[len] = '\0';
	strcat(dirname(child), "/exec_child");
	snprintf(limit_arg, sizeof(limit_arg), "%lu", (unsigned long)limit);
	return IN_CHILD(set_limit(limit) == 0 && execl(child, child, limit_arg, NULL));
}

TEST(starts_anew_with_the_limit)
{
	/* More than the child may have in all. */
	ASSERT_NE(MAP_FAILED, mmap(NULL, 8 * MIB, RW, ANON, -1, 0));
	ASSERT_TRUE(run_child(MIB));
}

TEST(needs_a_limit_to_start_within)
{
	ASSERT_FALSE(run_child(0));
}

TEST_HARNESS_MAIN
