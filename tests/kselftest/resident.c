// SPDX-License-Identifier: GPL-2.0-only
/* Policy resident: what is there of the heap is compared with the limit. */

#define _GNU_SOURCE
#include <sys/swap.h>

#include "kselftest_harness.h"
#include "member.h"
#include "module.h"
#include "trace.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define PAGES 16
#define SIZE (PAGES * page_size)
#define MANY 4096	/* more than the test itself has touched */
#define HUGE (2 * MIB)
#define HUGE_PAGES (HUGE / page_size)

/* What is anonymous and there, heap or not. */
static long there(void)
{
	return proc_pages("/proc/self/status", "RssAnon:") +
		proc_pages("/proc/self/status", "VmSwap:");
}

/* Lets so many pages more be there. */
static int allow(long pages)
{
	return set_limit((there() + pages) * page_size);
}

static char *map(long pages, int flags)
{
	return mmap(NULL, pages * page_size, RW, ANON | flags, -1, 0);
}

static void touch(char *p, long pages)
{
	for (long i = 0; i < pages; i++)
		*(volatile char *)(p + i * page_size) = 1;
}

/* Heap by the policy, hardly touched: more than is there of it and all else. */
static char *map_much(void)
{
	char *p = begin_anew("resident") ? map(MANY, 0) : MAP_FAILED;

	/* It takes pages to read what is there. */
	return there() < MANY / 2 && madvise(p, MANY * page_size, MADV_NOHUGEPAGE) == 0 ?
		p : MAP_FAILED;
}

FIXTURE(resident)
{
	char *much;
};

FIXTURE_SETUP(resident)
{
	self->much = map_much();
	ASSERT_NE(MAP_FAILED, self->much);
}

FIXTURE_TEARDOWN(resident)
{
	write_file(OVERCOMMIT_FILE, "0");
	ASSERT_EXACT();
	ASSERT_TRUE(begin_anew("addr0"));
}

TEST_F(resident, heap_that_was_never_touched_is_free)
{
	ASSERT_EQ(0, allow(PAGES));
	for (int i = 0; i < 8; i++)
		ASSERT_NE(MAP_FAILED, map(PAGES, 0));
	ASSERT_EQ(0, heap_refused());
	ASSERT_LT(MANY + 8 * PAGES - 1, total_heap());
}

TEST_F(resident, what_is_touched_counts_from_the_next_request_on)
{
	ASSERT_EQ(0, allow(PAGES));
	for (long i = 0; i < PAGES; i++) {
		ASSERT_EQ(MAP_FAILED, map(PAGES + 1 - i, 0));
		ASSERT_EQ(ENOMEM, errno);
		ASSERT_NE(MAP_FAILED, map(PAGES - i, 0));
		touch(self->much + i * page_size, 1);
	}
	ASSERT_EQ(MAP_FAILED, map(1, 0));
}

/* --- Every call that asks for heap. --- */

static bool by_mmap(long pages)
{
	return map(pages, 0) != MAP_FAILED;
}

static bool by_mmap_over(long pages)
{
	char *p = mmap(NULL, pages * page_size, PROT_NONE, ANON, -1, 0);

	return mmap(p, pages * page_size, RW, ANON | MAP_FIXED, -1, 0) == p;
}

static bool by_brk(long pages)
{
	/* The system call itself says no more than that it has failed. */
	errno = -grow_break(pages);
	return errno == 0;
}

static bool by_mremap(long pages)
{
	static char *p;
	static long size;
	char *q;

	p = p ?: map(1, 0);
	size = size ?: page_size;
	q = mremap(p, size, size + pages * page_size, MREMAP_MAYMOVE);
	if (q == MAP_FAILED)
		return false;
	p = q;
	size += pages * page_size;
	return true;
}

static bool by_mprotect(long pages)
{
	char *p = mmap(NULL, pages * page_size, PROT_NONE, ANON, -1, 0);

	return mprotect(p, pages * page_size, RW) == 0;
}

/* Of MAP_NORESERVE nothing is requested: it is fine as long as the rest is. */
static bool by_noreserve(long pages)
{
	return map(pages, MAP_NORESERVE) != MAP_FAILED;
}

