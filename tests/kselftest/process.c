// SPDX-License-Identifier: GPL-2.0-only
/* Who has which count: threads, fork and vfork. */

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>

#include "kselftest_harness.h"
#include "heap.h"

#define PAGES 16
#define SIZE (PAGES * page_size)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS)
#define THREADS 4
#define ROUNDS 2000

FIXTURE(process)
{
	long heap;
	char *p;
};

FIXTURE_VARIANT(process)
{
	const char *policy;
	long shared;	/* pages that count of PAGES that are shared */
};

FIXTURE_VARIANT_ADD(process, addr0) { "addr0", PAGES };
FIXTURE_VARIANT_ADD(process, commit) { "commit", 0 };
FIXTURE_VARIANT_ADD(process, resident) { "resident", 0 };

FIXTURE_SETUP(process)
{
	ASSERT_TRUE(set_policy(variant->policy));
	self->heap = total_heap();
	self->p = mmap(NULL, SIZE, RW, ANON, -1, 0);
	ASSERT_NE(MAP_FAILED, self->p);
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

FIXTURE_TEARDOWN(process)
{
	ASSERT_EXACT();
	ASSERT_TRUE(set_policy("addr0"));
}

TEST_F(process, a_child_starts_with_what_it_got)
{
	long heap = total_heap();

	ASSERT_TRUE(IN_CHILD(total_heap() == heap && heap_vma_pages(NULL) == heap));
}

TEST_F(process, a_child_counts_by_itself)
{
	ASSERT_TRUE(IN_CHILD(munmap(self->p, SIZE) == 0 && total_heap() == self->heap &&
			     heap_vma_pages(NULL) == self->heap));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

TEST_F(process, a_child_under_a_lowered_limit)
{
	ASSERT_EQ(0, set_limit(0));
	ASSERT_TRUE(IN_CHILD(total_heap() == self->heap + PAGES &&
			     mmap(NULL, 1, RW, ANON, -1, 0) == MAP_FAILED &&
			     munmap(self->p, SIZE) == 0));
}

TEST_F(process, dontfork_is_not_inherited)
{
	ASSERT_EQ(0, madvise(self->p + page_size, 3 * page_size, MADV_DONTFORK));
	ASSERT_TRUE(IN_CHILD(total_heap() == self->heap + PAGES - 3 &&
			     heap_vma_pages(NULL) == total_heap()));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

TEST_F(process, wipeonfork_is_inherited)
{
	ASSERT_EQ(0, madvise(self->p, SIZE, MADV_WIPEONFORK));
	ASSERT_TRUE(IN_CHILD(total_heap() == self->heap + PAGES &&
			     heap_vma_pages(NULL) == total_heap()));
}

/* A child gets no copy of it; the parent goes on counting it. */
TEST_F(process, shared_memory_is_counted_once)
{
	char *shared = mmap(NULL, SIZE, RW, SHARED, -1, 0);

	ASSERT_NE(MAP_FAILED, shared);
	ASSERT_EQ(self->heap + PAGES + variant->shared, total_heap());
	ASSERT_TRUE(IN_CHILD(total_heap() == self->heap + PAGES &&
			     heap_vma_pages(NULL) == total_heap() &&
			     munmap(shared, page_size) == 0 &&
			     total_heap() == self->heap + PAGES));
	ASSERT_EQ(self->heap + PAGES + variant->shared, total_heap());
}

TEST_F(process, vfork_shares_the_count)
{
	volatile bool counted = false;
	pid_t pid = vfork();

	ASSERT_GE(pid, 0);
	if (pid == 0) {
		mmap(NULL, SIZE, RW, ANON, -1, 0);
		mmap(NULL, SIZE, RW, SHARED, -1, 0);
		counted = total_heap() == self->heap + 2 * PAGES + variant->shared;
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, NULL, 0));
	ASSERT_TRUE(counted);
	ASSERT_EQ(self->heap + 2 * PAGES + variant->shared, total_heap());
}

/* A process of its own, with limits of its own, in the memory of another. */
static int map_in_clone(void *unused)
{
	char *p = mmap(NULL, SIZE, RW, SHARED, -1, 0);

	return p == MAP_FAILED || set_limit(0) ||
	       mmap(NULL, SIZE, RW, ANON, -1, 0) != MAP_FAILED || errno != ENOMEM;
}

TEST_F(process, clone_vm_shares_the_count_not_the_limit)
{
	static char stack[1 << 16];
	int status;
	pid_t pid = clone(map_in_clone, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);

	ASSERT_GE(pid, 0);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_EQ(self->heap + PAGES + variant->shared, total_heap());
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(self->heap + 2 * PAGES + variant->shared, total_heap());
}

static void *map_in_thread(void *unused)
{
	return mmap(NULL, SIZE, RW, ANON, -1, 0);
}

TEST_F(process, threads_share_the_count)
{
	pthread_t thread;
	void *p;

	ASSERT_EQ(0, pthread_create(&thread, NULL, map_in_thread, NULL));
	ASSERT_EQ(0, pthread_join(thread, &p));
	ASSERT_NE(MAP_FAILED, p);
	/* Its stack, which glibc keeps, is anonymous memory too. */
	ASSERT_GE(total_heap(), self->heap + 2 * PAGES);
	ASSERT_EXACT();
}

/* Maps, grows and unmaps. */
static void *storm(void *unused)
{
	for (int i = 0; i < ROUNDS; i++) {
		char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

		if (p == MAP_FAILED)
			continue;
		p = mremap(p, SIZE, 2 * SIZE, MREMAP_MAYMOVE);
		if (p == MAP_FAILED)
			return (void *)1;
		if (munmap(p + page_size, page_size) || munmap(p, 2 * SIZE))
			return (void *)1;
	}
	return NULL;
}

TEST_F_TIMEOUT(process, a_storm_of_threads_loses_nothing, 300)
{
	pthread_t threads[THREADS];
	long heap;
	void *failed;

	/* All stacks exist, and stay, before the count is taken. */
	for (int i = 0; i < 2; i++) {
		heap = total_heap();
		for (int j = 0; j < THREADS; j++)
			ASSERT_EQ(0, pthread_create(&threads[j], NULL, storm, NULL));
		for (int j = 0; j < THREADS; j++) {
			ASSERT_EQ(0, pthread_join(threads[j], &failed));
			ASSERT_EQ(NULL, failed);
		}
	}
	ASSERT_EQ(heap, total_heap());
}

TEST_HARNESS_MAIN
