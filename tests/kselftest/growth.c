// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each way in which a heap grows, and what is said of it: that it was refused, would
 * have been but for an audit, or came near to that. Once, whatever asks.
 */

#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>

#include "kselftest_harness.h"
#include "heap.h"
#include "trace.h"

#define GROWTH 16	/* pages */

enum way { BRK, MMAP, OVER, IN_PLACE, MOVE, ONTO, DONTUNMAP, MPROTECT, SEVERAL, FAULT };

/* What the ways work on; made before there is a limit. */
struct ground {
	char *p;
	size_t size;
	uintptr_t brk;
};

/*
 * Mappings that do not merge with others, by their protection: heap of GROWTH
 * pages at p, with as much room behind it but for MOVE, and reservations.
 */
static bool prepare(struct ground *ground, enum way way)
{
	const int prot = PROT_WRITE | PROT_EXEC;
	size_t size = GROWTH * page_size;
	char *p = mmap(NULL, 4 * size, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *heap;

	/* Addresses that are free, and stay it. */
	if (p == MAP_FAILED || munmap(p, 4 * size))
		return false;
	ground->size = size;
	ground->p = p;
	ground->brk = (sys_brk(0) + page_size - 1) & -page_size;
	switch (way) {
	case BRK:
		return sys_brk(ground->brk) == ground->brk;
	case MMAP:
		return true;
	case MPROTECT:
		return mmap(p, size, PROT_NONE, ANON | MAP_FIXED, -1, 0) == p;
	case SEVERAL:	/* of them */
		for (int i = 0; i < GROWTH; i += 4)
			if (mmap(p + i * page_size, 4 * page_size, i % 8 ? PROT_NONE : PROT_READ,
				 ANON | MAP_FIXED, -1, 0) == MAP_FAILED)
				return false;
		return true;
	case FAULT:
		heap = mmap(NULL, page_size, prot | PROT_READ, ANON | MAP_GROWSDOWN, -1, 0);
		/* Away from what is below it, where the guard gap ends growth. */
		return heap != MAP_FAILED &&
			mremap(heap, page_size, page_size, MREMAP_MAYMOVE | MREMAP_FIXED,
			       FAR) != MAP_FAILED;
	default:
		heap = mmap(NULL, size, prot, ANON, -1, 0);
		if (heap == MAP_FAILED ||
		    mremap(heap, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, p) != p)
			return false;
	}
	switch (way) {
	case OVER:	/* heap, by a half */
	case MOVE:
		return mmap(p + size, size, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1,
			    0) == p + size;
	case ONTO:	/* heap of a page */
		heap = mmap(NULL, page_size, prot, ANON, -1, 0);
		return mremap(heap, page_size, page_size, MREMAP_MAYMOVE | MREMAP_FIXED,
			      p + 2 * size) == p + 2 * size;
	default:
		return true;
	}
}

static sigjmp_buf after_fault;

static void on_sigsegv(int sig)
{
	siglongjmp(after_fault, 1);
}

/* Touches memory; false if that is a SIGSEGV. */
static bool touch(char *p)
{
	signal(SIGSEGV, on_sigsegv);
	if (sigsetjmp(after_fault, 1))
		return false;
	*(volatile char *)p = 1;
	return true;
}

/* Makes the heap grow by GROWTH pages; false if it is refused. */
static bool grow(const struct ground *ground, enum way way)
{
	const int prot = PROT_WRITE | PROT_EXEC;
	size_t size = ground->size;
	char *p = ground->p;

	switch (way) {
	case BRK:
		return sys_brk(ground->brk + size) == ground->brk + size;
	case MMAP:
		return mmap(NULL, size, prot, ANON, -1, 0) != MAP_FAILED;
	case OVER:
		return mmap(p, 2 * size, prot, ANON | MAP_FIXED, -1, 0) == p;
	case IN_PLACE:
		return mremap(p, size, 2 * size, 0) == p;
	case MOVE:
		return mremap(p, size, 2 * size, MREMAP_MAYMOVE) != MAP_FAILED;
	case ONTO:
		return mremap(p, size, 2 * size, MREMAP_MAYMOVE | MREMAP_FIXED, p + 2 * size) ==
			p + 2 * size;
	case DONTUNMAP:
		return mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL) !=
			MAP_FAILED;
	case MPROTECT:
	case SEVERAL:
		return mprotect(p, size, RW) == 0;
	case FAULT:
		return touch(FAR - size);
	}
	return false;
}

FIXTURE(growth)
{
	struct ground ground;
	long heap;	/* when the way asks: one makes room before */
	long refused, would_refuse;	/* of all */
};

FIXTURE_VARIANT(growth)
{
	enum way way;
	const char *what;	/* as the trace names it */
	const char *policy;	/* under which it is one */
};

FIXTURE_VARIANT_ADD(growth, brk) { BRK, "brk", "addr0" };
FIXTURE_VARIANT_ADD(growth, mmap) { MMAP, "mmap", "addr0" };
FIXTURE_VARIANT_ADD(growth, mmap_over_heap) { OVER, "mmap", "commit" };
FIXTURE_VARIANT_ADD(growth, mremap_in_place) { IN_PLACE, "mremap", "addr0" };
FIXTURE_VARIANT_ADD(growth, mremap_by_move) { MOVE, "mremap", "addr0" };
FIXTURE_VARIANT_ADD(growth, mremap_onto_heap) { ONTO, "mremap", "addr0" };
FIXTURE_VARIANT_ADD(growth, mremap_dontunmap) { DONTUNMAP, "mremap", "addr0" };
FIXTURE_VARIANT_ADD(growth, mprotect) { MPROTECT, "mprotect", "commit" };
FIXTURE_VARIANT_ADD(growth, mprotect_several) { SEVERAL, "mprotect", "commit" };
FIXTURE_VARIANT_ADD(growth, fault) { FAULT, "fault", "addr0" };

