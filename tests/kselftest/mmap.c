// SPDX-License-Identifier: GPL-2.0-only
/* Which mappings are heap, up to which size, and how they are given back. */

#define _GNU_SOURCE
#include <linux/memfd.h>
#include <sys/ipc.h>
#include <sys/shm.h>

#include "kselftest_harness.h"
#include "heap.h"

#ifndef SHADOW_STACK_SET_TOKEN
#define SHADOW_STACK_SET_TOKEN 1
#endif
#ifndef SYS_map_shadow_stack
#define SYS_map_shadow_stack 453
#endif

#define PAGES 16
#define SIZE (PAGES * page_size)

FIXTURE(mmap)
{
	long heap;
};

FIXTURE_SETUP(mmap)
{
	self->heap = total_heap();
	ASSERT_GE(self->heap, 0);
}

FIXTURE_TEARDOWN(mmap)
{
	ASSERT_EXACT();
}

/* An address range that nothing uses. */
static void *free_range(void)
{
	void *p = mmap(NULL, SIZE, PROT_NONE, ANON, -1, 0);

	munmap(p, SIZE);
	return p;
}

FIXTURE(anonymous) {};
FIXTURE_SETUP(anonymous) {}
FIXTURE_TEARDOWN(anonymous) { ASSERT_EXACT(); }

FIXTURE_VARIANT(anonymous)
{
	int prot;
	int flags;
	uintptr_t hint;
	long counted;
};

FIXTURE_VARIANT_ADD(anonymous, private) { RW, MAP_PRIVATE, 0, PAGES };
FIXTURE_VARIANT_ADD(anonymous, shared) { RW, MAP_SHARED, 0, PAGES };
FIXTURE_VARIANT_ADD(anonymous, prot_none) { PROT_NONE, MAP_PRIVATE, 0, PAGES };
FIXTURE_VARIANT_ADD(anonymous, read_only) { PROT_READ, MAP_PRIVATE, 0, PAGES };
FIXTURE_VARIANT_ADD(anonymous, noreserve) { RW, MAP_PRIVATE | MAP_NORESERVE, 0, PAGES };
FIXTURE_VARIANT_ADD(anonymous, stack) { RW, MAP_PRIVATE | MAP_STACK, 0, PAGES };
FIXTURE_VARIANT_ADD(anonymous, growsdown) { RW, MAP_PRIVATE | MAP_GROWSDOWN, 0, PAGES };
FIXTURE_VARIANT_ADD(anonymous, hint_below_a_page) { RW, MAP_PRIVATE, 4095, PAGES };
FIXTURE_VARIANT_ADD(anonymous, hint) { RW, MAP_PRIVATE, 0xc000000000, 0 };
FIXTURE_VARIANT_ADD(anonymous, shared_hint) { RW, MAP_SHARED, 0xc000000000, 0 };
FIXTURE_VARIANT_ADD(anonymous, fixed) { RW, MAP_PRIVATE | MAP_FIXED, 0xc000000000, 0 };
FIXTURE_VARIANT_ADD(anonymous, fixed_noreplace) {
	RW, MAP_PRIVATE | MAP_FIXED_NOREPLACE, 0xc000000000, 0
};

