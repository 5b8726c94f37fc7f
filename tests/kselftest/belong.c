// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whose heap is it? An address space belongs to the cgroup of the task that made
 * it, by fork or exec, for as long as it lives.
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <spawn.h>

#include "kselftest_harness.h"
#include "member.h"
#include "module.h"

#define PAGES 16
#define SIZE (PAGES * page_size)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS)

FIXTURE(belong)
{
	struct member a;	/* in A; nobody is in B */
	long heap;		/* of it */
};

FIXTURE_VARIANT(belong)
{
	const char *policy;
	long shared;	/* pages that count of PAGES that are shared */
};

FIXTURE_VARIANT_ADD(belong, addr0) { "addr0", PAGES };
FIXTURE_VARIANT_ADD(belong, commit) { "commit", 0 };

FIXTURE_SETUP(belong)
{
	const char *reason = no_job_limit();

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_TRUE(begin_anew(variant->policy));
	ASSERT_TRUE(make_job());
	ASSERT_TRUE(start_member(&self->a, A));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	self->heap = heap_of(self->a.pid);
	ASSERT_EQ(self->heap, heap_current(A));
}

FIXTURE_TEARDOWN(belong)
{
	EXPECT_TRUE(end_member(&self->a));
	EXPECT_TRUE(remove_cgroup(A));
	EXPECT_TRUE(remove_cgroup(B));
	EXPECT_EQ(0, heap_current(JOB));
	EXPECT_EQ(0, heap_current(TOP));
	EXPECT_TRUE(remove_job());
	EXPECT_TRUE(begin_anew("addr0"));
}

/* What belongs to A, to B, and to both. */
#define ASSERT_HEAPS(a, b) do {							\
	long __a = (a), __b = (b);						\
										\
	ASSERT_EQ(__a, heap_current(A));					\
	ASSERT_EQ(__b, heap_current(B));					\
	ASSERT_EQ(__a + __b, heap_current(JOB));				\
	ASSERT_EQ(__a + __b, heap_current(TOP));				\
} while (0)

/* --- A task that moves. --- */

TEST_F(belong, a_move_takes_nothing_along)
{
	ASSERT_TRUE(move_to(B, self->a.pid));
	ASSERT_HEAPS(self->heap, 0);
	/* And what it maps later belongs where the rest does. */
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_HEAPS(self->heap + PAGES, 0);
	ASSERT_EQ(0, ask(&self->a, grow_break, 1));
	ASSERT_HEAPS(self->heap + PAGES + 1, 0);
	ASSERT_EQ(0, ask(&self->a, unmap_pages, PAGES));
	ASSERT_HEAPS(self->heap + 1, 0);
	ASSERT_TRUE(end_member(&self->a));
	ASSERT_HEAPS(0, 0);
	ASSERT_TRUE(start_member(&self->a, A));
}

TEST_F(belong, a_move_leaves_the_limit_behind_it_in_force)
{
	ASSERT_TRUE(move_to(B, self->a.pid));
	ASSERT_TRUE(cgroup_set(B, MAX, "0"));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_TRUE(allow_job_pages(A, 0));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 1));
	EXPECT_EQ(1, job_refused_itself(A));
	EXPECT_EQ(0, job_refused(B));
}

TEST_F(belong, a_move_to_the_root_takes_nothing_along)
{
	ASSERT_TRUE(move_to(CGROUPS, self->a.pid));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_HEAPS(self->heap + PAGES, 0);
	ASSERT_TRUE(allow_job_pages(A, 0));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 1));
}

TEST_F(belong, who_comes_from_the_root_brings_nothing)
{
	struct member root;
	long heap;

	ASSERT_TRUE(start_member(&root, NULL));
	heap = heap_of(root.pid);
	ASSERT_TRUE(move_to(B, root.pid));
	ASSERT_HEAPS(self->heap, 0);
	ASSERT_TRUE(cgroup_set(B, MAX, "0"));
	ASSERT_EQ(0, ask(&root, map_pages, PAGES));
	ASSERT_EQ(heap + PAGES, heap_of(root.pid));
	ASSERT_HEAPS(self->heap, 0);
	ASSERT_TRUE(end_member(&root));
	ASSERT_HEAPS(self->heap, 0);
}

