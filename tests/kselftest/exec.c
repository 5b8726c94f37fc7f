// SPDX-License-Identifier: GPL-2.0-only
/* A new program starts with a count of its own, and with the limit. */

#define _GNU_SOURCE
#include <libgen.h>

#include "kselftest_harness.h"
#include "heap.h"

FIXTURE(exec) {};
FIXTURE_SETUP(exec) {}
FIXTURE_TEARDOWN(exec) {}

FIXTURE_VARIANT(exec)
{
	const char *program;
	const char *library;
};

FIXTURE_VARIANT_ADD(exec, static_elf) { "./exec_child", NULL };
FIXTURE_VARIANT_ADD(exec, static_pie) { "./exec_child_static_pie", NULL };
FIXTURE_VARIANT_ADD(exec, dynamic) { "./exec_child_dynamic", NULL };
FIXTURE_VARIANT_ADD(exec, dlopen) { "./exec_child_dynamic", "./libbss.so" };

/* Runs a program, in the directory of this one; true if all is well there. */
static bool run(const char *program, const char *library, rlim_t limit)
{
	char here[4096], limit_arg[32];
	ssize_t len = readlink("/proc/self/exe", here, sizeof(here) - 1);

	if (len < 0)
		return false;
	here[len] = '\0';
	snprintf(limit_arg, sizeof(limit_arg), "%lu", (unsigned long)limit);
	return IN_CHILD(chdir(dirname(here)) == 0 && set_limit(limit) == 0 &&
			execl(program, program, limit_arg, library, NULL));
}

TEST_F(exec, starts_anew_with_the_limit)
{
	/* More than the child may have in all. */
	ASSERT_NE(MAP_FAILED, mmap(NULL, 8 * MIB, RW, ANON, -1, 0));
	ASSERT_TRUE(run(variant->program, variant->library, MIB));
}

TEST(compat)
{
	ASSERT_TRUE(run("./exec_child_32", NULL, MIB));
}

TEST_F(exec, needs_a_limit_to_start_within)
{
	ASSERT_FALSE(run(variant->program, variant->library, 0));
}

TEST_HARNESS_MAIN