TEST_F(anonymous, counts)
{
	void *hint = (void *)variant->hint;
	int flags = variant->flags | MAP_ANONYMOUS;
	long heap = total_heap();
	void *p;

	p = mmap(hint, SIZE, variant->prot, flags, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(heap + variant->counted, total_heap());
	ASSERT_EXACT();
	ASSERT_EQ(0, munmap(p, SIZE));
	ASSERT_EQ(heap, total_heap());

	/* What is free is free under any limit; the rest is judged. */
	ASSERT_EQ(0, set_limit(0));
	p = mmap(hint, SIZE, variant->prot, flags, -1, 0);
	if (variant->counted) {
		ASSERT_EQ(MAP_FAILED, p);
		ASSERT_EQ(ENOMEM, errno);
	} else {
		ASSERT_NE(MAP_FAILED, p);
	}
	ASSERT_EQ(heap, total_heap());
}

TEST_F(mmap, up_to_the_limit)
{
	void *p;

	ASSERT_EQ(0, allow_pages(PAGES));
	p = mmap(NULL, SIZE + page_size, RW, ANON, -1, 0);
	ASSERT_EQ(MAP_FAILED, p);
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(self->heap, total_heap());

	p = mmap(NULL, SIZE - page_size, RW, ANON, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, munmap(p, SIZE - page_size));

	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EQ(MAP_FAILED, mmap(NULL, 1, RW, ANON, -1, 0));
	ASSERT_EQ(ENOMEM, errno);
}

TEST_F(mmap, huge_requests)
{
	const size_t sizes[] = {
		SIZE_MAX, SIZE_MAX - 4095, SIZE_MAX / 2, (size_t)1 << 63,
		(size_t)1 << 48,
	};
	const rlim_t limits[] = { RLIM_INFINITY, RLIM_INFINITY - 1, 0 };

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, set_limit(limits[i]));
		for (int j = 0; j < 5; j++) {
			ASSERT_EQ(MAP_FAILED, mmap(NULL, sizes[j], RW,
						   ANON | MAP_NORESERVE, -1, 0));
			ASSERT_EQ(ENOMEM, errno);
			ASSERT_EQ(self->heap, total_heap());
		}
	}
}

TEST_F(mmap, a_limit_near_infinity_refuses_nothing_that_fits)
{
	ASSERT_EQ(0, set_limit(RLIM_INFINITY - 1));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

TEST_F(mmap, munmap_in_parts)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, munmap(p, page_size));
	ASSERT_EQ(self->heap + PAGES - 1, total_heap());
	ASSERT_EQ(0, munmap(p + SIZE - page_size, page_size));
	ASSERT_EQ(self->heap + PAGES - 2, total_heap());
	ASSERT_EQ(0, munmap(p + 4 * page_size, 2 * page_size));
	ASSERT_EQ(self->heap + PAGES - 4, total_heap());
	ASSERT_EXACT();
	/* With the holes in it. */
	ASSERT_EQ(0, munmap(p, SIZE));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(mmap, munmap_of_several_vmas_and_holes)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, munmap(p + 2 * page_size, page_size));
	ASSERT_EQ(0, mprotect(p + 4 * page_size, page_size, PROT_READ));
	ASSERT_NE(MAP_FAILED, mmap(p + 6 * page_size, page_size, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(self->heap + PAGES - 2, total_heap());
	/* From within the first to within the last. */
	ASSERT_EQ(0, munmap(p + page_size, SIZE - 2 * page_size));
	ASSERT_EQ(self->heap + 2, total_heap());
	ASSERT_EXACT();
	ASSERT_EQ(0, munmap(p, SIZE));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(mmap, munmap_above_a_lowered_limit)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(0, munmap(p + page_size, page_size));
	ASSERT_EQ(0, munmap(p, SIZE));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(mmap, fixed_over_heap_gives_back)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);
	char *q;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, set_limit(0));
	q = mmap(p + page_size, 2 * page_size, RW, ANON | MAP_FIXED, -1, 0);
	ASSERT_EQ(p + page_size, q);
	ASSERT_EQ(self->heap + PAGES - 2, total_heap());
}

TEST_F(mmap, refused_growth_leaves_vmas_alone)
{
	int before, after;

	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	heap_vma_pages(&before);
	ASSERT_EQ(0, allow_pages(0));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, page_size, RW, ANON, -1, 0));
	heap_vma_pages(&after);
	ASSERT_EQ(before, after);
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

