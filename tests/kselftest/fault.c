// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation on the way of a call fails once: the call fails cleanly or
 * copes, and the count stays exact. Needs CONFIG_FAULT_INJECTION (KERNEL=debug).
 */

#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "fault.h"

#define PAGES 16
#define SIZE (PAGES * page_size)
#define MANY 500	/* allocations in one call */
#define ROUNDS 20	/* more than a node of the tree of VMAs has slots */

/* Does a call whose @n-th allocation fails; false if it has less. */
static bool with_fault(int n, bool (*call)(char *p), char *p, bool *succeeded)
{
	int fd = begin_fault(n);
	bool hit;

	if (fd < 0)
		exit(2);
	*succeeded = call(p);
	if (!end_fault(fd, &hit))
		exit(2);
	return hit;
}

/* Does not merge with what is there, nor with what it has mapped before. */
static bool map(char *p)
{
	static int prot = PROT_READ;
	bool ok = mmap(NULL, SIZE, prot, ANON, -1, 0) != MAP_FAILED;

	if (ok)
		prot ^= PROT_READ | PROT_EXEC;
	return ok;
}

static bool map_shared(char *p)
{
	return mmap(NULL, SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

static bool map_fixed(char *p)
{
	return mmap(p + page_size, page_size, RW, ANON | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static bool unmap_middle(char *p)
{
	return munmap(p + 4 * page_size, 2 * page_size) == 0;
}

/* From within the first of three to within the last. */
static bool unmap_several(char *p)
{
	return munmap(p + 2 * page_size, 9 * page_size) == 0;
}

static bool protect_middle(char *p)
{
	return mprotect(p + 4 * page_size, page_size, PROT_READ) == 0;
}

/* A part of a reservation, which becomes heap. */
static bool commit_middle(char *p)
{
	return mprotect(p + 4 * page_size, 2 * page_size, RW) == 0;
}

static bool map_within(char *p)
{
	return mmap(p + 4 * page_size, 2 * page_size, RW, ANON | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static bool advise_middle(char *p)
{
	return madvise(p + 4 * page_size, page_size, MADV_DONTFORK) == 0;
}

static bool lock_middle(char *p)
{
	return mlock(p + 4 * page_size, page_size) == 0;
}

static bool move(char *p)
{
	return mremap(p, SIZE, 2 * SIZE, MREMAP_MAYMOVE) != MAP_FAILED;
}

static bool move_middle(char *p)
{
	return mremap(p + 4 * page_size, page_size, 3 * page_size,
		      MREMAP_MAYMOVE) != MAP_FAILED;
}

/* Over a part of itself. */
static bool move_fixed(char *p)
{
	return mremap(p, 4 * page_size, 4 * page_size, MREMAP_MAYMOVE | MREMAP_FIXED,
		      p + 8 * page_size) != MAP_FAILED;
}

static bool move_dontunmap(char *p)
{
	return mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP) != MAP_FAILED;
}

static bool shrink(char *p)
{
	return mremap(p, SIZE, page_size, 0) != MAP_FAILED;
}

static bool grow_break(char *p)
{
	uintptr_t want = sys_brk(0) + SIZE;

	return sys_brk(want) == want;
}

static bool fork_child(char *p)
{
	return IN_CHILD(heap_vma_pages(NULL) == total_heap());
}

static char *reservation(void)
{
	char *p = mmap(NULL, SIZE, PROT_NONE, ANON, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* As the dynamic linker maps it, in two parts; what replaces some of both is BSS. */
static char *library(void)
{
	static int memfd;
	char *p;

	if (!memfd)
		memfd = memfd_create("library", 0);
	if (memfd < 0 || ftruncate(memfd, SIZE))
		return NULL;
	p = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, memfd, 0);
	return p == MAP_FAILED || mprotect(p, 5 * page_size, RW) ? NULL : p;
}

FIXTURE(fault) {};
FIXTURE_VARIANT(fault)
{
	bool (*call)(char *p);
	long pages;	/* by which the heap grows if it succeeds */
	/*
	 * Two outcomes are mm/'s own. mmap() and mremap() to a fixed address
	 * that fail late leave a gap where they have unmapped already;
	 * mremap() that cannot unmap what it has moved away, for want of
	 * memory, leaves all of that mapped, above the limit.
	 */
	long gap, kept;
	bool split;	/* several VMAs to begin with, also of the break */
	int rounds;	/* ROUNDS if 0; fork makes hundreds of allocations */
	/* Under policy commit: what there is to begin with, which is no heap. */
	char *(*reserve)(void);
};

FIXTURE_SETUP(fault)
{
	if (!enable_faults())
		SKIP(return, "this kernel has no fault injection (see KERNEL=debug)");
	ASSERT_TRUE(set_policy(variant->reserve ? "commit" : "addr0"));
}

FIXTURE_TEARDOWN(fault)
{
	set_policy("addr0");
}

FIXTURE_VARIANT_ADD(fault, mmap) { map, PAGES };
FIXTURE_VARIANT_ADD(fault, mmap_shared) { map_shared, PAGES };
FIXTURE_VARIANT_ADD(fault, mmap_fixed) { map_fixed, -1, .gap = -1 };
FIXTURE_VARIANT_ADD(fault, munmap) { unmap_middle, -2 };
FIXTURE_VARIANT_ADD(fault, munmap_several) { unmap_several, -9, .split = true };
FIXTURE_VARIANT_ADD(fault, mprotect) { protect_middle, 0 };
FIXTURE_VARIANT_ADD(fault, madvise) { advise_middle, 0 };
FIXTURE_VARIANT_ADD(fault, mlock) { lock_middle, 0 };
FIXTURE_VARIANT_ADD(fault, mremap) { move, PAGES, .kept = PAGES };
FIXTURE_VARIANT_ADD(fault, mremap_middle) { move_middle, 2, .kept = 1 };
FIXTURE_VARIANT_ADD(fault, mremap_fixed) { move_fixed, -4, .gap = -4, .kept = 4 };
FIXTURE_VARIANT_ADD(fault, mremap_dontunmap) { move_dontunmap, PAGES };
FIXTURE_VARIANT_ADD(fault, mremap_shrink) { shrink, 1 - PAGES };
FIXTURE_VARIANT_ADD(fault, brk) { grow_break, PAGES, .split = true };
FIXTURE_VARIANT_ADD(fault, fork) { fork_child, 0, .rounds = 4 };
FIXTURE_VARIANT_ADD(fault, commit_mprotect) { commit_middle, 2, .reserve = reservation };
FIXTURE_VARIANT_ADD(fault, commit_fixed) { map_within, 2, .reserve = reservation };
FIXTURE_VARIANT_ADD(fault, commit_bss) { map_within, 0, .reserve = library };

/* Is what became of the heap one of the outcomes of a call that was hit? */
static bool is_outcome(bool succeeded, long grown, long pages, long kept, long gap)
{
	if (succeeded)
		return grown == pages || grown == pages + kept;
	return grown == 0 || grown == gap;
}

/* A VMA at the end of the break with which no growth of it merges. */
static bool split_break(void)
{
	uintptr_t end = sys_brk(0);

	return sys_brk(end + page_size) == end + page_size &&
		!mprotect((void *)end, page_size, PROT_READ);
}

/* SIZE bytes of heap that cannot grow in place. */
static char *some_heap(bool split)
{
	char *p = mmap(NULL, SIZE + page_size, RW, ANON, -1, 0);

	if (p == MAP_FAILED ||
	    mmap(p + SIZE, page_size, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0) == MAP_FAILED ||
	    (split && (mprotect(p + 8 * page_size, page_size, PROT_READ) || !split_break())))
		return NULL;
	*p = 1;
	return p;
}

TEST_F_TIMEOUT(fault, every_allocation, 900)
{
	const int rounds = variant->rounds ?: ROUNDS;
	int failures = 0, kept = 0, gaps = 0, calls = 0;

	for (int round = 0; round < rounds; round++) {
		bool hit = true, succeeded = false;
		int n;

		/* Which allocations a call makes depends on how full a node is. */
		ASSERT_EQ(0, set_limit(RLIM_INFINITY));
		ASSERT_NE(MAP_FAILED, mmap(NULL, page_size, PROT_NONE,
					   MAP_SHARED | MAP_ANONYMOUS, -1, 0));
		for (n = 1; hit && n < MANY; n++, calls++) {
			long heap, grown;
			char *p;

			ASSERT_EQ(0, set_limit(RLIM_INFINITY));
			p = variant->reserve ? variant->reserve() : some_heap(variant->split);
			ASSERT_NE(NULL, p);
			heap = total_heap();
			ASSERT_EQ(0, allow_pages(variant->pages > 0 ? variant->pages : 0));

			hit = with_fault(n, variant->call, p, &succeeded);
			ASSERT_EXACT();
			grown = total_heap() - heap;
			ASSERT_TRUE(is_outcome(succeeded, grown, variant->pages,
					       hit ? variant->kept : 0,
					       hit ? variant->gap : 0)) {
				TH_LOG("allocation %d failed: %s, grown %ld pages", n,
				       succeeded ? "success" : "error", grown);
			}
			failures += !succeeded;
			kept += succeeded && grown != variant->pages;
			gaps += !succeeded && grown;
			munmap(p, SIZE + (variant->reserve ? 0 : page_size));
		}
		/* The last one ran to its end. */
		ASSERT_FALSE(hit);
		ASSERT_TRUE(succeeded);
	}
	/* Of brk(2) no more than one in each round on 7.3. */
	ASSERT_GE(failures, rounds);
	TH_LOG("%d calls, %d failed, %d of them with a gap, %d kept what they moved",
	       calls, failures, gaps, kept);
}

TEST_HARNESS_MAIN
