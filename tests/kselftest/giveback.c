// SPDX-License-Identifier: GPL-2.0-only
/*
 * A cgroup is charged before a call changes anything. When the call fails after
 * that, for another reason, it gives back what was charged, at all levels.
 */

#define _GNU_SOURCE
#include "kselftest_harness.h"
#include "fault.h"
#include "member.h"
#include "module.h"

#define PAGES 16
#define SIZE (PAGES * page_size)
#define MANY 1000	/* allocations in one call */
#define ROUNDS 20	/* more than a node of the tree of VMAs has slots */

/* --- Calls, each on ground that was prepared before: 0, or an error number. --- */

static long prepare_nothing(long unused)
{
	return 0;
}

/* Heap that cannot grow in place, nor merge with other heap where it is moved to. */
static long prepare_heap(long unused)
{
	area = mmap(NULL, SIZE + page_size, RW, ANON, -1, 0);
	if (area == MAP_FAILED ||
	    mmap(area + SIZE, page_size, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		return -errno;
	*area = 1;
	return 0;
}

static long prepare_reservation(long unused)
{
	area = mmap(NULL, SIZE, PROT_NONE, ANON, -1, 0);
	return area == MAP_FAILED ? -errno : 0;
}

/* A half of it heap. */
static long prepare_both(long unused)
{
	return prepare_reservation(0) ?: mprotect(area, SIZE / 2, RW) ? -errno : 0;
}

static long map_more(long unused)
{
	return mmap(NULL, SIZE, RW, ANON, -1, 0) == MAP_FAILED ? -errno : 0;
}

/* But for the first page and the last, so that both have to be split. */
static long map_over_both(long unused)
{
	return mmap(area + page_size, SIZE - 2 * page_size, RW, ANON | MAP_FIXED, -1, 0) ==
		MAP_FAILED ? -errno : 0;
}

static long more_break(long unused)
{
	return grow_break(PAGES);
}

static long enlarge(long unused)
{
	return mremap(area, SIZE, 2 * SIZE, MREMAP_MAYMOVE) == MAP_FAILED ? -errno : 0;
}

static long enlarge_elsewhere(long unused)
{
	return mremap(area, SIZE, 2 * SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, FAR) == MAP_FAILED ?
		-errno : 0;
}

static long duplicate(long unused)
{
	return mremap(area, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP) == MAP_FAILED ?
		-errno : 0;
}

/* From the middle, so that it has to be split. */
static long commit_middle(long unused)
{
	return mprotect(area + 4 * page_size, 4 * page_size, RW) ? -errno : 0;
}

static long commit_all(long unused)
{
	return mprotect(area, SIZE, RW) ? -errno : 0;
}

/* What a fault fails with is EFAULT for who has the kernel write there. */
static long grow_down(long unused)
{
	long error = touch_below(1);

	return error == -EFAULT ? -ENOMEM : error;
}

static long fork_once(long unused)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 || waitpid(pid, NULL, 0) != pid ? -errno : 0;
}

/* --- Reasons to fail that come, or go. --- */

#define OVERCOMMIT_RATIO "/proc/sys/vm/overcommit_ratio"
#define OVERCOMMIT_KBYTES "/proc/sys/vm/overcommit_kbytes"
#define MAX_MAP_COUNT "/proc/sys/vm/max_map_count"

/* No memory is left to promise. */
static bool overcommit(const struct member *member, bool fails)
{
	return fails ? write_file(OVERCOMMIT_KBYTES, "1") && write_file(OVERCOMMIT_FILE, "2") :
		write_file(OVERCOMMIT_FILE, "0") && write_file(OVERCOMMIT_RATIO, "50");
}

static bool map_count(const struct member *member, bool fails)
{
	return write_file(MAX_MAP_COUNT, fails ? "1" : "65530");
}

static bool set_rlimit_of(const struct member *member, int resource, bool fails)
{
	/* No limit of 0, which the kernel takes for none in the case of RLIMIT_DATA. */
	struct rlimit limit = { fails ? page_size : RLIM_INFINITY, RLIM_INFINITY };

	return prlimit(member->pid, resource, &limit, NULL) == 0;
}

static bool rlimit_as(const struct member *member, bool fails)
{
	return set_rlimit_of(member, RLIMIT_AS, fails);
}

static bool rlimit_data(const struct member *member, bool fails)
{
	return set_rlimit_of(member, RLIMIT_DATA, fails);
}

FIXTURE(giveback)
{
	struct member a;
	long heap;
};

FIXTURE_VARIANT(giveback)
{
	bool (*reason)(const struct member *member, bool fails);
	const char *policy;
	long (*prepare)(long unused);
	long (*call)(long unused);
	long pages;	/* by which the heap grows if it succeeds */
};

FIXTURE_VARIANT_ADD(giveback, overcommit_mmap)
	{ overcommit, "addr0", prepare_nothing, map_more, PAGES };
FIXTURE_VARIANT_ADD(giveback, overcommit_mmap_fixed)
	{ overcommit, "commit", prepare_both, map_over_both, PAGES / 2 - 1 };
FIXTURE_VARIANT_ADD(giveback, overcommit_brk)
	{ overcommit, "addr0", prepare_nothing, more_break, PAGES };
FIXTURE_VARIANT_ADD(giveback, overcommit_mremap)
	{ overcommit, "addr0", prepare_heap, enlarge, PAGES };
FIXTURE_VARIANT_ADD(giveback, overcommit_mremap_fixed)
	{ overcommit, "addr0", prepare_heap, enlarge_elsewhere, PAGES };
FIXTURE_VARIANT_ADD(giveback, overcommit_mremap_dontunmap)
	{ overcommit, "addr0", prepare_heap, duplicate, PAGES };
FIXTURE_VARIANT_ADD(giveback, overcommit_mprotect)
	{ overcommit, "commit", prepare_reservation, commit_all, PAGES };
FIXTURE_VARIANT_ADD(giveback, overcommit_fault)
	{ overcommit, "addr0", map_downwards, grow_down, 1 };
FIXTURE_VARIANT_ADD(giveback, overcommit_fork)
	{ overcommit, "addr0", prepare_heap, fork_once, 0 };
FIXTURE_VARIANT_ADD(giveback, map_count_brk)
	{ map_count, "addr0", prepare_nothing, more_break, PAGES };
FIXTURE_VARIANT_ADD(giveback, map_count_mmap)
	{ map_count, "addr0", prepare_nothing, map_more, PAGES };
FIXTURE_VARIANT_ADD(giveback, map_count_mremap)
	{ map_count, "addr0", prepare_heap, enlarge, PAGES };
FIXTURE_VARIANT_ADD(giveback, map_count_mprotect)
	{ map_count, "commit", prepare_reservation, commit_middle, 4 };
FIXTURE_VARIANT_ADD(giveback, rlimit_as_brk)
	{ rlimit_as, "addr0", prepare_nothing, more_break, PAGES };
FIXTURE_VARIANT_ADD(giveback, rlimit_as_mmap)
	{ rlimit_as, "addr0", prepare_nothing, map_more, PAGES };
FIXTURE_VARIANT_ADD(giveback, rlimit_as_mremap)
	{ rlimit_as, "addr0", prepare_heap, enlarge, PAGES };
FIXTURE_VARIANT_ADD(giveback, rlimit_as_mremap_dontunmap)
	{ rlimit_as, "addr0", prepare_heap, duplicate, PAGES };
FIXTURE_VARIANT_ADD(giveback, rlimit_data_brk)
	{ rlimit_data, "commit", prepare_nothing, more_break, PAGES };
FIXTURE_VARIANT_ADD(giveback, rlimit_data_mprotect)
	{ rlimit_data, "commit", prepare_reservation, commit_all, PAGES };

static bool reset(void)
{
	return overcommit(NULL, false) && map_count(NULL, false) && begin_anew("addr0");
}

FIXTURE_SETUP(giveback)
{
	const char *reason = no_job_limit();

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_TRUE(reset());
	ASSERT_TRUE(set_policy(variant->policy));
	ASSERT_TRUE(make_job());
	ASSERT_TRUE(start_member(&self->a, A));
	ASSERT_EQ(0, ask(&self->a, variant->prepare, 0));
	self->heap = heap_current(A);
	ASSERT_EQ(self->heap, heap_of(self->a.pid));
}

FIXTURE_TEARDOWN(giveback)
{
	EXPECT_TRUE(reset());
	EXPECT_TRUE(end_member(&self->a));
	EXPECT_EQ(0, heap_current(TOP));
	EXPECT_TRUE(remove_job());
}

/* At all levels it is @pages. */
#define EXPECT_HEAP(pages) do {							\
	long __pages = (pages);							\
										\
	EXPECT_EQ(__pages, heap_current(A));					\
	EXPECT_EQ(__pages, heap_current(JOB));					\
	EXPECT_EQ(__pages, heap_current(TOP));					\
} while (0)

