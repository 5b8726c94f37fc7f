// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module comes and goes. Runs as root with rlimit_heap.ko loaded, and with
 * it and slow_policy.ko in the working directory.
 *
 * Environment: module_rounds (10), how often under load.
 */

#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "kselftest_harness.h"
#include "heap.h"
#include "module.h"

#define PAGES 16
#define SIZE (PAGES * page_size)
#define STORMS 4

/* As in slow_policy.rs. */
#define STALL_PAGES 54321
#define RUNS_ON "slow_policy: a hook runs after the policy has unregistered"

/* The file of the module, of @size bytes, in a static buffer. */
static char *read_module(size_t *size)
{
	static char buf[8 * MIB];
	int fd = open("rlimit_heap.ko", O_RDONLY);
	ssize_t n;

	for (*size = 0; (n = read(fd, buf + *size, sizeof(buf) - *size)) > 0; *size += n)
		;
	close(fd);
	return n == 0 && *size > 0 ? buf : NULL;
}

static int load_bytes(const char *bytes, size_t size, const char *parameters)
{
	return syscall(SYS_init_module, bytes, size, parameters);
}

/* What the kernel tells anybody about who decides what is heap. */
static bool policy_is(const char *name)
{
	return file_is(POLICY_FILE, name);
}

FIXTURE(module)
{
	long heap;
	char *p;	/* heap from before the module goes */
};

FIXTURE_SETUP(module)
{
	/* A test that failed may have left it otherwise. */
	unload("slow_policy");
	load("rlimit_heap.ko");
	self->heap = total_heap();
	self->p = mmap(NULL, SIZE, RW, ANON, -1, 0);
	ASSERT_NE(MAP_FAILED, self->p);
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

FIXTURE_TEARDOWN(module)
{
	unload("slow_policy");
	load("rlimit_heap.ko");
	ASSERT_EXACT();
}

TEST_F(module, another_policy_is_refused)
{
	ASSERT_EQ(-1, load("slow_policy.ko"));
	ASSERT_EQ(EBUSY, errno);
	/* The one that is there goes on. */
	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(ENOMEM, errno);

	ASSERT_TRUE(policy_is("[addr0] commit resident\n"));

	ASSERT_EQ(0, unload("rlimit_heap"));
	ASSERT_TRUE(policy_is("none\n"));
	ASSERT_TRUE(file_is(MODE_FILE, "none\n"));
	ASSERT_EQ(0, load("slow_policy.ko"));
	ASSERT_TRUE(policy_is("[slow]\n"));
	ASSERT_EQ(-1, load("rlimit_heap.ko"));
	ASSERT_EQ(EBUSY, errno);
	ASSERT_TRUE(logged("rlimit_heap: another heap policy is registered; "
			   "remove its module first"));
}

TEST_F(module, twice_is_refused)
{
	ASSERT_EQ(-1, load("rlimit_heap.ko"));
	ASSERT_EQ(EEXIST, errno);
}

TEST_F(module, a_truncated_file_is_refused)
{
	size_t size;
	char *file = read_module(&size);

	ASSERT_NE(NULL, file);
	ASSERT_EQ(0, unload("rlimit_heap"));
	for (size_t part = size - 1; part > 0; part /= 2) {
		ASSERT_EQ(-1, load_bytes(file, part, ""));
		ASSERT_EQ(ENOEXEC, errno);
	}
	/* Nothing is left of the attempts. */
	ASSERT_EQ(0, load_bytes(file, size, ""));
}

TEST_F(module, one_for_another_kernel_is_refused)
{
	size_t size;
	char *file = read_module(&size);
	char *magic = file ? memmem(file, size, "vermagic=", 9) : NULL;

	ASSERT_NE(NULL, magic);
	ASSERT_EQ(0, unload("rlimit_heap"));
	magic[9]++;
	ASSERT_EQ(-1, load_bytes(file, size, ""));
	ASSERT_EQ(ENOEXEC, errno);
	ASSERT_TRUE(logged("rlimit_heap: version magic '"));
	magic[9]--;
	ASSERT_EQ(0, load_bytes(file, size, ""));
}

TEST_F(module, an_unknown_parameter_is_told)
{
	size_t size;
	char *file = read_module(&size);

	ASSERT_NE(NULL, file);
	ASSERT_EQ(0, unload("rlimit_heap"));
	/* As for all modules: it does not keep one from loading. */
	ASSERT_EQ(0, load_bytes(file, size, "limit=64M"));
	ASSERT_TRUE(logged("rlimit_heap: unknown parameter 'limit' ignored"));
}

TEST_F(module, a_parameter_chooses_the_policy)
{
	size_t size;
	char *file = read_module(&size);

	ASSERT_NE(NULL, file);
	ASSERT_EQ(0, unload("rlimit_heap"));
	ASSERT_EQ(-1, load_bytes(file, size, "policy=second"));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_TRUE(logged("heap_limit: no policy second; there are: addr0 commit resident\n"));
	ASSERT_TRUE(policy_is("none\n"));

	ASSERT_EQ(0, load_bytes(file, size, "policy=commit"));
	ASSERT_TRUE(policy_is("addr0 [commit] resident\n"));
	ASSERT_TRUE(logged("rlimit_heap: policy commit, mode enforce\n"));
	ASSERT_EQ(0, unload("rlimit_heap"));
}

TEST_F(module, a_parameter_chooses_the_mode)
{
	size_t size;
	char *file = read_module(&size);

	ASSERT_NE(NULL, file);
	ASSERT_TRUE(file_is(MODE_FILE, "[enforce] audit\n"));
	ASSERT_EQ(0, unload("rlimit_heap"));
	ASSERT_EQ(-1, load_bytes(file, size, "mode=permissive"));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_TRUE(logged("heap_limit: no mode permissive; there are: enforce audit\n"));
	ASSERT_TRUE(policy_is("none\n"));
	ASSERT_TRUE(file_is(MODE_FILE, "none\n"));

	ASSERT_EQ(0, load_bytes(file, size, "mode=audit policy=commit"));
	ASSERT_TRUE(policy_is("addr0 [commit] resident\n"));
	ASSERT_TRUE(file_is(MODE_FILE, "enforce [audit]\n"));
	ASSERT_TRUE(logged("rlimit_heap: policy commit, mode audit\n"));
	ASSERT_EQ(0, set_limit(0));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));

	/* The next module that comes enforces, unless it is told otherwise. */
	ASSERT_EQ(0, unload("rlimit_heap"));
	ASSERT_FALSE(set_mode("audit"));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_EQ(0, load("rlimit_heap.ko"));
	ASSERT_TRUE(file_is(MODE_FILE, "[enforce] audit\n"));
}

