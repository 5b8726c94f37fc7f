// SPDX-License-Identifier: GPL-2.0-only
/* What is said of growth that is refused, and of growth that comes near to that. */

#define _GNU_SOURCE
#include <time.h>

#include "kselftest_harness.h"
#include "heap.h"
#include "trace.h"

#define PAGES 16
#define SIZE (PAGES * page_size)

static long all_refused(void)
{
	return proc_number("/proc/vmstat", "heap_refused ");
}

FIXTURE(report)
{
	long all;
};

/* A test that failed may have left it otherwise. */
static bool reset(void)
{
	return write_file(LOG_FILE, "0") && write_file(THRESHOLD_FILE, "90") &&
		set_policy("addr0") && set_mode("enforce");
}

FIXTURE_SETUP(report)
{
	ASSERT_TRUE(reset());
	ASSERT_TRUE(trace_start());
	self->all = all_refused();
}

FIXTURE_TEARDOWN(report)
{
	trace_stop();
	ASSERT_TRUE(reset());
}

TEST_F(report, nothing_of_other_limits)
{
	ASSERT_EQ(0, allow_pages(PAGES));
	ASSERT_EQ(0, setrlimit(RLIMIT_DATA, &(struct rlimit){ 0, RLIM_INFINITY }));
	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &(struct rlimit){ 0, RLIM_INFINITY }));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, 2 * SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, 2 * SIZE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
	ASSERT_EQ(0, heap_refused());
	ASSERT_EQ(self->all, all_refused());
	ASSERT_EQ(0, traced("heap_", ""));
}

TEST_F(report, a_child_begins_with_none)
{
	ASSERT_EQ(0, allow_pages(0));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(1, heap_refused());
	ASSERT_TRUE(IN_CHILD(heap_refused() == 0 &&
			     mmap(NULL, SIZE, RW, ANON, -1, 0) == MAP_FAILED &&
			     heap_refused() == 1));
	ASSERT_EQ(1, heap_refused());
	ASSERT_EQ(self->all + 2, all_refused());
}

static bool refused_to_nobody(void)
{
	return setuid(65534) == 0 && allow_pages(0) == 0 &&
		mmap(NULL, SIZE, RW, ANON, -1, 0) == MAP_FAILED;
}

TEST_F(report, the_user_is_named)
{
	ASSERT_TRUE(IN_CHILD(refused_to_nobody()));
	ASSERT_EQ(1, traced("heap_refused", " uid=65534 "));
}

/* bpftrace, where the kernel has no BTF, knows no others. */
TEST_F(report, fields_of_events_have_types_of_c)
{
	char *format = read_proc(INSTANCE "/events/heap_limit/heap_refused/format");

	ASSERT_NE(NULL, format);
	ASSERT_NE(NULL, strstr(format, " cgroup;"));
	ASSERT_EQ(NULL, strstr(format, "field:u64"));
}

TEST_F(report, the_log_is_off_until_asked_for)
{
	char line[128];

	ASSERT_TRUE(file_is(LOG_FILE, "0\n"));
	ASSERT_EQ(0, allow_pages(PAGES));
	snprintf(line, sizeof(line),
		 "heap_limit: report (%d): VmHeap %lu exceed heap ulimit %lu. Update limits.\n",
		 getpid(), (total_heap() + PAGES + 1) * page_size,
		 (total_heap() + PAGES) * page_size);
	ASSERT_EQ(MAP_FAILED, mmap(NULL, SIZE + 1, RW, ANON, -1, 0));
	ASSERT_EQ(0, logged(line));
	ASSERT_TRUE(write_file(LOG_FILE, "1"));
	/* Others may have used up the rate of some seconds. */
	for (int i = 0; i < 20 && !logged(line); i++) {
		usleep(i * 100000);
		ASSERT_EQ(MAP_FAILED, mmap(NULL, SIZE + 1, RW, ANON, -1, 0));
	}
	ASSERT_EQ(1, logged(line));

	ASSERT_FALSE(write_file(LOG_FILE, "maybe"));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_TRUE(file_is(LOG_FILE, "1\n"));
}

static bool is_refused(int times)
{
	for (int i = 0; i < times; i++)
		if (mmap(NULL, SIZE + 1, RW, ANON, -1, 0) != MAP_FAILED)
			return false;
	return true;
}

TEST_F(report, who_is_refused_all_the_time_does_not_hide_others)
{
	char line[64];
	int said;

	ASSERT_TRUE(write_file(LOG_FILE, "1"));
	ASSERT_EQ(0, allow_pages(PAGES));
	ASSERT_TRUE(IN_CHILD(is_refused(500)));
	for (int i = 0; i < 5; i++)
		ASSERT_TRUE(IN_CHILD(({
			snprintf(line, sizeof(line), "heap_limit: report (%d): VmHeap ", getpid());
			is_refused(20) && (said = logged(line)) >= 1 && said <= 10;
		})));
}

/* --- Crossings. --- */