/* --- fork. --- */

TEST_F(belong, a_fork_belongs_to_where_it_was_made)
{
	long pid = ask(&self->a, fork_child, 0);

	ASSERT_LT(0, pid);
	ASSERT_EQ(self->heap, heap_of(pid));
	ASSERT_HEAPS(2 * self->heap, 0);
	ASSERT_TRUE(move_to(B, pid));
	ASSERT_HEAPS(2 * self->heap, 0);
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
	ASSERT_HEAPS(self->heap, 0);
}

TEST_F(belong, a_fork_after_a_move_belongs_to_where_the_task_is)
{
	long pid;

	ASSERT_EQ(0, ask(&self->a, move_itself, (long)B));
	pid = ask(&self->a, fork_child, 0);
	ASSERT_LT(0, pid);
	ASSERT_HEAPS(self->heap, self->heap);
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_HEAPS(self->heap + PAGES, self->heap);
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
	ASSERT_HEAPS(self->heap + PAGES, 0);
}

TEST_F(belong, a_fork_in_the_root_belongs_to_nobody)
{
	long pid;

	ASSERT_EQ(0, ask(&self->a, move_itself, (long)CGROUPS));
	pid = ask(&self->a, fork_child, 0);
	ASSERT_LT(0, pid);
	ASSERT_HEAPS(self->heap, 0);
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
	ASSERT_HEAPS(self->heap, 0);
}

/* What a child has no copy of. */
static long map_what_stays(long unused)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	return p == MAP_FAILED || madvise(p, SIZE, MADV_DONTFORK) ||
	       mmap(NULL, SIZE, RW, SHARED, -1, 0) == MAP_FAILED ? -errno : 0;
}

TEST_F(belong, a_fork_is_its_copy_and_no_more)
{
	long heap = self->heap + PAGES + variant->shared, pid;

	ASSERT_EQ(0, ask(&self->a, map_what_stays, 0));
	ASSERT_HEAPS(heap, 0);
	pid = ask(&self->a, fork_child, 0);
	ASSERT_LT(0, pid);
	ASSERT_EQ(self->heap, heap_of(pid));
	ASSERT_HEAPS(heap + self->heap, 0);
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
	ASSERT_HEAPS(heap, 0);
}

/* A child, in another cgroup, that is there until it is reaped. Its pid. */
static long clone_into(long cgroup)
{
	int fd = open((const char *)cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct clone3_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = fd,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	int error = errno;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	close(fd);
	return pid < 0 ? -error : pid;
}

TEST_F(belong, a_clone_into_a_cgroup_belongs_to_that)
{
	long pid = ask(&self->a, clone_into, (long)B);

	ASSERT_LT(0, pid);
	ASSERT_EQ(self->heap, heap_of(pid));
	ASSERT_HEAPS(self->heap, self->heap);
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
	ASSERT_HEAPS(self->heap, 0);
}

TEST_F(belong, a_clone_from_the_root_into_a_cgroup_belongs_to_that)
{
	struct member root;
	long heap, pid;

	ASSERT_TRUE(start_member(&root, NULL));
	heap = heap_of(root.pid);
	pid = ask(&root, clone_into, (long)B);
	ASSERT_LT(0, pid);
	ASSERT_HEAPS(self->heap, heap);
	ASSERT_EQ(0, ask(&root, reap_child, pid));
	ASSERT_HEAPS(self->heap, 0);
	ASSERT_TRUE(end_member(&root));
}

/* It is under the limit of where it is, as all forks are: afterwards. */
TEST_F(belong, a_clone_into_a_full_cgroup_is_not_refused)
{
	long pid;

	ASSERT_TRUE(cgroup_set(B, MAX, "0"));
	pid = ask(&self->a, clone_into, (long)B);
	ASSERT_LT(0, pid);
	ASSERT_HEAPS(self->heap, self->heap);
	ASSERT_EQ(0, job_refused(TOP));
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
}

/* --- What has no address space of its own. --- */

static void *wait_for_ever(void *unused)
{
	for (;;)
		pause();
}

static long start_thread(long unused)
{
	pthread_t thread;

	return -pthread_create(&thread, NULL, wait_for_ever, NULL);
}

/* Its stack and the like are the process's. */
TEST_F(belong, a_thread_is_its_process)
{
	ASSERT_EQ(0, ask(&self->a, start_thread, 0));
	ASSERT_HEAPS(heap_of(self->a.pid), 0);
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_HEAPS(heap_of(self->a.pid), 0);
}

/* By what the sum changes in the time of a vfork(2) in which PAGES are mapped. */
static long vfork_and_map(long unused)
{
	long heap = heap_current(A);
	volatile long seen = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		mmap(NULL, SIZE, RW, ANON, -1, 0);
		seen = heap_current(A);
		_exit(0);
	}
	return waitpid(pid, NULL, 0) == pid ? seen - heap : -errno;
}

