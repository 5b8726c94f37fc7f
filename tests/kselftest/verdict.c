// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is known of a process when it has ended, and of the children of one that
 * goes on: did its limit refuse it anything, and how much heap had it?
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <spawn.h>

#include "kselftest_harness.h"
#include "member.h"
#include "module.h"

#define PAGES 16
#define SIZE (PAGES * page_size)
#define MUCH (64 * MIB / page_size)

static long refused_of(pid_t pid)
{
	return proc_number(status_of(pid), "HeapRefused:");
}

static long would_refuse_of(pid_t pid)
{
	return proc_number(status_of(pid), "HeapWouldRefuse:");
}

static long peak_of(pid_t pid)
{
	return proc_pages(status_of(pid), "VmHeapPeak:");
}

static long children_refused_of(pid_t pid)
{
	return proc_number(status_of(pid), "HeapRefusedChildren:");
}

static long children_would_refuse_of(pid_t pid)
{
	return proc_number(status_of(pid), "HeapWouldRefuseChildren:");
}

static bool reset(void)
{
	load("rlimit_heap.ko");
	return set_policy("addr0") && set_mode("enforce");
}

FIXTURE(verdict)
{
	struct member m;
};

FIXTURE_SETUP(verdict)
{
	ASSERT_TRUE(reset());
	ASSERT_TRUE(start_member(&self->m, NULL));
}

FIXTURE_TEARDOWN(verdict)
{
	EXPECT_TRUE(end_member(&self->m));
	EXPECT_TRUE(reset());
}

/* --- What members are told here. --- */

/* Asks for so many pages, one by one, where it may have none. How many it got. */
static long be_refused(long times)
{
	long got = 0;

	if (set_limit(0))
		return -errno;
	while (times--)
		got += map_pages(1) == 0;
	if (set_limit(RLIM_INFINITY))
		return -errno;
	return got;
}

static long leave(long status)
{
	_exit(status);
}

static long map_and_unmap(long pages)
{
	return map_pages(pages) ?: unmap_pages(pages);
}

/* --- A zombie tells. --- */

TEST_F(verdict, of_one_that_exits)
{
	long peak;

	ASSERT_EQ(0, ask(&self->m, be_refused, 3));
	ASSERT_EQ(0, ask(&self->m, map_and_unmap, MUCH));
	peak = peak_of(self->m.pid);
	ASSERT_EQ(3, refused_of(self->m.pid));
	tell(&self->m, leave, 7);
	ASSERT_TRUE(has_ended(&self->m));
	EXPECT_EQ(3, refused_of(self->m.pid));
	EXPECT_EQ(0, would_refuse_of(self->m.pid));
	EXPECT_EQ(peak, peak_of(self->m.pid));
	EXPECT_EQ(0, children_refused_of(self->m.pid));
	EXPECT_EQ(0, children_would_refuse_of(self->m.pid));
}

TEST_F(verdict, of_one_that_is_killed)
{
	long peak;

	ASSERT_EQ(0, ask(&self->m, be_refused, 1));
	peak = peak_of(self->m.pid);
	ASSERT_EQ(0, kill(self->m.pid, SIGKILL));
	ASSERT_TRUE(has_ended(&self->m));
	EXPECT_EQ(1, refused_of(self->m.pid));
	EXPECT_EQ(peak, peak_of(self->m.pid));
}

TEST_F(verdict, of_one_that_was_not_refused)
{
	long peak = peak_of(self->m.pid);

	ASSERT_LE(0, peak);
	tell(&self->m, leave, 1);
	ASSERT_TRUE(has_ended(&self->m));
	EXPECT_EQ(0, refused_of(self->m.pid));
	EXPECT_EQ(0, would_refuse_of(self->m.pid));
	EXPECT_EQ(peak, peak_of(self->m.pid));
}

