// SPDX-License-Identifier: GPL-2.0-only
/* Growth and shrinking of the break. */

#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "heap.h"

#define PAGES 16

FIXTURE(brk)
{
	uintptr_t old;		/* page aligned */
	long heap;
};

FIXTURE_SETUP(brk)
{
	self->old = (sys_brk(0) + page_size - 1) & -page_size;
	ASSERT_EQ(self->old, sys_brk(self->old));
	self->heap = total_heap();
	ASSERT_GE(self->heap, 0);
}

FIXTURE_TEARDOWN(brk)
{
	ASSERT_EXACT();
}

TEST_F(brk, is_counted_and_given_back)
{
	uintptr_t top = self->old + PAGES * page_size;

	ASSERT_EQ(top, sys_brk(top));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EXACT();

	ASSERT_EQ(self->old + page_size, sys_brk(self->old + page_size));
	ASSERT_EQ(self->heap + 1, total_heap());
	ASSERT_EQ(self->old, sys_brk(self->old));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(brk, up_to_the_limit)
{
	uintptr_t top = self->old + PAGES * page_size;

	ASSERT_EQ(0, allow_pages(PAGES));
	ASSERT_EQ(self->old, sys_brk(top + page_size));
	ASSERT_EQ(self->heap, total_heap());
	ASSERT_EQ(top - page_size, sys_brk(top - page_size));
	ASSERT_EQ(top, sys_brk(top));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

TEST_F(brk, refused_to_the_byte)
{
	uintptr_t top = self->old + PAGES * page_size;

	ASSERT_EQ(0, allow_pages(PAGES));
	ASSERT_EQ(top, sys_brk(top));
	/* One byte more is a page more, and the break stays where it is. */
	ASSERT_EQ(top, sys_brk(top + 1));
	ASSERT_EQ(top, sys_brk(0));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

TEST_F(brk, within_a_page_is_free)
{
	ASSERT_EQ(self->old + 1, sys_brk(self->old + 1));
	ASSERT_EQ(self->heap + 1, total_heap());
	ASSERT_EQ(0, allow_pages(0));
	ASSERT_EQ(self->old + page_size, sys_brk(self->old + page_size));
	ASSERT_EQ(self->heap + 1, total_heap());
}

TEST_F(brk, a_limit_that_is_no_whole_pages)
{
	ASSERT_EQ(0, set_limit((self->heap + 2) * page_size - 1));
	ASSERT_EQ(self->old + page_size, sys_brk(self->old + page_size));
	ASSERT_EQ(self->old + page_size, sys_brk(self->old + 2 * page_size));
	ASSERT_EQ(0, set_limit((self->heap + 2) * page_size + 1));
	ASSERT_EQ(self->old + 2 * page_size, sys_brk(self->old + 2 * page_size));
	ASSERT_EQ(self->old + 2 * page_size, sys_brk(self->old + 3 * page_size));
}

TEST_F(brk, shrinks_above_a_lowered_limit)
{
	uintptr_t top = self->old + PAGES * page_size;

	ASSERT_EQ(top, sys_brk(top));
	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(top, sys_brk(top + page_size));
	ASSERT_EQ(self->old + page_size, sys_brk(self->old + page_size));
	ASSERT_EQ(self->heap + 1, total_heap());
	/* Still above the limit: what was given back is gone. */
	ASSERT_EQ(self->old + page_size, sys_brk(self->old + 2 * page_size));
	ASSERT_EQ(self->old, sys_brk(self->old));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(brk, refused_growth_leaves_vmas_alone)
{
	int before, after;

	heap_vma_pages(&before);
	ASSERT_EQ(0, allow_pages(0));
	ASSERT_EQ(self->old, sys_brk(self->old + page_size));
	heap_vma_pages(&after);
	ASSERT_EQ(before, after);
}

TEST_F(brk, near_the_end_of_the_address_space)
{
	ASSERT_EQ(0, set_limit(RLIM_INFINITY));
	ASSERT_EQ(self->old, sys_brk(UINTPTR_MAX));
	ASSERT_EQ(self->old, sys_brk(UINTPTR_MAX - page_size));
	ASSERT_EQ(0, set_limit(RLIM_INFINITY - 1));
	ASSERT_EQ(self->old, sys_brk(UINTPTR_MAX));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_HARNESS_MAIN