TEST_F(belong, a_vfork_is_its_parent)
{
	ASSERT_EQ(PAGES, ask(&self->a, vfork_and_map, 0));
	ASSERT_HEAPS(self->heap + PAGES, 0);
}

static int move_and_map(void *cgroup)
{
	return !move_to(cgroup, 0) || mmap(NULL, SIZE, RW, ANON, -1, 0) == MAP_FAILED;
}

static char stack[1 << 16];

/* In the memory of its parent, but in another cgroup. Its status. */
static long clone_vm_elsewhere(long cgroup)
{
	int status;
	pid_t pid = clone(move_and_map, stack + sizeof(stack), CLONE_VM | SIGCHLD, (void *)cgroup);

	return pid < 0 || waitpid(pid, &status, 0) != pid ? -errno : status;
}

TEST_F(belong, a_clone_that_shares_memory_is_where_that_belongs)
{
	ASSERT_EQ(0, ask(&self->a, clone_vm_elsewhere, (long)B));
	ASSERT_HEAPS(self->heap + PAGES, 0);
}

/* --- exec. --- */

TEST_F(belong, exec_begins_anew)
{
	ASSERT_TRUE(becomes_cat(&self->a));
	ASSERT_LT(0, heap_of(self->a.pid));
	ASSERT_HEAPS(heap_of(self->a.pid), 0);
}

/* This is how a container begins: a move, and then the program. */
TEST_F(belong, exec_after_a_move_begins_where_the_task_is)
{
	ASSERT_TRUE(move_to(B, self->a.pid));
	ASSERT_HEAPS(self->heap, 0);
	ASSERT_TRUE(becomes_cat(&self->a));
	ASSERT_LT(0, heap_of(self->a.pid));
	ASSERT_HEAPS(0, heap_of(self->a.pid));
	/* And another move takes nothing along, as before. */
	ASSERT_TRUE(move_to(A, self->a.pid));
	ASSERT_TRUE(is_cat(&self->a));
	ASSERT_HEAPS(0, heap_of(self->a.pid));
}

TEST_F(belong, exec_from_the_root_begins_in_the_cgroup)
{
	struct member root;

	ASSERT_TRUE(start_member(&root, NULL));
	ASSERT_TRUE(move_to(B, root.pid));
	ASSERT_TRUE(becomes_cat(&root));
	ASSERT_LT(0, heap_of(root.pid));
	ASSERT_HEAPS(self->heap, heap_of(root.pid));
	ASSERT_TRUE(end_member(&root));
	ASSERT_HEAPS(self->heap, 0);
}

TEST_F(belong, exec_in_the_root_belongs_to_nobody)
{
	ASSERT_TRUE(move_to(CGROUPS, self->a.pid));
	ASSERT_TRUE(becomes_cat(&self->a));
	ASSERT_HEAPS(0, 0);
}

/* A program needs room to start in, as under a limit of its own. */
TEST_F(belong, exec_starts_within_the_limit_of_where_it_is)
{
	ASSERT_TRUE(move_to(B, self->a.pid));
	ASSERT_TRUE(cgroup_set(B, MAX, "0"));
	ASSERT_FALSE(becomes_cat(&self->a));
	ASSERT_TRUE(has_ended(&self->a));
	ASSERT_LT(0, job_refused_itself(B));
	ASSERT_HEAPS(0, 0);
}