TEST_F(verdict, of_an_audit)
{
	ASSERT_TRUE(set_mode("audit"));
	ASSERT_EQ(2, ask(&self->m, be_refused, 2));
	tell(&self->m, leave, 0);
	ASSERT_TRUE(has_ended(&self->m));
	EXPECT_EQ(0, refused_of(self->m.pid));
	EXPECT_EQ(2, would_refuse_of(self->m.pid));
}

/* Whoever may look at the process may look at what is left of it. */
static bool others_see(pid_t pid)
{
	return setuid(65534) == 0 && refused_of(pid) == 1 && peak_of(pid) >= 0;
}

TEST_F(verdict, is_for_all_to_see)
{
	ASSERT_EQ(0, ask(&self->m, be_refused, 1));
	tell(&self->m, leave, 0);
	ASSERT_TRUE(has_ended(&self->m));
	ASSERT_TRUE(IN_CHILD(others_see(self->m.pid)));
}

/* Without the module what was counted is still told. */
TEST_F(verdict, outlives_the_module)
{
	ASSERT_EQ(0, ask(&self->m, be_refused, 1));
	ASSERT_EQ(0, unload("rlimit_heap"));
	tell(&self->m, leave, 0);
	ASSERT_TRUE(has_ended(&self->m));
	EXPECT_EQ(1, refused_of(self->m.pid));
}

/* --- Over its programs. --- */

TEST_F(verdict, outlives_exec)
{
	ASSERT_EQ(0, ask(&self->m, be_refused, 2));
	ASSERT_TRUE(set_mode("audit"));
	ASSERT_EQ(1, ask(&self->m, be_refused, 1));
	ASSERT_TRUE(becomes_cat(&self->m));
	EXPECT_EQ(2, refused_of(self->m.pid));
	EXPECT_EQ(1, would_refuse_of(self->m.pid));
	close(self->m.to);
	ASSERT_TRUE(has_ended(&self->m));
	EXPECT_EQ(2, refused_of(self->m.pid));
	EXPECT_EQ(1, would_refuse_of(self->m.pid));
}

/* The first of two programs had more. */
TEST_F(verdict, the_peak_of_a_zombie_is_that_of_all_its_programs)
{
	long peak;

	ASSERT_EQ(0, ask(&self->m, map_and_unmap, MUCH));
	peak = peak_of(self->m.pid);
	ASSERT_LE(MUCH, peak);
	ASSERT_TRUE(becomes_cat(&self->m));
	/* As long as it lives it is that of this one. */
	EXPECT_GT(MUCH, peak_of(self->m.pid));
	close(self->m.to);
	ASSERT_TRUE(has_ended(&self->m));
	EXPECT_EQ(peak, peak_of(self->m.pid));
}

/* A program that allocates MUCH, and ends. */
static long exec_dd(long unused)
{
	char bs[32];

	snprintf(bs, sizeof(bs), "bs=%d", 64 * MIB);
	dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
	execl("/bin/busybox", "dd", "if=/dev/zero", "of=/dev/null", bs, "count=1", NULL);
	return -errno;
}

/* The second had. */
TEST_F(verdict, the_peak_of_a_zombie_is_that_of_its_last_program)
{
	ASSERT_GT(MUCH, peak_of(self->m.pid));
	tell(&self->m, exec_dd, 0);
	ASSERT_TRUE(has_ended(&self->m));
	EXPECT_LE(MUCH, peak_of(self->m.pid));
	EXPECT_GT(2 * MUCH, peak_of(self->m.pid));
}

/* --- Over its threads. --- */

static void *do_order(void *order)
{
	struct order *this = order;

	return (void *)this->call(this->arg);
}

/* What another thread makes of it. */
static long in_a_thread(long (*call)(long arg), long arg)
{
	struct order order = { call, arg };
	pthread_t thread;
	void *result;

	if (pthread_create(&thread, NULL, do_order, &order) || pthread_join(thread, &result))
		return -EAGAIN;
	return (long)result;
}

static long let_a_thread_be_refused(long times)
{
	return in_a_thread(be_refused, times);
}

