// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that map, fork, exec, move and remove cgroups all at once, while modules
 * come and go. Whenever all of them stand still, what each cgroup tells is the sum of
 * the heaps that belong to it, and it is 0 when all have ended.
 *
 * Environment: storm_seconds (5), storm_seed (the time).
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "kselftest_harness.h"
#include "module.h"
#include "storm.h"

/* Those that storm_child.c counts, by enum done. */
static const char * const names[] = {
	"mapped", "unmapped", "remapped", "grown", "forked", "executed", "moved", "removed",
};

static unsigned long setting(const char *name, unsigned long value)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : value;
}

/* By whatever numbers there are. */
static void remove_leaves(const char *parent)
{
	DIR *dir = opendir(parent);
	struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			rmdir(file_of(parent, entry->d_name));
	if (dir)
		closedir(dir);
}

/* Also what a test that failed has left. */
static bool remove_storm(void)
{
	for (int parent = 0; parent < PARENTS; parent++) {
		const char *path = path_of_parent(parent);

		if (access(path, F_OK))
			continue;
		if (!cgroup_set(path, "cgroup.kill", "1") || !is_deserted(path))
			return false;
		remove_leaves(path);
		if (rmdir(path))
			return false;
	}
	return remove_job();
}

/* The table, in a file that survives exec. */
static struct table *make_table(void)
{
	int fd = memfd_create("storm", 0);

	return fd < 0 || ftruncate(fd, sizeof(struct table)) || dup2(fd, TABLE_FD) != TABLE_FD ||
	       close(fd) ? NULL : map_table();
}

FIXTURE(storm)
{
	struct table *table;
	pid_t pids[STORMS];
	unsigned long seed;
};

FIXTURE_SETUP(storm)
{
	const char *reason = no_job_limit();

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_TRUE(begin_anew("addr0"));
	ASSERT_TRUE(remove_storm());
	ASSERT_TRUE(make_parent(TOP));
	for (int parent = 0; parent < PARENTS; parent++)
		ASSERT_TRUE(make_parent(path_of_parent(parent)));
	self->table = make_table();
	ASSERT_NE(NULL, self->table);
	/* Until all are there. */
	atomic_store(&self->table->stop, 1);
	for (int leaf = 0; leaf < LEAVES; leaf++) {
		atomic_store(&self->table->leaves[leaf], leaf);
		ASSERT_EQ(0, mkdir(path_of(leaf), 0755));
	}
	self->seed = setting("storm_seed", time(NULL));
}

FIXTURE_TEARDOWN(storm)
{
	for (int i = 0; i < STORMS; i++)
		if (self->pids[i] > 0 && kill(self->pids[i], SIGKILL) == 0)
			waitpid(self->pids[i], NULL, 0);
	EXPECT_TRUE(remove_storm());
	EXPECT_TRUE(begin_anew("addr0"));
}

/* In the last leaf, where no limit keeps it from starting. */
static pid_t start(struct table *table, int i, unsigned long seed)
{
	int where = LEAVES - 1;
	struct slot *slot = &table->slots[i];
	char number[16];
	pid_t pid;

	slot->where = where;
	slot->owner = where;
	slot->chance = seed + ((unsigned long)i << 32);
	snprintf(number, sizeof(number), "%d", i);
	pid = fork_in(path_of(where));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("./storm_child", "storm_child", number, NULL);
		_exit(1);
	}
	atomic_store(&slot->pid, pid);
	return pid;
}

/*
 * Is anybody still about to do something? A child is looked at after the one that it
 * is a child of: that one, when it has arrived, starts and ends none any more.
 */
static bool moves(struct table *table, long stop)
{
	for (int i = 0; i < SLOTS; i++)
		if (atomic_load(&table->slots[i].pid) &&
		    atomic_load(&table->slots[i].arrived) != stop)
			return true;
	return false;
}

/* All stand still, after a while. */
static bool stop(struct table *table)
{
	long stop = atomic_fetch_add(&table->stop, 1) + 1;

	for (int i = 0; i < 20000; i++, usleep(1000))
		if (!moves(table, stop))
			return true;
	return false;
}

static void go_on(struct table *table)
{
	atomic_fetch_add(&table->stop, 1);
}

/* What is there of the heaps that belong to a cgroup by @is_below. */
static long sum(struct table *table, bool (*is_below)(int owner, int number), int number)
{
	long pages = 0;

	for (int i = 0; i < SLOTS; i++) {
		struct slot *slot = &table->slots[i];
		pid_t pid = atomic_load(&slot->pid);

		if (pid && slot->owner != NOWHERE && is_below(slot->owner, number))
			pages += heap_of(pid);
	}
	return pages;
}