TEST_F(giveback, what_a_call_that_fails_was_charged)
{
	/* To the page, so that what is not given back is missing below. */
	ASSERT_TRUE(allow_job_pages(TOP, variant->pages));
	for (int i = 0; i < 3; i++) {
		long result;

		ASSERT_TRUE(variant->reason(&self->a, true));
		result = ask(&self->a, variant->call, 0);
		ASSERT_TRUE(variant->reason(&self->a, false));
		ASSERT_EQ(-ENOMEM, result);
		ASSERT_EQ(self->heap, heap_of(self->a.pid));
		EXPECT_HEAP(self->heap);
	}
	ASSERT_EQ(0, ask(&self->a, variant->call, 0));
	ASSERT_EQ(self->heap + variant->pages, heap_of(self->a.pid));
	EXPECT_HEAP(self->heap + variant->pages);
	EXPECT_EQ(0, job_refused(TOP));
}

/* --- What never comes to be. --- */

FIXTURE(unborn)
{
	struct member a;
	long heap;
};

FIXTURE_SETUP(unborn)
{
	const char *reason = no_job_limit();

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_TRUE(reset());
	ASSERT_TRUE(make_job());
	ASSERT_TRUE(start_member(&self->a, A));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	self->heap = heap_current(A);
}

FIXTURE_TEARDOWN(unborn)
{
	EXPECT_TRUE(end_member(&self->a));
	EXPECT_EQ(0, heap_current(TOP));
	EXPECT_TRUE(remove_job());
}