TEST_F(verdict, is_that_of_all_threads)
{
	char task[64];

	ASSERT_EQ(0, ask(&self->m, be_refused, 1));
	ASSERT_EQ(0, ask(&self->m, let_a_thread_be_refused, 2));
	EXPECT_EQ(3, refused_of(self->m.pid));
	snprintf(task, sizeof(task), "/proc/%d/task/%d/status", self->m.pid, self->m.pid);
	EXPECT_EQ(3, proc_number(task, "HeapRefused:"));
	tell(&self->m, leave, 0);
	ASSERT_TRUE(has_ended(&self->m));
	EXPECT_EQ(3, refused_of(self->m.pid));
}

static void *obey_from_now_on(void *unused)
{
	long result = syscall(SYS_gettid);

	if (write(results, &result, sizeof(result)) != sizeof(result))
		_exit(1);
	obey();
	return NULL;
}

/* The first thread ends, another one goes on. Its id. */
static long hand_over(long unused)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, obey_from_now_on, NULL))
		return -EAGAIN;
	syscall(SYS_exit, 0);
	return 0;
}

TEST_F(verdict, outlives_the_first_thread)
{
	char task[64];
	long tid, peak;

	ASSERT_EQ(0, ask(&self->m, be_refused, 1));
	tid = ask(&self->m, hand_over, 0);
	ASSERT_LT(0, tid);
	snprintf(task, sizeof(task), "/proc/%d/task/%ld/status", self->m.pid, tid);
	ASSERT_EQ(0, ask(&self->m, be_refused, 1));
	ASSERT_EQ(0, ask(&self->m, map_and_unmap, MUCH));
	EXPECT_EQ(2, proc_number(task, "HeapRefused:"));
	peak = proc_pages(task, "VmHeapPeak:");
	ASSERT_LE(MUCH, peak);
	tell(&self->m, leave, 0);
	ASSERT_TRUE(has_ended(&self->m));
	EXPECT_EQ(2, refused_of(self->m.pid));
	EXPECT_EQ(peak, peak_of(self->m.pid));
}

/* A thread becomes the process, and its program. */
static long let_a_thread_exec(long unused)
{
	return in_a_thread(exec_cat, 0);
}

TEST_F(verdict, outlives_exec_by_a_thread)
{
	ASSERT_EQ(0, ask(&self->m, let_a_thread_be_refused, 2));
	ASSERT_EQ(0, ask(&self->m, map_and_unmap, MUCH));
	tell(&self->m, let_a_thread_exec, 0);
	ASSERT_TRUE(is_cat(&self->m));
	EXPECT_EQ(2, refused_of(self->m.pid));
	close(self->m.to);
	ASSERT_TRUE(has_ended(&self->m));
	EXPECT_EQ(2, refused_of(self->m.pid));
	EXPECT_LE(MUCH, peak_of(self->m.pid));
}

/* --- Memory that is shared is counted for who asks. --- */

/* A child in the memory of the caller is refused. What the caller was, by then. */
static long let_a_vfork_be_refused(long times)
{
	pid_t pid = vfork();

	if (pid == 0) {
		be_refused(times);
		_exit(0);
	}
	return pid < 0 || waitpid(pid, NULL, 0) != pid ? -errno : heap_refused();
}

TEST_F(verdict, a_vfork_is_a_process_of_its_own)
{
	ASSERT_EQ(0, ask(&self->m, let_a_vfork_be_refused, 2));
	EXPECT_EQ(0, refused_of(self->m.pid));
	EXPECT_EQ(2, children_refused_of(self->m.pid));
}

/* The peak of a spawned program that has ended, in pages. */
static long spawn_and_look(long unused)
{
	char *const argv[] = { "true", NULL };
	siginfo_t info;
	long peak;
	pid_t pid;

	if (posix_spawn(&pid, "/bin/busybox", NULL, NULL, argv, NULL) ||
	    waitid(P_PID, pid, &info, WEXITED | WNOWAIT))
		return -errno;
	peak = peak_of(pid);
	return waitpid(pid, NULL, 0) == pid ? peak : -errno;
}

