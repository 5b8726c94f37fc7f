// SPDX-License-Identifier: GPL-2.0-only
/* Mode audit: nothing is refused, and what would have been is reported. */

#define _GNU_SOURCE

#include "kselftest_harness.h"
#include "heap.h"

#define PAGES 16
#define SIZE (PAGES * page_size)

FIXTURE(audit)
{
	long heap;
};

FIXTURE_SETUP(audit)
{
	/* A test that failed may have left another. */
	ASSERT_TRUE(set_policy("addr0"));
	ASSERT_TRUE(set_mode("audit"));
	self->heap = total_heap();
}

FIXTURE_TEARDOWN(audit)
{
	ASSERT_TRUE(write_file(LOG_FILE, "0"));
	ASSERT_TRUE(set_mode("enforce"));
	ASSERT_EXACT();
}

TEST_F(audit, each_growth_above_the_limit)
{
	ASSERT_EQ(0, set_limit(0));
	for (int i = 1; i <= 3; i++) {
		ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
		ASSERT_EQ(i, heap_would_refuse());
	}
	/* What does not grow it would not be refused. */
	ASSERT_NE(MAP_FAILED, mmap(FAR, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(3, heap_would_refuse());
}

/* What fails for another reason has not been let pass. */
TEST_F(audit, not_what_fails)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &(struct rlimit){ 0, RLIM_INFINITY }));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(MAP_FAILED, mremap(p, SIZE, 2 * SIZE, MREMAP_MAYMOVE));
	ASSERT_EQ(0, heap_would_refuse());
}

TEST_F(audit, the_mode_can_change_at_any_time)
{
	ASSERT_TRUE(file_is(MODE_FILE, "enforce [audit]\n"));
	ASSERT_EQ(0, allow_pages(0));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_TRUE(set_mode("enforce\n"));
	ASSERT_TRUE(file_is(MODE_FILE, "[enforce] audit\n"));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(1, heap_refused());
	ASSERT_EQ(1, heap_would_refuse());
	ASSERT_TRUE(set_mode("audit"));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(2, heap_would_refuse());
	ASSERT_EQ(self->heap + 2 * PAGES, total_heap());
}

TEST_F(audit, the_log_tells_it_apart)
{
	char line[128];

	ASSERT_TRUE(write_file(LOG_FILE, "1"));
	ASSERT_EQ(0, set_limit(0));
	snprintf(line, sizeof(line),
		 "heap_limit: audit (%d): VmHeap %lu exceed heap ulimit 0. Update limits, this is an audit.\n",
		 getpid(), (total_heap() + PAGES) * page_size);
	/* Others may have used up the rate of some seconds. */
	for (int i = 0; i < 20 && !logged(line); i++) {
		usleep(i * 100000);
		ASSERT_EQ(0, munmap(mmap(NULL, SIZE, RW, ANON, -1, 0), SIZE));
	}
	ASSERT_TRUE(logged(line));
}

TEST_F(audit, unknown_modes_are_refused)
{
	ASSERT_FALSE(set_mode("permissive"));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_TRUE(logged("heap_limit: no mode permissive; there are: enforce audit\n"));
	ASSERT_TRUE(file_is(MODE_FILE, "enforce [audit]\n"));
}

static bool others_only_look(void)
{
	return setuid(65534) == 0 && file_is(MODE_FILE, "enforce [audit]\n") &&
		!set_mode("enforce") && errno == EACCES;
}

TEST_F(audit, is_for_root_to_choose)
{
	ASSERT_TRUE(IN_CHILD(others_only_look()));
}

TEST_F(audit, a_child_begins_with_none)
{
	ASSERT_EQ(0, set_limit(0));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_TRUE(IN_CHILD(heap_would_refuse() == 0));
	ASSERT_EQ(1, heap_would_refuse());
}

TEST_HARNESS_MAIN