TEST_F(report, each_crossing_anew)
{
	long heap = total_heap();
	char *p;

	ASSERT_EQ(0, set_limit((heap + PAGES) * page_size * 10 / 9));
	for (int i = 1; i <= 3; i++) {
		p = mmap(NULL, SIZE + page_size, RW, ANON, -1, 0);
		ASSERT_NE(MAP_FAILED, p);
		ASSERT_EQ(i, traced("heap_crossed", " what=mmap "));
		ASSERT_EQ(0, munmap(p, SIZE + page_size));
	}
}

/* A move books twice for a moment, and heap over heap less: neither crosses. */
TEST_F(report, no_crossing_without_growth)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_TRUE(write_file(THRESHOLD_FILE, "50"));
	ASSERT_TRUE(set_policy("commit"));
	ASSERT_EQ(0, set_limit(2 * (total_heap() + 1) * page_size));
	ASSERT_EQ(FAR, mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, FAR));
	ASSERT_EQ(0, set_limit(2 * (total_heap() - 1) * page_size));
	ASSERT_EQ(p, mremap(FAR, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, p));
	ASSERT_EQ(p, mmap(p, SIZE, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(0, traced("heap_", ""));
}

TEST_F(report, the_threshold_is_a_percentage)
{
	ASSERT_TRUE(file_is(THRESHOLD_FILE, "90\n"));
	ASSERT_FALSE(write_file(THRESHOLD_FILE, "101"));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_FALSE(write_file(THRESHOLD_FILE, "-1"));
	ASSERT_FALSE(write_file(THRESHOLD_FILE, "most"));
	ASSERT_TRUE(write_file(THRESHOLD_FILE, "100\n"));
	ASSERT_TRUE(file_is(THRESHOLD_FILE, "100\n"));
	/* All of it is not above it. */
	ASSERT_EQ(0, allow_pages(PAGES));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(0, traced("heap_", ""));
}

/* --- A storm. --- */

#define STORMS 4

/* Until told to end: refused in every way that leaves no trace. Adds how often. */
static void be_refused(long *sum, volatile bool *end)
{
	char *heap = mmap(NULL, SIZE, RW, ANON, -1, 0);
	char *reserved = mmap(NULL, SIZE, PROT_NONE, ANON, -1, 0);
	uintptr_t top = sys_brk(0);
	long refused = 0;

	if (allow_pages(PAGES - 1))
		_exit(1);
	while (!*end) {
		char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);
		char *q = mremap(heap, SIZE, 2 * SIZE, MREMAP_MAYMOVE);
		bool brk = sys_brk(top + SIZE) == top + SIZE;
		/* Only commit asks. */
		bool writable = mprotect(reserved, SIZE, RW) == 0;

		refused += (p == MAP_FAILED) + (q == MAP_FAILED) + !brk + !writable;
		if (p != MAP_FAILED)
			munmap(p, SIZE);
		if (q != MAP_FAILED)
			heap = mremap(q, 2 * SIZE, SIZE, 0);
		sys_brk(top);
		mmap(reserved, SIZE, PROT_NONE, ANON | MAP_FIXED, -1, 0);
	}
	__atomic_add_fetch(sum, refused, __ATOMIC_SEQ_CST);
	_exit(heap_refused() != refused || heap_vma_pages(NULL) != total_heap());
}

/* While all that can be chosen changes, none is lost or made up. */
TEST_F_TIMEOUT(report, a_storm, 120)
{
	struct {
		long sum;
		bool end;
	} *shared = mmap(NULL, page_size, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	time_t end = time(NULL) + 5;
	pid_t pids[STORMS];
	int status;

	for (int i = 0; i < STORMS; i++) {
		pids[i] = fork();
		ASSERT_GE(pids[i], 0);
		if (pids[i] == 0)
			be_refused(&shared->sum, &shared->end);
	}
	/*
	 * Not faster: where QEMU emulates, code that is patched while it runs can end
	 * in "Oops: int3", of any static key.
	 */
	for (int i = 0; time(NULL) < end; i++, usleep(50000)) {
		ASSERT_TRUE(set_mode(i % 4 ? "enforce" : "audit"));
		ASSERT_TRUE(set_policy(i % 2 ? "commit" : "addr0"));
		ASSERT_TRUE(write_file(LOG_FILE, i % 8 ? "0" : "1"));
		ASSERT_TRUE(write_file(THRESHOLD_FILE, i % 3 ? "90" : "10"));
	}
	shared->end = true;
	for (int i = 0; i < STORMS; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	ASSERT_TRUE(set_mode("enforce"));
	ASSERT_LT(0, shared->sum);
	ASSERT_EQ(self->all + shared->sum, all_refused());
}

static bool may_only_look(void)
{
	return setuid(65534) == 0 && file_is(LOG_FILE, "0\n") &&
		file_is(THRESHOLD_FILE, "90\n") && !write_file(LOG_FILE, "1") &&
		errno == EACCES && !write_file(THRESHOLD_FILE, "1") && errno == EACCES;
}

TEST_F(report, is_for_root_to_change)
{
	ASSERT_TRUE(IN_CHILD(may_only_look()));
}

TEST_HARNESS_MAIN