static long all(const char *name)
{
	return proc_number("/proc/vmstat", name);
}

FIXTURE_SETUP(growth)
{
	ASSERT_TRUE(trace_start());
	ASSERT_TRUE(set_policy(variant->policy));
	/* More than grows: from just above a half of the limit, growth ends below it. */
	ASSERT_NE(MAP_FAILED, mmap(NULL, 2 * GROWTH * page_size, PROT_WRITE, ANON, -1, 0));
	ASSERT_TRUE(prepare(&self->ground, variant->way));
	self->heap = total_heap() - (variant->way == ONTO);
	self->refused = all("heap_refused ");
	self->would_refuse = all("heap_would_refuse ");
}

FIXTURE_TEARDOWN(growth)
{
	trace_stop();
	ASSERT_TRUE(write_file(THRESHOLD_FILE, "90"));
	ASSERT_TRUE(set_mode("enforce"));
	ASSERT_TRUE(set_policy("addr0"));
	ASSERT_EXACT();
}

TEST_F(growth, refused_is_said_once)
{
	/* Of several mappings it is the last that does not fit. */
	long before = variant->way == SEVERAL ? GROWTH - 4 : 0;
	const char *said;

	ASSERT_EQ(0, set_limit((self->heap + GROWTH - 1) * page_size));
	ASSERT_FALSE(grow(&self->ground, variant->way));
	said = fields(variant->what, GROWTH - before, self->heap + before,
		      self->heap + GROWTH - 1, variant->policy);
	ASSERT_EQ(1, traced("heap_refused: ", said));
	ASSERT_EQ(1, traced("heap_refused: ", ""));
	ASSERT_EQ(1, heap_refused());
	ASSERT_EQ(self->refused + 1, all("heap_refused "));

	/* And again, while what fits is nothing to speak of. */
	ASSERT_FALSE(grow(&self->ground, variant->way));
	ASSERT_EQ(2, heap_refused());
	ASSERT_EQ(self->refused + 2, all("heap_refused "));
	ASSERT_EQ(0, set_limit((self->heap + 2 * GROWTH) * page_size));
	ASSERT_TRUE(grow(&self->ground, variant->way));
	ASSERT_EQ(2, heap_refused());
	ASSERT_EQ(self->refused + 2, all("heap_refused "));
	ASSERT_EQ(0, traced("heap_would_refuse: ", ""));
	ASSERT_EQ(0, heap_would_refuse());
	ASSERT_EQ(self->would_refuse, all("heap_would_refuse "));
}

/* Just when the limit would have refused it. */
TEST_F(growth, let_pass_by_an_audit_is_said_once)
{
	const char *said;

	ASSERT_TRUE(set_mode("audit"));
	ASSERT_EQ(0, set_limit((self->heap + GROWTH - 1) * page_size));
	ASSERT_TRUE(grow(&self->ground, variant->way));
	ASSERT_EQ(self->heap + GROWTH, total_heap());
	said = fields(variant->what, GROWTH, self->heap, self->heap + GROWTH - 1,
		      variant->policy);
	ASSERT_EQ(1, traced("heap_would_refuse: ", said));
	ASSERT_EQ(1, traced("heap_would_refuse: ", ""));
	ASSERT_EQ(1, heap_would_refuse());
	ASSERT_EQ(self->would_refuse + 1, all("heap_would_refuse "));
	/* Apart from real ones. */
	ASSERT_EQ(0, traced("heap_refused: ", ""));
	ASSERT_EQ(0, heap_refused());
	ASSERT_EQ(self->refused, all("heap_refused "));
}

TEST_F(growth, within_the_limit_is_nothing_to_an_audit)
{
	ASSERT_TRUE(set_mode("audit"));
	ASSERT_EQ(0, set_limit((self->heap + GROWTH) * page_size));
	ASSERT_TRUE(grow(&self->ground, variant->way));
	ASSERT_EQ(0, traced("heap_would_refuse: ", ""));
	ASSERT_EQ(0, heap_would_refuse());
	ASSERT_EQ(self->would_refuse, all("heap_would_refuse "));
}

/* Sets the limit so that a half of it is so many pages. */
static bool set_half(long pages)
{
	return write_file(THRESHOLD_FILE, "50") && set_limit(2 * pages * page_size) == 0;
}

TEST_F(growth, across_the_threshold_is_said_once)
{
	long half = self->heap + GROWTH - 1;
	const char *said;

	ASSERT_TRUE(set_half(half));
	ASSERT_TRUE(grow(&self->ground, variant->way));
	said = fields(variant->what, GROWTH, self->heap, 2 * half, variant->policy);
	ASSERT_EQ(1, traced("heap_crossed: ", said));
	ASSERT_EQ(1, traced("heap_", ""));
}

TEST_F(growth, up_to_the_threshold_is_not_across)
{
	ASSERT_TRUE(set_half(self->heap + GROWTH));
	ASSERT_TRUE(grow(&self->ground, variant->way));
	ASSERT_EQ(0, traced("heap_", ""));
}

TEST_F(growth, above_the_threshold_is_not_across)
{
	ASSERT_TRUE(set_half(self->heap - 1));
	ASSERT_TRUE(grow(&self->ground, variant->way));
	ASSERT_EQ(0, traced("heap_", ""));
}

TEST_HARNESS_MAIN