static long clone_with(struct clone3_args args)
{
	long pid;

	args.exit_signal = SIGCHLD;
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -errno : pid;
}

/* A cgroup whose children have controllers can have no tasks. */
static long clone_into_a_parent(long cgroup)
{
	return clone_with((struct clone3_args){
		.flags = CLONE_INTO_CGROUP,
		.cgroup = open((const char *)cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	});
}

/* This process has that id already. */
static long clone_with_a_taken_id(long unused)
{
	pid_t mine = getpid();

	return clone_with((struct clone3_args){ .set_tid = (uintptr_t)&mine, .set_tid_size = 1 });
}

TEST_F(unborn, a_child_that_may_not_be_where_it_is_to_be)
{
	ASSERT_EQ(-EBUSY, ask(&self->a, clone_into_a_parent, (long)JOB));
	EXPECT_HEAP(self->heap);
}

TEST_F(unborn, a_child_that_can_have_no_id)
{
	ASSERT_EQ(-EEXIST, ask(&self->a, clone_with_a_taken_id, 0));
	EXPECT_HEAP(self->heap);
}

/* A file that no format knows, or that breaks off. */
static long exec_broken(long size)
{
	static char elf[] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	int fd = open("/tmp/broken", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	if (write(fd, elf, size) != size || close(fd))
		return -EIO;
	execl("/tmp/broken", "broken", NULL);
	return -errno;
}

TEST_F(unborn, a_program_that_cannot_be_run)
{
	ASSERT_EQ(-ENOEXEC, ask(&self->a, exec_broken, 7));
	EXPECT_HEAP(self->heap);
	ASSERT_EQ(-ENOEXEC, ask(&self->a, exec_broken, 3));
	EXPECT_HEAP(self->heap);
	unlink("/tmp/broken");
}

/* Also not where the task has moved meanwhile. */
TEST_F(unborn, a_program_that_cannot_be_run_elsewhere)
{
	ASSERT_TRUE(move_to(B, self->a.pid));
	ASSERT_EQ(-ENOEXEC, ask(&self->a, exec_broken, 7));
	EXPECT_HEAP(self->heap);
	EXPECT_EQ(0, heap_current(B));
	unlink("/tmp/broken");
}

/* --- Every allocation fails once (KERNEL=debug). --- */

/* In the member: which of them, and of which call. */
static long (*faulty)(long unused);
static bool was_hit;

/* Does it with the @n-th allocation failing, if it has so many. */
static long with_fault(long n)
{
	int fd = begin_fault(n);
	long result;

	if (fd < 0)
		return -EIO;
	result = faulty(0);
	return end_fault(fd, &was_hit) ? result : -EIO;
}

static long choose_faulty(long call)
{
	faulty = (long (*)(long unused))call;
	return 0;
}

static long hit(long unused)
{
	return was_hit;
}

FIXTURE(fault)
{
	struct member a;
};

FIXTURE_VARIANT(fault)
{
	const char *policy;
	long (*prepare)(long unused);
	long (*call)(long unused);
};

FIXTURE_VARIANT_ADD(fault, mmap) { "addr0", prepare_nothing, map_more };
FIXTURE_VARIANT_ADD(fault, mmap_fixed) { "commit", prepare_both, map_over_both };
FIXTURE_VARIANT_ADD(fault, brk) { "addr0", prepare_nothing, more_break };
FIXTURE_VARIANT_ADD(fault, mremap) { "addr0", prepare_heap, enlarge };
FIXTURE_VARIANT_ADD(fault, mremap_fixed) { "addr0", prepare_heap, enlarge_elsewhere };
FIXTURE_VARIANT_ADD(fault, mremap_dontunmap) { "addr0", prepare_heap, duplicate };
FIXTURE_VARIANT_ADD(fault, mprotect) { "commit", prepare_reservation, commit_middle };
FIXTURE_VARIANT_ADD(fault, fork) { "addr0", prepare_nothing, fork_once };

FIXTURE_SETUP(fault)
{
	const char *reason = no_job_limit();

	if (reason)
		SKIP(return, "%s", reason);
	if (!enable_faults())
		SKIP(return, "this kernel has no fault injection (see KERNEL=debug)");
	ASSERT_TRUE(reset());
	ASSERT_TRUE(set_policy(variant->policy));
	ASSERT_TRUE(make_job());
	ASSERT_TRUE(start_member(&self->a, A));
	ASSERT_EQ(0, ask(&self->a, choose_faulty, (long)variant->call));
	/* For a fork to charge, whose allocations are more with each mapping. */
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
}

FIXTURE_TEARDOWN(fault)
{
	EXPECT_TRUE(end_member(&self->a));
	EXPECT_EQ(0, heap_current(TOP));
	EXPECT_TRUE(remove_job());
	EXPECT_TRUE(reset());
}

/* Which allocations a call makes depends on how full a node is. */
static long fill_tree(long unused)
{
	return mmap(NULL, page_size, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ?
		-errno : 0;
}

/* Whatever becomes of the call, what is charged is what is there. */
TEST_F_TIMEOUT(fault, every_allocation, 900)
{
	/* Fork makes hundreds of allocations, whatever is mapped. */
	const int rounds = variant->call == fork_once ? 1 : ROUNDS;
	int failures = 0;

	for (int round = 0; round < rounds; round++) {
		long more = true;

		ASSERT_EQ(0, ask(&self->a, fill_tree, 0));
		for (int n = 1; more && n < MANY; n++) {
			long result;

			ASSERT_EQ(0, ask(&self->a, variant->prepare, 0));
			result = ask(&self->a, with_fault, n);
			ASSERT_NE(-EIO, result);
			ASSERT_NE(DIED, result);
			ASSERT_EQ(heap_of(self->a.pid), heap_current(A)) {
				TH_LOG("allocation %d failed: %ld", n, result);
			}
			ASSERT_EQ(heap_current(A), heap_current(TOP));
			failures += result != 0;
			more = ask(&self->a, hit, 0);
		}
		/* The last one ran to its end. */
		ASSERT_FALSE(more);
	}
	ASSERT_LT(0, failures);
	TH_LOG("%d calls failed", failures);
}

TEST_HARNESS_MAIN