/* Anybody may look, and root choose. */
static bool others_only_look(void)
{
	return setuid(65534) == 0 && policy_is("addr0 [commit] resident\n") &&
		!set_policy("addr0") && errno == EACCES;
}

TEST_F(module, the_policy_is_chosen_in_sysfs)
{
	ASSERT_TRUE(set_policy("commit\n"));
	ASSERT_TRUE(policy_is("addr0 [commit] resident\n"));
	ASSERT_TRUE(IN_CHILD(others_only_look()));
	ASSERT_FALSE(set_policy("comm"));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_TRUE(logged("heap_limit: no policy comm; there are: addr0 commit resident\n"));
	ASSERT_TRUE(policy_is("addr0 [commit] resident\n"));
	ASSERT_TRUE(set_policy("addr0"));
	ASSERT_TRUE(policy_is("[addr0] commit resident\n"));

	ASSERT_EQ(0, unload("rlimit_heap"));
	ASSERT_FALSE(set_policy("addr0"));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_TRUE(logged("heap_limit: no policy addr0; there are: none\n"));
}

TEST_F(module, without_it_nothing_is_heap)
{
	ASSERT_EQ(0, unload("rlimit_heap"));
	ASSERT_EQ(0, set_limit(0));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

TEST_F(module, heap_from_before_stays_exact)
{
	ASSERT_EQ(0, unload("rlimit_heap"));
	ASSERT_EQ(0, set_limit(0));
	/* It grows without a limit, and is counted. */
	self->p = mremap(self->p, SIZE, 2 * SIZE, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, self->p);
	ASSERT_EQ(self->heap + 2 * PAGES, total_heap());
	ASSERT_EQ(0, munmap(self->p + page_size, page_size));
	ASSERT_EQ(self->heap + 2 * PAGES - 1, total_heap());
	ASSERT_EXACT();
	ASSERT_TRUE(IN_CHILD(total_heap() == self->heap + 2 * PAGES - 1));
	ASSERT_EQ(0, munmap(self->p, 2 * SIZE));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(module, loaded_again)
{
	char *unmarked;

	ASSERT_EQ(0, unload("rlimit_heap"));
	unmarked = mmap(NULL, SIZE, RW, ANON, -1, 0);
	ASSERT_NE(MAP_FAILED, unmarked);
	ASSERT_EQ(0, load("rlimit_heap.ko"));

	/* What was mapped meanwhile is not heap; what comes is. */
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EQ(0, allow_pages(PAGES));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(self->heap + 2 * PAGES, total_heap());
	ASSERT_EQ(0, munmap(unmarked, SIZE));
	ASSERT_EQ(self->heap + 2 * PAGES, total_heap());
}

TEST_F(module, break_across_a_reload)
{
	uintptr_t old = (sys_brk(0) + page_size - 1) & -page_size;

	ASSERT_EQ(0, unload("rlimit_heap"));
	ASSERT_EQ(old + SIZE, sys_brk(old + SIZE));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EQ(0, load("rlimit_heap.ko"));
	ASSERT_EQ(old + 2 * SIZE, sys_brk(old + 2 * SIZE));
	ASSERT_EQ(self->heap + 2 * PAGES, total_heap());
	ASSERT_EXACT();
	/* Down through both parts. */
	ASSERT_EQ(old, sys_brk(old));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

/* Until killed: all hooks. */
static void storm(void)
{
	for (;;) {
		uintptr_t old = sys_brk(0);
		char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);
		char *q = mremap(p, SIZE, 2 * SIZE, MREMAP_MAYMOVE);

		sys_brk(old + SIZE);
		if (q == MAP_FAILED || munmap(q, 2 * SIZE) || sys_brk(old) != old ||
		    !IN_CHILD(true) || heap_vma_pages(NULL) != total_heap())
			_exit(1);
	}
}

TEST_F_TIMEOUT(module, comes_and_goes_under_load, 900)
{
	const char *rounds = getenv("module_rounds");
	pid_t pids[STORMS];
	int status;

	for (int i = 0; i < STORMS; i++) {
		pids[i] = fork();
		ASSERT_GE(pids[i], 0);
		if (pids[i] == 0)
			storm();
	}
	for (int i = rounds ? atoi(rounds) : 10; i > 0; i--) {
		ASSERT_EQ(0, unload("rlimit_heap"));
		sched_yield();
		ASSERT_EQ(0, load("rlimit_heap.ko"));
		ASSERT_TRUE(set_policy("commit"));
		sched_yield();
		ASSERT_TRUE(set_policy("addr0"));
	}
	for (int i = 0; i < STORMS; i++) {
		ASSERT_EQ(0, waitpid(pids[i], &status, WNOHANG)) {
			TH_LOG("storm %d ended: %#x", i, status);
		}
		ASSERT_EQ(0, kill(pids[i], SIGKILL));
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
	}
}

static bool pin_to_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0;
}

/* Until killed: inside the policy, most of the time, but asleep now and then. */
static void ask_policy(void)
{
	for (int i = 1;; i++) {
		munmap(mmap(NULL, page_size, RW, ANON, -1, 0), page_size);
		if (i % 16 == 0)
			usleep(1);
	}
}

/* Until killed: every now and then others on this CPU stand still for long. */
static void preempt_others(void)
{
	const long burst = 200;	/* ms */
	struct timespec start, now;

	for (;;) {
		clock_gettime(CLOCK_MONOTONIC, &start);
		do {
			clock_gettime(CLOCK_MONOTONIC, &now);
		} while ((now.tv_sec - start.tv_sec) * 1000 +
			 (now.tv_nsec - start.tv_nsec) / 1000000 < burst);
		usleep(20000);
	}
}

static pid_t start_on_cpu(int cpu, int policy, void (*run)(void))
{
	struct sched_param param = { .sched_priority = policy == SCHED_FIFO };
	pid_t pid = fork();

	if (pid == 0) {
		/* It must not outlive a test that fails. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!pin_to_cpu(cpu) || sched_setscheduler(0, policy, &param))
			_exit(1);
		run();
	}
	return pid;
}

/*
 * A task that is inside the policy, on another CPU or preempted, must be able to
 * return to it: unloading waits for it. The policy is a slow one, to make this
 * likely.
 */
TEST_F_TIMEOUT(module, stays_for_those_inside_of_it, 300)
{
	pid_t pids[3];
	int status;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");
	ASSERT_TRUE(pin_to_cpu(0));
	ASSERT_EQ(0, unload("rlimit_heap"));
	ASSERT_LT(0, pids[0] = start_on_cpu(1, SCHED_OTHER, ask_policy));
	ASSERT_LT(0, pids[1] = start_on_cpu(1, SCHED_OTHER, ask_policy));
	ASSERT_LT(0, pids[2] = start_on_cpu(1, SCHED_FIFO, preempt_others));
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(0, load("slow_policy.ko"));
		usleep(250000);
		ASSERT_EQ(0, unload("slow_policy"));
		/* Loaded again at once, it would be where it was. */
		usleep(250000);
	}
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, waitpid(pids[i], &status, WNOHANG));
		ASSERT_EQ(0, kill(pids[i], SIGKILL));
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
	}
	ASSERT_FALSE(logged(RUNS_ON));
}