TEST_F(mmap, protection_advice_and_locks_change_nothing)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);
	char *middle = p + 4 * page_size;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(0, mprotect(middle, page_size, PROT_NONE));
	ASSERT_EQ(0, mprotect(middle, page_size, RW));
	ASSERT_EQ(0, mprotect(middle, 2 * page_size, PROT_READ));
	ASSERT_EQ(0, madvise(p, SIZE, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(middle, page_size, MADV_DONTFORK));
	ASSERT_EQ(0, mlock(p, 2 * page_size));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EXACT();
	ASSERT_EQ(0, munmap(p, SIZE));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(mmap, mprotect_cannot_pass_rlimit_data)
{
	struct rlimit none = { 0, 0 };
	char *p = mmap(NULL, SIZE, PROT_READ, ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(0, setrlimit(RLIMIT_DATA, &none));
	ASSERT_EQ(-1, mprotect(p, SIZE, RW));
	ASSERT_EQ(ENOMEM, errno);
}

static ssize_t read_one_byte(char *to)
{
	int fd = open("/dev/zero", O_RDONLY);

	return fd < 0 ? -2 : read(fd, to, 1);
}

TEST_F(mmap, growing_down_is_judged)
{
	char *p = mmap(NULL, SIZE, RW, ANON | MAP_GROWSDOWN, -1, 0);
	char *low;

	/* Room below, beyond the stack guard gap. */
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, munmap(p, SIZE));
	low = mmap(NULL, SIZE + (4 << 20), PROT_NONE, ANON, -1, 0);
	ASSERT_NE(MAP_FAILED, low);
	ASSERT_EQ(0, munmap(low, SIZE + (4 << 20)));
	p = mmap(NULL, SIZE, RW, ANON | MAP_GROWSDOWN, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	*p = 1;
	ASSERT_EQ(self->heap + PAGES, total_heap());

	ASSERT_TRUE(IN_CHILD((p[-1] = 1) && total_heap() == self->heap + PAGES + 1 &&
			     heap_vma_pages(NULL) == total_heap()));
	ASSERT_EQ(0, allow_pages(0));
	/* The kernel ends who cannot grow its stack, and fails calls that would. */
	ASSERT_FALSE(IN_CHILD((p[-1] = 1)));
	ASSERT_TRUE(IN_CHILD(read_one_byte(p - 1) == -1 && errno == EFAULT &&
			     total_heap() == self->heap + PAGES));
}

TEST_F(mmap, files_are_free)
{
	int zero = open("/dev/zero", O_RDWR);
	int self_exe = open("/proc/self/exe", O_RDONLY);
	int memfd = memfd_create("memfd", 0);
	int shmid = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);

	ASSERT_GE(zero, 0);
	ASSERT_GE(self_exe, 0);
	ASSERT_GE(memfd, 0);
	ASSERT_GE(shmid, 0);
	ASSERT_EQ(0, ftruncate(memfd, SIZE));

	ASSERT_EQ(0, set_limit(0));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, self_exe, 0));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, MAP_PRIVATE, self_exe, 0));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, MAP_SHARED, memfd, 0));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, MAP_PRIVATE, memfd, 0));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, MAP_PRIVATE, zero, 0));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, MAP_SHARED, zero, 0));
	ASSERT_NE((void *)-1, shmat(shmid, NULL, 0));
	ASSERT_EQ(0, shmctl(shmid, IPC_RMID, NULL));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(mmap, huge_pages_are_free)
{
	size_t huge = 2 << 20;
	void *p;

	ASSERT_EQ(0, set_limit(0));
	p = mmap(NULL, huge, RW, ANON | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		SKIP(return, "no huge pages: %s", strerror(errno));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(mmap, shadow_stacks_are_free)
{
	long p;

	ASSERT_EQ(0, set_limit(0));
	p = syscall(SYS_map_shadow_stack, 0, SIZE, SHADOW_STACK_SET_TOKEN);
	if (p == -1 && errno != ENOMEM)
		SKIP(return, "this CPU has no shadow stacks");
	ASSERT_NE(-1, p);
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(mmap, remap_file_pages_leaves_heap_heap)
{
	char *p = mmap(NULL, SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(self->heap + PAGES, total_heap());
	/* Heap replaces heap: no growth, so no limit. */
	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(0, syscall(SYS_remap_file_pages, p, 2 * page_size, 0, 8, 0));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EXACT();
	ASSERT_EQ(0, munmap(p, SIZE));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(mmap, fixed_at_a_free_range_is_free)
{
	void *p = free_range();

	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(p, mmap(p, SIZE, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(self->heap, total_heap());
	/* It does not become heap by growing. */
	ASSERT_NE(MAP_FAILED, mremap(p, SIZE, 2 * SIZE, MREMAP_MAYMOVE));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_HARNESS_MAIN