/* What it was spawned from never was its own. */
TEST_F(verdict, a_spawned_program_has_no_peak_of_its_parent)
{
	long peak;

	ASSERT_EQ(0, ask(&self->m, map_pages, MUCH));
	peak = ask(&self->m, spawn_and_look, 0);
	ASSERT_LT(0, peak);
	ASSERT_GT(MUCH, peak);
}

/* --- Children that were reaped. --- */

/* A child that was refused so often has ended. Its pid. */
static long leave_a_zombie(long times)
{
	siginfo_t info;
	pid_t pid = fork();

	if (pid == 0) {
		be_refused(times);
		_exit(0);
	}
	return pid < 0 || waitid(P_PID, pid, &info, WEXITED | WNOWAIT) ? -errno : pid;
}

static long reap_zombie(long pid)
{
	return waitpid(pid, NULL, 0) == pid ? 0 : -errno;
}

TEST_F(verdict, children_count_when_they_are_reaped)
{
	long first, second;

	EXPECT_EQ(0, children_refused_of(self->m.pid));
	EXPECT_EQ(0, children_would_refuse_of(self->m.pid));
	ASSERT_EQ(0, ask(&self->m, be_refused, 5));
	first = ask(&self->m, leave_a_zombie, 2);
	second = ask(&self->m, leave_a_zombie, 3);
	ASSERT_LT(0, first);
	ASSERT_LT(0, second);
	EXPECT_EQ(0, children_refused_of(self->m.pid));
	EXPECT_EQ(2, refused_of(first));
	ASSERT_EQ(0, ask(&self->m, reap_zombie, first));
	EXPECT_EQ(2, children_refused_of(self->m.pid));
	ASSERT_EQ(0, ask(&self->m, reap_zombie, second));
	EXPECT_EQ(5, children_refused_of(self->m.pid));
	EXPECT_EQ(0, children_would_refuse_of(self->m.pid));
	EXPECT_EQ(5, refused_of(self->m.pid));
}

TEST_F(verdict, children_of_an_audit)
{
	long pid;

	ASSERT_TRUE(set_mode("audit"));
	pid = ask(&self->m, leave_a_zombie, 2);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ask(&self->m, reap_zombie, pid));
	EXPECT_EQ(0, children_refused_of(self->m.pid));
	EXPECT_EQ(2, children_would_refuse_of(self->m.pid));
}

/* A child that is refused 4 times reaps one that is 3 times. What it shows is kept. */
static long have_a_grandchild(long reaped)
{
	siginfo_t info;
	pid_t pid = fork();
	long grandchild;

	if (pid == 0) {
		be_refused(4);
		grandchild = leave_a_zombie(3);
		if (reaped)
			reap_zombie(grandchild);
		_exit(grandchild < 0);
	}
	return pid < 0 || waitid(P_PID, pid, &info, WEXITED | WNOWAIT) || info.si_status ?
		-ECHILD : pid;
}

TEST_F(verdict, grandchildren_count_when_all_are_reaped)
{
	long pid = ask(&self->m, have_a_grandchild, true);

	ASSERT_LT(0, pid);
	EXPECT_EQ(4, refused_of(pid));
	EXPECT_EQ(3, children_refused_of(pid));
	EXPECT_EQ(0, children_refused_of(self->m.pid));
	ASSERT_EQ(0, ask(&self->m, reap_zombie, pid));
	EXPECT_EQ(7, children_refused_of(self->m.pid));
	/* And so on. */
	tell(&self->m, leave, 0);
	ASSERT_TRUE(has_ended(&self->m));
	EXPECT_EQ(7, children_refused_of(self->m.pid));
	EXPECT_EQ(0, children_refused_of(getpid()));
	ASSERT_TRUE(reap(&self->m));
	EXPECT_EQ(7, children_refused_of(getpid()));
	ASSERT_TRUE(start_member(&self->m, NULL));
}

