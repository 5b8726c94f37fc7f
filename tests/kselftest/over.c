// SPDX-License-Identifier: GPL-2.0-only
/* Every way to map over every kind of thing. */

#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "heap.h"

#define PAGES 16
#define SIZE (PAGES * page_size)

/* What is at an address before something is mapped there. */
enum thing { NOTHING, HEAP, FILE_MAP, HINTED };

static int memfd = -1;

/* Puts @thing at @p. */
static bool put(enum thing thing, char *p, size_t size)
{
	char *heap;

	switch (thing) {
	case NOTHING:
		return munmap(p, size) == 0;
	case HEAP:
		/* Heap gets to an address by mremap only. */
		heap = mmap(NULL, size, RW, ANON, -1, 0);
		return mremap(heap, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p;
	case FILE_MAP:
		return mmap(p, size, RW, MAP_PRIVATE | MAP_FIXED, memfd, 0) == p;
	case HINTED:
		return mmap(p, size, RW, ANON | MAP_FIXED, -1, 0) == p;
	}
	return false;
}

FIXTURE(over)
{
	char *p;
	long heap;
};

FIXTURE_VARIANT(over)
{
	enum thing first, second;	/* each a half */
};

FIXTURE_VARIANT_ADD(over, nothing) { NOTHING, NOTHING };
FIXTURE_VARIANT_ADD(over, heap) { HEAP, HEAP };
FIXTURE_VARIANT_ADD(over, file) { FILE_MAP, FILE_MAP };
FIXTURE_VARIANT_ADD(over, hinted) { HINTED, HINTED };
FIXTURE_VARIANT_ADD(over, half_heap) { NOTHING, HEAP };
FIXTURE_VARIANT_ADD(over, half_file) { NOTHING, FILE_MAP };
FIXTURE_VARIANT_ADD(over, heap_and_file) { HEAP, FILE_MAP };
FIXTURE_VARIANT_ADD(over, hinted_and_heap) { HINTED, HEAP };

FIXTURE_SETUP(over)
{
	memfd = memfd_create("over", 0);
	ASSERT_GE(memfd, 0);
	ASSERT_EQ(0, ftruncate(memfd, SIZE));
	self->p = mmap(NULL, SIZE, PROT_NONE, MAP_SHARED, memfd, 0);
	ASSERT_NE(MAP_FAILED, self->p);
	self->heap = total_heap();
	/* The hole last: mmap() would take it. */
	ASSERT_TRUE(put(variant->second, self->p + SIZE / 2, SIZE / 2));
	ASSERT_TRUE(put(variant->first, self->p, SIZE / 2));
	ASSERT_EQ(self->heap + ((variant->first == HEAP) + (variant->second == HEAP)) * PAGES / 2,
		  total_heap());
	/* Nothing below may need the limit. */
	ASSERT_EQ(0, set_limit(0));
}

FIXTURE_TEARDOWN(over)
{
	ASSERT_EXACT();
}

TEST_F(over, fixed_private)
{
	ASSERT_EQ(self->p, mmap(self->p, SIZE, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(over, fixed_shared)
{
	ASSERT_EQ(self->p, mmap(self->p, SIZE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
				-1, 0));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(over, fixed_file)
{
	ASSERT_EQ(self->p, mmap(self->p, SIZE, RW, MAP_PRIVATE | MAP_FIXED, memfd, 0));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(over, fixed_noreplace)
{
	bool occupied = variant->first != NOTHING || variant->second != NOTHING;
	long heap = total_heap();
	char *q;

	q = mmap(self->p, SIZE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	if (occupied) {
		ASSERT_EQ(MAP_FAILED, q);
		ASSERT_EQ(EEXIST, errno);
	} else {
		ASSERT_EQ(self->p, q);
	}
	ASSERT_EQ(heap, total_heap());
}

TEST_F(over, hint)
{
	long heap = total_heap();

	ASSERT_NE(MAP_FAILED, mmap(self->p, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(heap, total_heap());
}

TEST_F(over, anywhere)
{
	long heap = total_heap();

	ASSERT_EQ(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(heap, total_heap());
}

TEST_F(over, munmap)
{
	ASSERT_EQ(0, munmap(self->p, SIZE));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(over, mremap_onto)
{
	/* Not where there is nothing. */
	char *q = mmap((void *)0xd000000000, SIZE, RW, MAP_SHARED | MAP_FIXED, memfd, 0);

	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(self->p, mremap(q, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, self->p));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_HARNESS_MAIN
