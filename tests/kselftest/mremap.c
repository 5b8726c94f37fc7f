// SPDX-License-Identifier: GPL-2.0-only
/* mremap of heap: it grows, shrinks and moves, and stays heap. */

#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "heap.h"

#define PAGES 16
#define SIZE (PAGES * page_size)

FIXTURE(mremap)
{
	long heap;
	char *p;	/* SIZE bytes of heap with as much free space behind */
};

FIXTURE_SETUP(mremap)
{
	self->heap = total_heap();
	self->p = mmap(NULL, 2 * SIZE, RW, ANON, -1, 0);
	ASSERT_NE(MAP_FAILED, self->p);
	ASSERT_EQ(0, munmap(self->p + SIZE, SIZE));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

FIXTURE_TEARDOWN(mremap)
{
	ASSERT_EXACT();
}

/* Puts something that is no heap right behind the heap. */
static void *block_growth(char *p)
{
	return mmap(p + SIZE, page_size, PROT_NONE, ANON | MAP_FIXED, -1, 0);
}

TEST_F(mremap, grows_in_place_up_to_the_limit)
{
	/* There is room for what is refused. */
	ASSERT_EQ(0, allow_pages(PAGES - 1));
	ASSERT_EQ(MAP_FAILED, mremap(self->p, SIZE, 2 * SIZE, 0));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EQ(self->p, mremap(self->p, SIZE, 2 * SIZE - page_size, 0));
	ASSERT_EQ(self->heap + 2 * PAGES - 1, total_heap());
	ASSERT_EQ(0, allow_pages(1));
	ASSERT_EQ(self->p, mremap(self->p, 2 * SIZE - page_size, 2 * SIZE, 0));
	ASSERT_EQ(self->heap + 2 * PAGES, total_heap());
}

TEST_F(mremap, grows_by_moving_up_to_the_limit)
{
	ASSERT_NE(MAP_FAILED, block_growth(self->p));
	ASSERT_EQ(0, allow_pages(PAGES));
	ASSERT_EQ(MAP_FAILED, mremap(self->p, SIZE, 2 * SIZE + page_size,
				     MREMAP_MAYMOVE));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(self->heap + PAGES, total_heap());
	/* Old and new never count both, though they exist both for a moment. */
	ASSERT_NE(MAP_FAILED, mremap(self->p, SIZE, 2 * SIZE, MREMAP_MAYMOVE));
	ASSERT_EQ(self->heap + 2 * PAGES, total_heap());
}

TEST_F(mremap, moves_at_the_limit)
{
	char *to = mmap(NULL, SIZE, PROT_NONE, ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, to);
	ASSERT_EQ(0, munmap(to, SIZE));
	ASSERT_EQ(0, allow_pages(0));
	ASSERT_EQ(to, mremap(self->p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EXACT();
	ASSERT_EQ(0, munmap(to, SIZE));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(mremap, shrinks_above_a_lowered_limit)
{
	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(self->p, mremap(self->p, SIZE, page_size, 0));
	ASSERT_EQ(self->heap + 1, total_heap());
	ASSERT_EQ(MAP_FAILED, mremap(self->p, page_size, 2 * page_size, MREMAP_MAYMOVE));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(self->heap + 1, total_heap());
}

TEST_F(mremap, fixed_onto_heap_gives_it_back)
{
	char *to = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, to);
	ASSERT_EQ(self->heap + 2 * PAGES, total_heap());
	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(to, mremap(self->p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

TEST_F(mremap, dontunmap_counts_both)
{
	char *q;

	ASSERT_EQ(0, allow_pages(PAGES - 1));
	q = mremap(self->p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	ASSERT_EQ(MAP_FAILED, q);
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(0, allow_pages(PAGES));
	q = mremap(self->p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(self->heap + 2 * PAGES, total_heap());
	ASSERT_EXACT();
	ASSERT_EQ(0, munmap(self->p, SIZE));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

TEST_F(mremap, a_duplicate_of_shared_memory_counts)
{
	char *p = mmap(NULL, SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *q;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, allow_pages(PAGES - 1));
	ASSERT_EQ(MAP_FAILED, mremap(p, 0, SIZE, MREMAP_MAYMOVE));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(0, allow_pages(PAGES));
	q = mremap(p, 0, SIZE, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(self->heap + 3 * PAGES, total_heap());
}

TEST_F(mremap, of_a_part)
{
	char *q = mremap(self->p + page_size, page_size, 3 * page_size, MREMAP_MAYMOVE);

	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(self->heap + PAGES + 2, total_heap());
	ASSERT_EXACT();
	ASSERT_EQ(0, munmap(q, 3 * page_size));
	ASSERT_EQ(self->heap + PAGES - 1, total_heap());
}

TEST_F(mremap, of_several_vmas)
{
	ASSERT_EQ(0, mprotect(self->p + page_size, page_size, PROT_READ));
	/* A tail of several is cut off, but several do not move or grow. */
	ASSERT_EQ(MAP_FAILED, mremap(self->p, SIZE, 2 * SIZE, MREMAP_MAYMOVE));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EXACT();
	ASSERT_EQ(self->p, mremap(self->p, SIZE, page_size, 0));
	ASSERT_EQ(self->heap + 1, total_heap());
}

TEST_HARNESS_MAIN