/* cat, in another cgroup; it is there until the caller has no pipe to it. Its pid. */
static long spawn_cat(long cgroup)
{
	char *const argv[] = { "cat", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int fds[2], error;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[0], STDIN_FILENO);
	posix_spawnattr_init(&attr);
	if (cgroup) {
		posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETCGROUP);
		posix_spawnattr_setcgroup_np(&attr, open((char *)cgroup, O_RDONLY | O_CLOEXEC));
	}
	error = posix_spawn(&pid, "/bin/busybox", &actions, &attr, argv, NULL);
	return error ? -error : pid;
}

/* Does it sleep, for want of input? */
static bool has_settled(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 500; i++, usleep(10000)) {
		char *stat = read_proc(path);

		if (stat && strstr(stat, "(busybox) S "))
			return true;
	}
	return false;
}

TEST_F(belong, a_spawned_program_is_all_that_a_spawn_adds)
{
	long pid = ask(&self->a, spawn_cat, 0);

	ASSERT_LT(0, pid);
	ASSERT_TRUE(has_settled(pid));
	ASSERT_HEAPS(heap_of(self->a.pid) + heap_of(pid), 0);
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
	ASSERT_HEAPS(heap_of(self->a.pid), 0);
}

TEST_F(belong, a_program_spawned_into_a_cgroup_belongs_to_that)
{
	long pid = ask(&self->a, spawn_cat, (long)B);

	ASSERT_LT(0, pid);
	ASSERT_TRUE(has_settled(pid));
	ASSERT_LT(0, heap_of(pid));
	ASSERT_HEAPS(heap_of(self->a.pid), heap_of(pid));
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
	ASSERT_HEAPS(heap_of(self->a.pid), 0);
}

/* --- Its end. --- */

static long leave(long status)
{
	_exit(status);
}

/* Before anybody waits for it. */
TEST_F(belong, a_zombie_has_nothing)
{
	tell(&self->a, leave, 0);
	ASSERT_TRUE(has_ended(&self->a));
	ASSERT_HEAPS(0, 0);
}

TEST_F(belong, what_is_killed_gives_back)
{
	ASSERT_EQ(0, kill(self->a.pid, SIGKILL));
	ASSERT_TRUE(has_ended(&self->a));
	ASSERT_HEAPS(0, 0);
}

TEST_F(belong, the_first_thread_takes_nothing_along)
{
	ASSERT_EQ(0, ask(&self->a, start_thread, 0));
	ASSERT_HEAPS(heap_of(self->a.pid), 0);
	ASSERT_TRUE(end_member(&self->a));
	ASSERT_HEAPS(0, 0);
	ASSERT_TRUE(start_member(&self->a, A));
}

/* --- A cgroup that goes before what belongs to it. --- */

/* Nobody is in A, and it is gone. */
static bool remove_a(pid_t pid, const char *elsewhere)
{
	return move_to(elsewhere, pid) && is_deserted(A) && rmdir(A) == 0;
}

TEST_F(belong, what_outlives_its_cgroup_belongs_to_those_above)
{
	ASSERT_TRUE(remove_a(self->a.pid, B));
	ASSERT_EQ(0, heap_current(B));
	ASSERT_EQ(self->heap, heap_current(JOB));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_EQ(self->heap + PAGES, heap_current(JOB));
	ASSERT_EQ(self->heap + PAGES, heap_current(TOP));
	ASSERT_EQ(0, heap_current(B));

	/* Their limits hold. */
	ASSERT_TRUE(allow_job_pages(JOB, 0));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 1));
	ASSERT_EQ(1, job_refused_itself(JOB));

	/* One of the same name is another one. */
	ASSERT_EQ(0, mkdir(A, 0755));
	ASSERT_EQ(0, heap_current(A));
	ASSERT_TRUE(move_to(A, self->a.pid));
	ASSERT_EQ(0, ask(&self->a, unmap_pages, PAGES));
	ASSERT_EQ(0, heap_current(A));
	ASSERT_EQ(self->heap, heap_current(JOB));
}