static bool is_leaf(int owner, int number)
{
	return owner == number;
}

static bool is_below_parent(int owner, int parent)
{
	return parent_of(owner) == parent;
}

static bool is_below_top(int owner, int unused)
{
	return true;
}

/* How many cgroups tell something else than there is. */
static int wrong(struct table *table)
{
	int n = 0;

	for (int leaf = 0; leaf < LEAVES; leaf++) {
		int number = atomic_load(&table->leaves[leaf]);
		long told = heap_current(path_of(number)), is = sum(table, is_leaf, number);

		if (told != is)
			printf("# leaf %d tells %ld pages, and has %ld\n", number, told, is);
		n += told != is;
	}
	for (int parent = 0; parent < PARENTS; parent++) {
		long told = heap_current(path_of_parent(parent));
		long is = sum(table, is_below_parent, parent);

		if (told != is)
			printf("# %s tells %ld pages, and has %ld\n", path_of_parent(parent),
			       told, is);
		n += told != is;
	}
	return n + (heap_current(TOP) != sum(table, is_below_top, 0));
}

/* A limit near what there is, or none, of a parent or of a leaf below it. */
static void change_a_limit(struct table *table, int i)
{
	const char *cgroup = i % 3 ? path_of(atomic_load(&table->leaves[i % 2])) :
		path_of_parent(0);

	if (i % 4 == 0)
		cgroup_set(cgroup, MAX, "max");
	else
		allow_job_pages(cgroup, i % 7 * 16);
}

/* The module comes and goes; when it is there one policy decides, or another. */
static bool change_the_module(int i)
{
	const char * const policies[] = { "addr0", "commit", "resident" };

	if (i % 4)
		return set_policy(policies[i % 4 - 1]);
	return unload("rlimit_heap") == 0 && load("rlimit_heap.ko") == 0;
}

static bool is_alive(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

TEST_F_TIMEOUT(storm, each_cgroup_is_the_sum_of_what_belongs_to_it, 900)
{
	unsigned long seconds = setting("storm_seconds", 5);
	struct table *table = self->table;
	time_t end;
	int status, stops;

	for (int i = 0; i < STORMS; i++) {
		self->pids[i] = start(table, i, self->seed);
		ASSERT_LT(0, self->pids[i]);
	}
	go_on(table);
	end = time(NULL) + seconds;
	for (stops = 0; time(NULL) < end; stops++) {
		/* Not faster, as in report.c. */
		usleep(50000);
		change_a_limit(table, stops);
		ASSERT_TRUE(change_the_module(stops));
		ASSERT_TRUE(stop(table)) {
			TH_LOG("storm_seed=%lu: somebody does not come to a stop", self->seed);
		}
		for (int i = 0; i < STORMS; i++)
			ASSERT_TRUE(is_alive(self->pids[i]));
		ASSERT_EQ(0, wrong(table)) {
			TH_LOG("storm_seed=%lu, stop %d", self->seed, stops);
		}
		go_on(table);
	}
	atomic_store(&table->over, true);
	for (int i = 0; i < STORMS; i++) {
		ASSERT_EQ(self->pids[i], waitpid(self->pids[i], &status, 0));
		EXPECT_EQ(0, status);
		self->pids[i] = 0;
	}
	for (int leaf = 0; leaf < LEAVES; leaf++)
		EXPECT_EQ(0, heap_current(path_of(atomic_load(&table->leaves[leaf]))));
	for (int parent = 0; parent < PARENTS; parent++)
		EXPECT_EQ(0, heap_current(path_of_parent(parent)));
	EXPECT_EQ(0, heap_current(TOP));

	/* A storm in which something never happens shows nothing about it. */
	for (int i = 0; i < ARRAY_SIZE(names); i++) {
		long times = atomic_load(&table->done[i]);

		EXPECT_LT(0, times) {
			TH_LOG("nothing was %s", names[i]);
		}
	}
	TH_LOG("%d stops, %ld maps, %ld forks, %ld execs, %ld moves, %ld rmdirs, %ld refused",
	       stops, table->done[MAPPED], table->done[FORKED], table->done[EXECED],
	       table->done[MOVED], table->done[REMOVED], table->failed);
}

TEST_HARNESS_MAIN
