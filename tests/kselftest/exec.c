// SPDX-License-Identifier: GPL-2.0-only
/* A new program starts with a count of its own, and with the limit. */

#define _GNU_SOURCE
#include <libgen.h>

#include "kselftest_harness.h"
#include "heap.h"

/*
 * Where libraries are aligned to more than a page, ld.so reserves room for each at no
 * address, which is heap under addr0 until the library is there.
 */
#ifdef __aarch64__
#define RESERVED (32 * MIB)
#else
#define RESERVED 0
#endif

FIXTURE(exec) {};

FIXTURE_VARIANT(exec)
{
	const char *policy;
	const char *program;
	const char *library;
};

FIXTURE_VARIANT_ADD(exec, addr0_static_elf) { "addr0", "./exec_child", NULL };
FIXTURE_VARIANT_ADD(exec, addr0_static_pie) { "addr0", "./exec_child_static_pie", NULL };
FIXTURE_VARIANT_ADD(exec, addr0_dynamic) { "addr0", "./exec_child_dynamic", NULL };
FIXTURE_VARIANT_ADD(exec, addr0_dlopen) { "addr0", "./exec_child_dynamic", "./libbss.so" };
FIXTURE_VARIANT_ADD(exec, commit_static_elf) { "commit", "./exec_child", NULL };
FIXTURE_VARIANT_ADD(exec, commit_static_pie) { "commit", "./exec_child_static_pie", NULL };
FIXTURE_VARIANT_ADD(exec, commit_dynamic) { "commit", "./exec_child_dynamic", NULL };
FIXTURE_VARIANT_ADD(exec, commit_dlopen) { "commit", "./exec_child_dynamic", "./libbss.so" };
FIXTURE_VARIANT_ADD(exec, addr0_musl) { "addr0", "./exec_child_musl", NULL };
FIXTURE_VARIANT_ADD(exec, commit_musl) { "commit", "./exec_child_musl", NULL };
FIXTURE_VARIANT_ADD(exec, commit_musl_dlopen) { "commit", "./exec_child_musl", "./libbss_musl.so" };

/* The programs are in the directory of this one. */
static bool is_built(const char *program)
{
	static char here[4096];
	ssize_t len = readlink("/proc/self/exe", here, sizeof(here) - 1);

	return len > 0 && chdir(dirname(here)) == 0 && access(program, X_OK) == 0;
}

FIXTURE_SETUP(exec)
{
	if (!is_built(variant->program))
		SKIP(return, "%s is not built for this machine", variant->program);
	ASSERT_TRUE(set_policy(variant->policy));
}

FIXTURE_TEARDOWN(exec)
{
	ASSERT_TRUE(set_policy("addr0"));
}

/* Runs a program; true if all is well there. */
static bool run(const char *program, const char *library, rlim_t limit)
{
	char limit_arg[32];

	snprintf(limit_arg, sizeof(limit_arg), "%lu", (unsigned long)limit);
	return IN_CHILD(set_limit(limit) == 0 &&
			execl(program, program, limit_arg, library, NULL));
}

TEST_F(exec, starts_anew_with_the_limit)
{
	/* More than the child may have in all. */
	ASSERT_NE(MAP_FAILED, mmap(NULL, RESERVED + 8 * MIB, RW, ANON, -1, 0));
	ASSERT_TRUE(run(variant->program, variant->library, RESERVED + MIB));
}

TEST(compat)
{
	if (!is_built("./exec_child_32"))
		SKIP(return, "./exec_child_32 is not built for this machine");
	ASSERT_TRUE(run("./exec_child_32", NULL, MIB));
	ASSERT_TRUE(set_policy("commit"));
	EXPECT_TRUE(run("./exec_child_32", NULL, MIB));
	ASSERT_TRUE(set_policy("addr0"));
}

TEST_F(exec, needs_a_limit_to_start_within)
{
	if (page_size > 4096 && !variant->library && strstr(variant->program, "dynamic"))
		SKIP(return, "ld.so has room in a page of its own data, where pages are large");
	ASSERT_FALSE(run(variant->program, variant->library, 0));
}

TEST_HARNESS_MAIN
