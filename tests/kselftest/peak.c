// SPDX-License-Identifier: GPL-2.0-only
/* VmHeapPeak: the most that the heap has been, as VmPeak is of all mappings. */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "kselftest_harness.h"
#include "heap.h"

#define PAGES 16
#define SIZE (PAGES * page_size)
#define FARTHER (FAR + MIB)

FIXTURE(peak)
{
	long heap;	/* where it is, which no peak of before hides */
};

FIXTURE_SETUP(peak)
{
	void *up = mmap(NULL, 256 * MIB, RW, ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, up);
	self->heap = total_heap();
	ASSERT_EQ(self->heap, peak_heap());
}

FIXTURE_TEARDOWN(peak)
{
	ASSERT_LE(total_heap(), peak_heap());
	ASSERT_EXACT();
}

TEST_F(peak, follows_growth_and_stays)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_EQ(self->heap + PAGES, peak_heap());
	ASSERT_EQ(0, munmap(p, SIZE / 2));
	ASSERT_EQ(self->heap + PAGES, peak_heap());
	ASSERT_EQ(self->heap + PAGES / 2, total_heap());
	/* Up again, by less: no new peak. */
	ASSERT_NE(MAP_FAILED, mmap(NULL, page_size, RW, ANON, -1, 0));
	ASSERT_EQ(self->heap + PAGES, peak_heap());
	/* And above it. */
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(self->heap + PAGES / 2 + 1 + PAGES, peak_heap());
	ASSERT_EQ(total_heap(), peak_heap());
}

TEST_F(peak, of_the_break)
{
	uintptr_t old = (sys_brk(0) + page_size - 1) & -page_size;

	ASSERT_EQ(old + SIZE, sys_brk(old + SIZE));
	ASSERT_EQ(old, sys_brk(old));
	ASSERT_EQ(self->heap, total_heap());
	ASSERT_EQ(self->heap + PAGES, peak_heap());
}

/* Memory that moves counts once, at each moment. */
TEST_F(peak, of_a_move_is_no_sum)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_EQ(FAR, mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, FAR));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EQ(self->heap + PAGES, peak_heap());
	p = mremap(FAR, SIZE, SIZE + page_size, MREMAP_MAYMOVE | MREMAP_FIXED, FARTHER);
	ASSERT_EQ(FARTHER, p);
	ASSERT_EQ(self->heap + PAGES + 1, total_heap());
	ASSERT_EQ(self->heap + PAGES + 1, peak_heap());
}

static atomic_bool moving;

/* The most heap that is seen while it moves, or the least if that is wrong. */
static void *watch(void *heap)
{
	long is = *(long *)heap, worst = is;

	while (atomic_load(&moving)) {
		long seen = total_heap();

		if (seen != is)
			worst = seen;
	}
	return (void *)worst;
}

TEST_F_TIMEOUT(peak, of_a_move_is_no_sum_to_others, 120)
{
	const size_t size = 256 * MIB;
	pthread_t watcher;
	void *worst;
	char *p;
	long heap;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");
	atomic_store(&moving, true);
	/* Its stack and its arena are there before anything is counted. */
	heap = total_heap();
	ASSERT_EQ(0, pthread_create(&watcher, NULL, watch, &heap));
	atomic_store(&moving, false);
	ASSERT_EQ(0, pthread_join(watcher, &worst));

	p = mmap(NULL, size, RW, ANON | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	heap = total_heap();
	atomic_store(&moving, true);
	ASSERT_EQ(0, pthread_create(&watcher, NULL, watch, &heap));
	/* For some seconds, on any machine. */
	for (time_t i = 0, end = time(NULL) + 4; time(NULL) < end; i++) {
		char *to = i % 2 ? FAR : FAR + size;

		ASSERT_EQ(to, mremap(p, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to));
		p = to;
	}
	atomic_store(&moving, false);
	ASSERT_EQ(0, pthread_join(watcher, &worst));
	ASSERT_EQ(heap, (long)worst);
	ASSERT_EQ(heap, peak_heap());
}

/* After a peak that was higher, a move leaves that. */
TEST_F(peak, from_before_outlives_a_move)
{
	char *high = mmap(NULL, 4 * SIZE, RW, ANON, -1, 0);
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_EQ(0, munmap(high, 4 * SIZE));
	ASSERT_EQ(high, mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, high));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EQ(self->heap + 5 * PAGES, peak_heap());
}

TEST_F(peak, of_dontunmap_is_the_sum)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL));
	ASSERT_EQ(self->heap + 2 * PAGES, peak_heap());
}

TEST_F(peak, of_heap_over_heap_is_no_sum)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_TRUE(set_policy("commit"));
	ASSERT_EQ(p, mmap(p, SIZE, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_TRUE(set_policy("addr0"));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EQ(self->heap + PAGES, peak_heap());
}

TEST_F(peak, does_not_rise_with_what_is_refused)
{
	ASSERT_EQ(0, allow_pages(PAGES - 1));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(self->heap, peak_heap());
}

/* A child has been no higher than it begins. */
TEST_F(peak, begins_anew_with_fork)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);
	char *q = mmap(NULL, SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *r = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_EQ(0, madvise(r, SIZE, MADV_DONTFORK));
	ASSERT_NE(MAP_FAILED, q);
	ASSERT_EQ(0, munmap(p, SIZE));
	ASSERT_EQ(self->heap + 3 * PAGES, peak_heap());
	ASSERT_TRUE(IN_CHILD(peak_heap() == self->heap && total_heap() == self->heap));
	ASSERT_EQ(self->heap + 3 * PAGES, peak_heap());
}

/* What a program sees of itself first thing after exec. */
static long peak_after_exec(void)
{
	char buf[4096] = "", *line;
	int fds[2];
	pid_t pid;
	ssize_t n, len = 0;

	if (pipe(fds))
		return -1;
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		execl("/bin/busybox", "cat", "/proc/self/status", NULL);
		_exit(1);
	}
	close(fds[1]);
	while ((n = read(fds[0], buf + len, sizeof(buf) - 1 - len)) > 0)
		len += n;
	close(fds[0]);
	waitpid(pid, NULL, 0);
	line = strstr(buf, "VmHeapPeak:");
	return line ? atol(line + 11) * 1024 / page_size : -1;
}

TEST_F(peak, begins_anew_with_exec)
{
	long peak = peak_after_exec();

	ASSERT_LT(0, peak);
	ASSERT_GT(16 * MIB / page_size, peak);
}

static void *grow_until(void *done)
{
	while (!*(volatile bool *)done)
		mmap(NULL, page_size, RW, ANON, -1, 0);
	return NULL;
}

/* Both are read while the heap changes, and shown as one. */
TEST_F_TIMEOUT(peak, is_no_less_than_the_heap_beside_it, 300)
{
	volatile bool done = false;
	pthread_t thread;

	ASSERT_EQ(0, pthread_create(&thread, NULL, grow_until, (void *)&done));
	for (int i = 0; i < 5000; i++) {
		char *status = read_proc("/proc/self/status");
		char *peak = strstr(status, "VmHeapPeak:");
		char *heap = strstr(status, "VmHeap:");

		ASSERT_LE(atol(heap + 7), atol(peak + 11));
	}
	done = true;
	ASSERT_EQ(0, pthread_join(thread, NULL));
}

TEST_HARNESS_MAIN