TEST_F(verdict, a_grandchild_that_nobody_reaped_is_another_ones)
{
	long pid = ask(&self->m, have_a_grandchild, false);

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ask(&self->m, reap_zombie, pid));
	EXPECT_EQ(4, children_refused_of(self->m.pid));
}

/* Nobody reaps them. */
static long ignore_children(long times)
{
	pid_t pid;

	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (pid == 0) {
		be_refused(times);
		_exit(0);
	}
	/* Until there are none. */
	return pid < 0 || waitpid(pid, NULL, 0) != -1 || errno != ECHILD ? -EINVAL : 0;
}

/* As their times are not added either. */
TEST_F(verdict, ignored_children_do_not_count)
{
	ASSERT_EQ(0, ask(&self->m, ignore_children, 2));
	EXPECT_EQ(0, children_refused_of(self->m.pid));
}

static long let_a_thread_reap(long pid)
{
	return in_a_thread(reap_zombie, pid);
}

TEST_F(verdict, a_thread_reaps_for_its_process)
{
	long pid = ask(&self->m, leave_a_zombie, 2);

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ask(&self->m, let_a_thread_reap, pid));
	EXPECT_EQ(2, children_refused_of(self->m.pid));
}

TEST_F(verdict, children_are_those_of_the_process_over_exec)
{
	long pid = ask(&self->m, leave_a_zombie, 2);

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ask(&self->m, reap_zombie, pid));
	ASSERT_TRUE(becomes_cat(&self->m));
	EXPECT_EQ(2, children_refused_of(self->m.pid));
}

TEST_F(verdict, a_child_begins_with_no_children)
{
	long pid = ask(&self->m, leave_a_zombie, 2);

	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ask(&self->m, reap_zombie, pid));
	pid = ask(&self->m, fork_child, 0);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, refused_of(pid));
	EXPECT_EQ(0, children_refused_of(pid));
	EXPECT_EQ(0, children_would_refuse_of(pid));
	ASSERT_EQ(0, ask(&self->m, reap_child, pid));
}

/* Each of them is a line of every status, once. */
TEST_F(verdict, every_status_has_the_lines)
{
	static const char * const names[] = {
		"\nHeapRefused:\t", "\nHeapWouldRefuse:\t", "\nHeapRefusedChildren:\t",
		"\nHeapWouldRefuseChildren:\t", "\nVmHeapPeak:\t",
	};

	for (int ended = 0; ended < 2; ended++) {
		for (int i = 0; i < ARRAY_SIZE(names); i++) {
			char *at = strstr(read_proc(status_of(self->m.pid)), names[i]);

			ASSERT_NE(NULL, at) {
				TH_LOG("no %s, ended: %d", names[i] + 1, ended);
			}
			EXPECT_EQ(NULL, strstr(at + 1, names[i]));
		}
		if (!ended)
			tell(&self->m, leave, 0);
		ASSERT_TRUE(has_ended(&self->m));
	}
}

/* --- By the limit of a job. --- */

TEST_F(verdict, counts_what_the_job_refused)
{
	const char *reason = no_job_limit();
	struct member a;

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_TRUE(make_job());
	ASSERT_TRUE(start_member(&a, A));
	ASSERT_TRUE(allow_job_pages(JOB, 0));
	ASSERT_EQ(-ENOMEM, ask(&a, map_pages, 1));
	tell(&a, leave, 0);
	ASSERT_TRUE(has_ended(&a));
	EXPECT_EQ(1, refused_of(a.pid));
	/* Also when its cgroup has gone. */
	EXPECT_TRUE(remove_job());
	EXPECT_EQ(1, refused_of(a.pid));
	ASSERT_TRUE(reap(&a));
	EXPECT_EQ(1, children_refused_of(getpid()));
}

TEST_HARNESS_MAIN
