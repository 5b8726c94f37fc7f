// SPDX-License-Identifier: GPL-2.0-only
/* What programs see: glibc's allocator under the limit. */

#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>

#include "kselftest_harness.h"
#include "heap.h"

#define LIMIT (32 * MIB)

FIXTURE(malloc) {};
FIXTURE_SETUP(malloc) {}
FIXTURE_TEARDOWN(malloc) { ASSERT_EXACT(); }

FIXTURE_VARIANT(malloc)
{
	size_t block;
};

/* glibc takes blocks from 128 KiB on from mmap, smaller ones from the break. */
FIXTURE_VARIANT_ADD(malloc, small) { 100 };
FIXTURE_VARIANT_ADD(malloc, 127KiB) { 127 << 10 };
FIXTURE_VARIANT_ADD(malloc, 129KiB) { 129 << 10 };

/* Allocates up to @max bytes; the sum of what malloc() gave. */
static size_t allocate(size_t block, size_t max)
{
	size_t sum = 0;

	while (sum < max && malloc(block))
		sum += block;
	return sum;
}

TEST_F(malloc, ends_at_the_limit)
{
	size_t got, taken = variant->block;

	/* Each is a mapping, with a header. */
	if (variant->block > 128 << 10)
		taken = (variant->block + page_size) & -page_size;

	ASSERT_EQ(0, set_limit(LIMIT));
	got = allocate(variant->block, 2 * LIMIT);
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_LE(got, LIMIT);
	/* Headers, and the last step of the break. */
	ASSERT_GE(got, LIMIT * 3 / 4 / taken * variant->block);
	ASSERT_LE(total_heap() * page_size, LIMIT);
}

TEST_F(malloc, has_enough_below_the_limit)
{
	ASSERT_EQ(0, set_limit(LIMIT));
	ASSERT_GE(allocate(variant->block, LIMIT / 2), LIMIT / 2);
}

TEST(one_gibibyte)
{
	long heap = total_heap();
	char *p;

	ASSERT_EQ(0, set_limit(LIMIT));
	ASSERT_EQ(NULL, malloc(1 << 30));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(0, set_limit(RLIM_INFINITY));
	p = malloc(1 << 30);
	ASSERT_NE(NULL, p);
	ASSERT_GE(total_heap(), heap + (1 << 30) / page_size);
	free(p);
	ASSERT_EXACT();
}

TEST(free_gives_back)
{
	char *p = malloc(8 * MIB);
	long heap = total_heap();

	ASSERT_NE(NULL, p);
	free(p);
	ASSERT_LE(total_heap(), heap - 8 * MIB / page_size);
	ASSERT_EXACT();
}

TEST(realloc_is_judged)
{
	char *p = malloc(MIB);

	ASSERT_NE(NULL, p);
	p[MIB - 1] = 42;
	ASSERT_EQ(0, set_limit(8 * MIB));
	ASSERT_EQ(NULL, realloc(p, 16 * MIB));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(42, p[MIB - 1]);
	p = realloc(p, 4 * MIB);
	ASSERT_NE(NULL, p);
	ASSERT_EQ(42, p[MIB - 1]);
	ASSERT_EXACT();
}

/* Slow on debug kernels. */
FIXTURE(thread) {};
FIXTURE_SETUP(thread) {}
FIXTURE_TEARDOWN(thread) {}

/* What a thread other than the main one gets from malloc(), in bytes. */
static void *allocate_in_thread(void *block)
{
	return (void *)allocate((size_t)block, 1 << 30);
}

static size_t thread_gets(size_t block)
{
	pthread_t thread;
	void *got;

	if (pthread_create(&thread, NULL, allocate_in_thread, (void *)block) ||
	    pthread_join(thread, &got))
		return 0;
	return (size_t)got;
}

/*
 * Policy addr0, and glibc: the arena of a thread takes every second of its
 * heaps, of 64 MiB, at a hint, which is free. Where the first one lies decides
 * whether a second one is at hand before the limit, or only one.
 */
TEST_F_TIMEOUT(thread, a_leak_in_a_thread_gets_more_than_the_limit, 300)
{
	const size_t limit = 256 * MIB;
	size_t got;

	ASSERT_EQ(0, set_limit(limit));
	got = thread_gets(100 << 10);
	TH_LOG("%zu MiB under a limit of %zu MiB", got / MIB, limit / MIB);
	ASSERT_GE(got, limit + 32 * MIB);
	ASSERT_LE(got, limit * 2);
	ASSERT_LE(total_heap() * page_size, limit);
	ASSERT_EXACT();
}

/*
 * glibc makes an arena from twice 64 MiB, of which it gives back a half. A
 * thread that cannot have that maps a page for each small block.
 */
TEST_F_TIMEOUT(thread, without_room_for_an_arena_each_block_is_a_page, 300)
{
	const size_t block = 1000;
	size_t got;

	ASSERT_EQ(0, set_limit(64 * MIB));
	got = thread_gets(block);
	TH_LOG("%zu MiB in %ld MiB of heap", got / MIB, total_heap() * page_size / MIB);
	ASSERT_GE(total_heap(), got / block);
	ASSERT_LE(got, 64 * MIB / 4);
}

TEST_HARNESS_MAIN