static bool by_mprotect_noreserve(long pages)
{
	char *p = mmap(NULL, pages * page_size, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

	return mprotect(p, pages * page_size, RW) == 0;
}

FIXTURE(asked)
{
};

FIXTURE_VARIANT(asked)
{
	bool (*grows)(long pages);
	bool noreserve;
};

FIXTURE_VARIANT_ADD(asked, mmap) { by_mmap };
FIXTURE_VARIANT_ADD(asked, mmap_over) { by_mmap_over };
FIXTURE_VARIANT_ADD(asked, brk) { by_brk };
FIXTURE_VARIANT_ADD(asked, mremap) { by_mremap };
FIXTURE_VARIANT_ADD(asked, mprotect) { by_mprotect };
FIXTURE_VARIANT_ADD(asked, noreserve) { by_noreserve, true };
FIXTURE_VARIANT_ADD(asked, mprotect_noreserve) { by_mprotect_noreserve, true };

FIXTURE_SETUP(asked)
{
	ASSERT_NE(MAP_FAILED, map_much());
	/* It may need a page of its own. */
	ASSERT_TRUE(variant->grows(1));
}

FIXTURE_TEARDOWN(asked)
{
	ASSERT_EXACT();
	ASSERT_TRUE(begin_anew("addr0"));
}

TEST_F(asked, to_the_page)
{
	const long most = variant->noreserve ? 0 : PAGES;

	ASSERT_EQ(0, allow(most - 1));
	ASSERT_FALSE(variant->grows(PAGES));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(1, heap_refused());
	ASSERT_EQ(0, allow(most));
	ASSERT_TRUE(variant->grows(PAGES));
	ASSERT_EQ(1, heap_refused());
}

TEST_F(asked, an_audit_counts_what_would_be_refused)
{
	const long most = variant->noreserve ? 0 : PAGES;

	ASSERT_TRUE(set_mode("audit"));
	ASSERT_EQ(0, allow(most));
	ASSERT_TRUE(variant->grows(PAGES));
	ASSERT_EQ(0, heap_would_refuse());
	ASSERT_EQ(0, allow(most - 1));
	ASSERT_TRUE(variant->grows(PAGES));
	ASSERT_EQ(1, heap_would_refuse());
	ASSERT_EQ(0, heap_refused());
}

/* The kernel ignores MAP_NORESERVE then, and so does the policy. */
TEST_F(resident, nothing_is_asked_for_without_promise_where_nothing_is_overcommitted)
{
	ASSERT_TRUE(write_file(OVERCOMMIT_FILE, "2"));
	ASSERT_EQ(0, allow(PAGES - 1));
	ASSERT_FALSE(by_noreserve(PAGES));
	ASSERT_EQ(1, heap_refused());
	ASSERT_TRUE(by_noreserve(PAGES - 1));
}

/* Of the mappings of one call some may be fine, and others not. */
TEST_F(resident, an_audit_counts_a_call_if_any_of_it_would_be_refused)
{
	char *p = mmap(NULL, 2 * SIZE, PROT_NONE, ANON, -1, 0);

	ASSERT_EQ(p + SIZE, mmap(p + SIZE, SIZE, PROT_NONE, ANON | MAP_NORESERVE | MAP_FIXED,
				 -1, 0));
	ASSERT_TRUE(set_mode("audit"));
	ASSERT_EQ(0, allow(PAGES - 1));
	ASSERT_EQ(0, mprotect(p, 2 * SIZE, RW));
	ASSERT_EQ(1, heap_would_refuse());
	/* The next call is another one. */
	ASSERT_TRUE(by_mprotect_noreserve(PAGES));
	ASSERT_EQ(1, heap_would_refuse());
}

/* --- What is there, and what is not. --- */

static char bss[128 << 16];	/* pages, however large */

/* Other anonymous memory is taken for heap, as far as there is so much. */
TEST(no_more_than_the_heap)
{
	ASSERT_TRUE(begin_anew("resident"));
	touch(bss, 128);
	ASSERT_NE(MAP_FAILED, map(PAGES, 0));
	ASSERT_EQ(total_heap(), heap_resident());
	ASSERT_EQ(0, allow_pages(PAGES));
	ASSERT_EQ(MAP_FAILED, map(PAGES + 1, 0));
	ASSERT_NE(MAP_FAILED, map(PAGES, 0));
}

TEST_F(resident, shown_under_every_policy)
{
	const char * const policies[] = { "addr0", "commit", "resident" };

	touch(self->much, PAGES);
	for (int i = 0; i < 3; i++) {
		ASSERT_TRUE(set_policy(policies[i]));
		ASSERT_EQ(there(), heap_resident());
		ASSERT_LT(PAGES, heap_resident());
	}
}

TEST_F(resident, what_is_given_back_is_gone)
{
	touch(self->much, 2 * PAGES);
	ASSERT_EQ(0, allow(0));
	ASSERT_EQ(MAP_FAILED, map(1, 0));
	ASSERT_EQ(0, madvise(self->much, SIZE, MADV_DONTNEED));
	ASSERT_EQ(MAP_FAILED, map(PAGES + 1, 0));
	ASSERT_NE(MAP_FAILED, map(PAGES, 0));
}

/* The kernel takes them when it needs them, and not before. */
TEST_F(resident, what_is_free_to_take_is_there)
{
	touch(self->much, 2 * PAGES);
	ASSERT_EQ(0, allow(0));
	ASSERT_EQ(0, madvise(self->much, SIZE, MADV_FREE));
	ASSERT_EQ(MAP_FAILED, map(1, 0));
}

TEST_F(resident, populated_memory_is_there)
{
	long before = there();

	ASSERT_NE(MAP_FAILED, map(PAGES, MAP_POPULATE));
	ASSERT_EQ(before + PAGES, there());
	ASSERT_EQ(before + PAGES, heap_resident());
	ASSERT_EQ(0, madvise(self->much, SIZE, MADV_POPULATE_WRITE));
	ASSERT_EQ(before + 2 * PAGES, heap_resident());
}

/* What is only read is one page of zeroes, and nobody's. */
TEST_F(resident, what_is_read_only_is_not_there)
{
	long before = heap_resident();

	for (long i = 0; i < PAGES; i++)
		ASSERT_EQ(0, *(volatile char *)(self->much + i * page_size));
	ASSERT_EQ(before, heap_resident());
}

#define RAM "/dev/ram0"

TEST_F(resident, what_is_swapped_out_is_there)
{
	long before;

	if (access(RAM, W_OK) || system("mkswap " RAM " >/dev/null 2>&1") || swapon(RAM, 0))
		SKIP(return, "cannot swap to " RAM ": set CONFIG_SWAP and CONFIG_BLK_DEV_RAM");
	touch(self->much, 8 * PAGES);
	before = there();
	ASSERT_EQ(0, allow(PAGES));
	ASSERT_EQ(0, madvise(self->much, 8 * SIZE, MADV_PAGEOUT));
	EXPECT_LT(0, proc_pages("/proc/self/status", "VmSwap:"));
	EXPECT_EQ(before, there());
	EXPECT_EQ(before, heap_resident());
	EXPECT_EQ(MAP_FAILED, map(PAGES + 1, 0));
	EXPECT_NE(MAP_FAILED, map(PAGES, 0));
	ASSERT_EQ(0, swapoff(RAM));
}

/* One byte, and all of it is there. */
TEST_F(resident, huge_pages_are_there_as_a_whole)
{
	char *p = map(2 * HUGE_PAGES, 0);
	long before;

	p = (char *)(((uintptr_t)p + HUGE - 1) & -HUGE);
	if (madvise(p, HUGE, MADV_HUGEPAGE))
		SKIP(return, "no transparent huge pages");
	before = heap_resident();
	ASSERT_EQ(0, allow(HUGE_PAGES));
	touch(p, 1);
	if (heap_resident() == before + 1)
		SKIP(return, "there is no huge page left");
	ASSERT_EQ(before + HUGE_PAGES, heap_resident());
	ASSERT_EQ(MAP_FAILED, map(1, 0));
}

TEST_F(resident, pages_of_hugetlb_are_there)
{
	long before;
	char *p;

	ASSERT_TRUE(set_huge_pages("2"));
	p = map(HUGE_PAGES, MAP_HUGETLB);
	if (p == MAP_FAILED)
		SKIP(return, "there is no huge page left");
	before = heap_resident();
	ASSERT_EQ(0, allow(HUGE_PAGES + PAGES));
	*(volatile char *)p = 1;
	EXPECT_EQ(before + HUGE_PAGES, heap_resident());
	EXPECT_EQ(MAP_FAILED, map(PAGES + 1, 0));
	EXPECT_NE(MAP_FAILED, map(PAGES, 0));
	ASSERT_EQ(0, munmap(p, HUGE));
	ASSERT_TRUE(set_huge_pages("0"));
}

static bool child_has_as_much(char *much, long parents)
{
	long before = there();

	/* A copy on write replaces what was there. */
	touch(much, PAGES);
	return before == there() && before == heap_resident() && labs(before - parents) < 8 &&
		allow(PAGES) == 0 && map(PAGES + 1, 0) == MAP_FAILED && map(PAGES, 0) != MAP_FAILED;
}

TEST_F(resident, a_child_has_what_its_parent_had)
{
	touch(self->much, 8 * PAGES);
	ASSERT_TRUE(IN_CHILD(there() > 0 && child_has_as_much(self->much, there())));
	ASSERT_EQ(there(), heap_resident());
}

/* --- What it promises, and what not. --- */

TEST_F(resident, a_leak_ends_at_the_limit)
{
	long got = 0;
	char *p;

	ASSERT_EQ(0, allow(MANY / 2));
	while ((p = map(PAGES, 0)) != MAP_FAILED) {
		touch(p, PAGES);
		got += PAGES;
	}
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(MANY / 2, got);
}

/* A way round, which the README names: nobody is asked when pages are touched. */
TEST_F(resident, what_is_filled_later_passes)
{
	char *p, *q;

	ASSERT_EQ(0, allow(PAGES));
	p = map(PAGES, 0);
	q = map(PAGES, 0);
	ASSERT_NE(MAP_FAILED, q);
	touch(p, PAGES);
	touch(q, PAGES);
	touch(self->much, 8 * PAGES);
	ASSERT_EQ(MAP_FAILED, map(1, 0));
	ASSERT_EQ(MAP_FAILED, map(1, MAP_NORESERVE));
}

TEST_F(resident, a_refusal_says_what_was_compared)
{
	long usage, limit;
	char line[128];

	ASSERT_TRUE(trace_start());
	ASSERT_TRUE(write_file(LOG_FILE, "1"));
	ASSERT_EQ(0, allow(PAGES - 1));
	usage = there();
	limit = usage + PAGES - 1;
	ASSERT_EQ(MAP_FAILED, map(PAGES, 0));
	EXPECT_EQ(1, traced("heap_refused", fields("mmap", PAGES, usage, limit, "resident")));
	snprintf(line, sizeof(line),
		 "heap_limit: resident (%d): VmHeapResident %lu exceed heap ulimit %lu. Update limits.\n",
		 getpid(), (usage + PAGES) * page_size, limit * page_size);
	/* Others may have used up the rate of some seconds. */
	for (int i = 0; i < 20 && !logged(line); i++) {
		usleep(i * 100000);
		ASSERT_EQ(MAP_FAILED, map(PAGES, 0));
	}
	EXPECT_TRUE(logged(line));
	ASSERT_TRUE(write_file(LOG_FILE, "0"));
	trace_stop();
}

/* What was asked for under another policy is there, or is not, all the same. */
TEST_F(resident, the_policy_can_change_at_any_time)
{
	ASSERT_EQ(0, allow(PAGES));
	ASSERT_TRUE(set_policy("commit"));
	ASSERT_EQ(MAP_FAILED, map(1, 0));
	ASSERT_TRUE(set_policy("resident"));
	ASSERT_NE(MAP_FAILED, map(PAGES, 0));
	ASSERT_TRUE(set_policy("addr0"));
	ASSERT_EQ(MAP_FAILED, map(1, 0));
}

/* --- A job: the smaller of its heap, and of its anonymous memory and swap. --- */

static long touch_pages(long pages)
{
	touch(area, pages);
	return 0;
}

static long map_noreserve(long pages)
{
	return map(pages, MAP_NORESERVE) == MAP_FAILED ? -errno : 0;
}

static long map_and_touch_huge(long unused)
{
	area = map(HUGE_PAGES, MAP_HUGETLB);
	if (area == MAP_FAILED)
		return -errno;
	touch(area, 1);
	return 0;
}

FIXTURE(job)
{
	struct member a, b;
	long heap;	/* that they began with */
};

FIXTURE_SETUP(job)
{
	const char *reason = no_job_limit();

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_TRUE(begin_anew("resident"));
	ASSERT_TRUE(make_job());
	/* What is touched is there, and no more. */
	ASSERT_EQ(0, prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
	ASSERT_TRUE(start_member(&self->a, A));
	ASSERT_TRUE(start_member(&self->b, B));
	self->heap = heap_current(JOB);
	ASSERT_EQ(0, ask(&self->a, map_pages, MANY));
	ASSERT_EQ(0, ask(&self->b, map_pages, MANY));
	/* Pages that a request itself needs. */
	for (int i = 0; i < 2; i++) {
		ask(&self->a, touch_pages, 0);
		ask(&self->b, touch_pages, 0);
	}
}

FIXTURE_TEARDOWN(job)
{
	EXPECT_TRUE(end_member(&self->a));
	EXPECT_TRUE(end_member(&self->b));
	EXPECT_TRUE(remove_job());
	EXPECT_TRUE(begin_anew("addr0"));
}

TEST_F(job, shows_what_is_there)
{
	long before = job_resident(JOB);

	ASSERT_LE(0, before);
	ASSERT_EQ(0, ask(&self->a, touch_pages, 8 * PAGES));
	ASSERT_EQ(0, ask(&self->b, touch_pages, PAGES));
	EXPECT_EQ(before + 9 * PAGES, job_resident(JOB));
	EXPECT_EQ(self->heap + 2 * MANY, heap_current(JOB));
	ASSERT_EQ(0, ask(&self->b, unmap_pages, MANY));
	EXPECT_EQ(self->heap + MANY, heap_current(JOB));
	EXPECT_EQ(before + 8 * PAGES, job_resident(JOB));
}

/* All of it is heap of both, and there once. */
TEST_F(job, what_is_shared_since_fork_is_there_once)
{
	long before, heap, child;

	ASSERT_EQ(0, ask(&self->a, touch_pages, 8 * PAGES));
	before = job_resident(JOB);
	heap = heap_current(JOB);
	child = ask(&self->a, fork_child, 0);
	ASSERT_LT(0, child);
	EXPECT_EQ(heap + heap_of(self->a.pid), heap_current(JOB));
	EXPECT_LE(before, job_resident(JOB));
	EXPECT_GT(before + PAGES, job_resident(JOB));
	ASSERT_EQ(0, ask(&self->a, reap_child, child));
}

/* A way round the limit of a job, which docs/security.md names. */
TEST_F(job, pages_of_hugetlb_are_not_there)
{
	long before = job_resident(JOB);

	ASSERT_TRUE(set_huge_pages("2"));
	EXPECT_EQ(0, ask(&self->a, map_and_touch_huge, 0));
	EXPECT_EQ(HUGE_PAGES + 2 * MANY, heap_current(JOB) - self->heap);
	EXPECT_GT(before + PAGES, job_resident(JOB));
	EXPECT_EQ(0, ask(&self->a, unmap_pages, HUGE_PAGES));
	ASSERT_TRUE(set_huge_pages("0"));
}

TEST_F(job, is_limited_by_what_is_there)
{
	ASSERT_EQ(0, ask(&self->a, touch_pages, 8 * PAGES));
	ASSERT_TRUE(set_job_limit(JOB, job_resident(JOB) + PAGES));
	ASSERT_EQ(-ENOMEM, ask(&self->b, map_pages, PAGES + 1));
	EXPECT_EQ(1, job_refused_itself(JOB));
	ASSERT_EQ(0, ask(&self->b, map_pages, PAGES));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_EQ(0, ask(&self->a, touch_pages, PAGES));
	ASSERT_EQ(-ENOMEM, ask(&self->b, map_pages, 1));
	EXPECT_EQ(0, ask(&self->b, map_noreserve, MANY));
	ASSERT_EQ(0, ask(&self->b, touch_pages, 1));
	EXPECT_EQ(-ENOMEM, ask(&self->b, map_noreserve, MANY));
	EXPECT_EQ(3, job_refused(TOP));
}

TEST_F(job, an_audit_counts_what_would_be_refused)
{
	ASSERT_TRUE(set_mode("audit"));
	ASSERT_TRUE(set_job_limit(JOB, job_resident(JOB) + PAGES));
	ASSERT_EQ(0, ask(&self->b, map_pages, PAGES));
	EXPECT_EQ(0, job_would_refuse(JOB));
	ASSERT_EQ(0, ask(&self->b, map_pages, PAGES + 1));
	EXPECT_EQ(1, job_would_refuse(JOB));
	EXPECT_EQ(0, job_refused(JOB));
}

TEST_HARNESS_MAIN