/* A limit goes a moment after its cgroup, or after the controller there. */
static bool can_grow(struct member *member)
{
	for (int i = 0; i < 500; i++, usleep(10000))
		if (ask(member, map_pages, PAGES) == 0)
			return true;
	return false;
}

TEST_F(belong, what_outlives_its_cgroup_outlives_its_limit)
{
	ASSERT_TRUE(allow_job_pages(A, 0));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, PAGES));
	ASSERT_TRUE(remove_a(self->a.pid, B));
	ASSERT_TRUE(can_grow(&self->a));
	ASSERT_EQ(self->heap + PAGES, heap_current(JOB));
}

TEST_F(belong, a_fork_of_what_outlived_its_cgroup)
{
	long pid;

	ASSERT_TRUE(remove_a(self->a.pid, B));
	pid = ask(&self->a, fork_child, 0);
	ASSERT_LT(0, pid);
	ASSERT_EQ(self->heap, heap_current(B));
	ASSERT_EQ(2 * self->heap, heap_current(JOB));
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
	ASSERT_EQ(0, heap_current(B));
	ASSERT_EQ(self->heap, heap_current(JOB));
	ASSERT_TRUE(becomes_cat(&self->a));
	ASSERT_EQ(heap_of(self->a.pid), heap_current(B));
	ASSERT_EQ(heap_of(self->a.pid), heap_current(JOB));
}

/* Many, each with an address space that is still there. */
TEST_F_TIMEOUT(belong, many_that_went, 120)
{
	for (int i = 0; i < 50; i++) {
		struct member members[2];

		for (int j = 0; j < 2; j++) {
			ASSERT_TRUE(start_member(&members[j], B));
			ASSERT_EQ(0, ask(&members[j], map_pages, PAGES));
			ASSERT_TRUE(move_to(A, members[j].pid));
		}
		ASSERT_TRUE(is_deserted(B));
		ASSERT_EQ(0, rmdir(B));
		ASSERT_EQ(0, mkdir(B, 0755));
		ASSERT_EQ(self->heap, heap_current(A));
		ASSERT_EQ(self->heap + heap_of(members[0].pid) + heap_of(members[1].pid),
			  heap_current(TOP));
		for (int j = 0; j < 2; j++)
			ASSERT_TRUE(end_member(&members[j]));
		ASSERT_HEAPS(self->heap, 0);
	}
}

/* The whole of a tree goes, with the parents. */
TEST_F(belong, all_levels_can_go)
{
	ASSERT_TRUE(remove_a(self->a.pid, CGROUPS));
	ASSERT_EQ(0, rmdir(B));
	ASSERT_EQ(0, rmdir(JOB));
	ASSERT_EQ(self->heap, heap_current(TOP));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_EQ(self->heap + PAGES, heap_current(TOP));
	ASSERT_EQ(0, rmdir(TOP));
	ASSERT_EQ(0, ask(&self->a, unmap_pages, PAGES));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_TRUE(make_job());
	ASSERT_HEAPS(0, 0);
}

/* The controller is new when it comes back; what was there stays with the old. */
TEST_F(belong, the_controller_goes_and_comes_back)
{
	ASSERT_TRUE(allow_job_pages(A, 0));
	ASSERT_TRUE(cgroup_set(JOB, "cgroup.subtree_control", "-memory"));
	ASSERT_NE(0, access(file_of(A, CURRENT), F_OK));
	ASSERT_EQ(self->heap, heap_current(JOB));
	ASSERT_TRUE(can_grow(&self->a));
	ASSERT_EQ(self->heap + PAGES, heap_current(JOB));
	ASSERT_TRUE(cgroup_set(JOB, "cgroup.subtree_control", "+memory"));
	ASSERT_EQ(0, heap_current(A));
	ASSERT_EQ(self->heap + PAGES, heap_current(JOB));
	ASSERT_TRUE(becomes_cat(&self->a));
	ASSERT_HEAPS(heap_of(self->a.pid), 0);
}

TEST_HARNESS_MAIN
