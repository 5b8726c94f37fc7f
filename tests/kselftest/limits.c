// SPDX-License-Identifier: GPL-2.0-only
/* RLIMIT_HEAP as a resource limit like the others. */

#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "heap.h"

/* The line of RLIMIT_HEAP in a limits file, split at white space. */
static bool limits_are(const char *path, const char *soft, const char *hard)
{
	char *line = read_proc(path);
	char cur[32], max[32], unit[32];

	line = line ? strstr(line, "Max heap size ") : NULL;
	return line && sscanf(line, "Max heap size %31s %31s %31s", cur, max, unit) == 3 &&
		!strcmp(cur, soft) && !strcmp(max, hard) && !strcmp(unit, "bytes");
}

static int set_limits(rlim_t soft, rlim_t hard)
{
	return setrlimit(RLIMIT_HEAP, &(struct rlimit){ soft, hard });
}

TEST(unlimited_by_default)
{
	struct rlimit limit;

	ASSERT_TRUE(limits_are("/proc/1/limits", "unlimited", "unlimited"));
	ASSERT_TRUE(limits_are("/proc/self/limits", "unlimited", "unlimited"));
	ASSERT_EQ(0, getrlimit(RLIMIT_HEAP, &limit));
	ASSERT_EQ(RLIM_INFINITY, limit.rlim_cur);
	ASSERT_EQ(RLIM_INFINITY, limit.rlim_max);
}

TEST(shown_in_bytes)
{
	ASSERT_EQ(0, set_limits(64 * MIB + 1, 128 * MIB));
	ASSERT_TRUE(limits_are("/proc/self/limits", "67108865", "134217728"));
}

TEST(slot_is_the_last)
{
	struct rlimit limit;

	ASSERT_EQ(-1, getrlimit(RLIMIT_HEAP + 1, &limit));
	ASSERT_EQ(EINVAL, errno);
}

TEST(soft_cannot_exceed_hard)
{
	ASSERT_EQ(-1, set_limits(2 * MIB, MIB));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_TRUE(limits_are("/proc/self/limits", "unlimited", "unlimited"));
}

TEST(the_soft_limit_is_what_counts)
{
	ASSERT_EQ(0, set_limits(MIB, RLIM_INFINITY));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, 2 * MIB, RW, ANON, -1, 0));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(0, set_limits(RLIM_INFINITY, RLIM_INFINITY));
	ASSERT_NE(MAP_FAILED, mmap(NULL, 2 * MIB, RW, ANON, -1, 0));
}

TEST(raising_the_hard_limit_needs_cap_sys_resource)
{
	ASSERT_EQ(0, set_limits(MIB, 8 * MIB));
	ASSERT_EQ(0, set_limits(MIB, 16 * MIB));

	/* Away with all capabilities. */
	ASSERT_EQ(0, setresuid(65534, 65534, 65534));
	ASSERT_EQ(-1, set_limits(MIB, 32 * MIB));
	ASSERT_EQ(EPERM, errno);
	ASSERT_EQ(0, set_limits(16 * MIB, 16 * MIB));
	ASSERT_EQ(0, set_limits(8 * MIB, 8 * MIB));
	ASSERT_EQ(-1, set_limits(8 * MIB, 16 * MIB));
	ASSERT_EQ(EPERM, errno);
	ASSERT_TRUE(limits_are("/proc/self/limits", "8388608", "8388608"));
}

TEST(inherited_by_fork)
{
	ASSERT_EQ(0, set_limits(8 * MIB, 16 * MIB));
	ASSERT_TRUE(IN_CHILD(limits_are("/proc/self/limits", "8388608", "16777216") &&
			     mmap(NULL, 8 * MIB, RW, ANON, -1, 0) == MAP_FAILED));
}

TEST(of_another_process)
{
	int go[2], status;
	char byte;
	pid_t pid;

	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_GE(pid, 0);
	if (pid == 0) {
		if (read(go[0], &byte, 1) != 1)
			_exit(2);
		_exit(mmap(NULL, 2 * MIB, RW, ANON, -1, 0) != MAP_FAILED);
	}
	ASSERT_EQ(0, prlimit(pid, RLIMIT_HEAP, &(struct rlimit){ MIB, MIB }, NULL));
	ASSERT_EQ(1, write(go[1], "", 1));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	/* Ours is as it was. */
	ASSERT_TRUE(limits_are("/proc/self/limits", "unlimited", "unlimited"));
}

TEST_HARNESS_MAIN