static bool state_is(const char *module, const char *state)
{
	char path[64], *is;

	snprintf(path, sizeof(path), "/sys/module/%s/initstate", module);
	is = read_proc(path);
	return is && !strcmp(is, state);
}

/* Stays inside the policy for a second. */
static void stall_policy(void)
{
	sys_brk(sys_brk(0) + STALL_PAGES * page_size);
	_exit(0);
}

/* Loads a module while another one unloads; false if that was over before. */
static bool load_meanwhile(const char *other, const char *file, int *ret, int *error)
{
	for (int i = 0; i < 50 && !state_is(other, "going\n"); i++)
		usleep(10000);
	*ret = load(file);
	*error = errno;
	return *ret || state_is(other, "going\n");
}

/*
 * A module that unloads waits for those inside of it; who registers meanwhile does
 * not. On a busy machine it may take some tries to be in time.
 */
TEST_F_TIMEOUT(module, is_refused_while_another_unloads, 120)
{
	bool in_time = false;
	pid_t staller, unloader;
	int status, ret, error;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		SKIP(return, "needs two CPUs");
	ASSERT_TRUE(pin_to_cpu(0));
	for (int i = 0; i < 10 && !in_time; i++) {
		unload("rlimit_heap");
		ASSERT_EQ(0, load("slow_policy.ko"));
		ASSERT_LT(0, staller = start_on_cpu(1, SCHED_OTHER, stall_policy));
		usleep(200000);
		unloader = fork();
		ASSERT_GE(unloader, 0);
		if (unloader == 0)
			_exit(unload("slow_policy"));
		in_time = load_meanwhile("slow_policy", "rlimit_heap.ko", &ret, &error);
		ASSERT_EQ(unloader, waitpid(unloader, &status, 0));
		ASSERT_EQ(0, status);
		ASSERT_EQ(staller, waitpid(staller, &status, 0));
	}
	ASSERT_TRUE(in_time);
	/* Not 0 after a while. */
	ASSERT_EQ(-1, ret);
	ASSERT_EQ(EBUSY, error);
	ASSERT_FALSE(logged(RUNS_ON));
	ASSERT_EQ(0, load("rlimit_heap.ko"));
}

TEST_HARNESS_MAIN
