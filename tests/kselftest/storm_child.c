// SPDX-License-Identifier: GPL-2.0-only
/*
 * storm_child SLOT: one of the processes of a storm (see storm.c). Maps, unmaps,
 * forks, executes itself, moves between cgroups and removes them, by chance, until
 * it is over, and stands still when it is to.
 */

#define _GNU_SOURCE
#include <signal.h>
#include <sys/prctl.h>

#include "storm.h"

#define AREAS 8
#define MAX_PAGES 32

static struct table *table;
static struct slot *me;
static int my_slot;
static bool is_child;	/* which has no child */

static struct {
	char *p;
	size_t size;
} areas[AREAS];

/* Something is as it can never be. */
#define FAIL(what) do {								\
	fprintf(stderr, "# storm %d: %s: %s\n", my_slot, what, strerror(errno));	\
	_exit(1);								\
} while (0)

static void done(enum done what)
{
	atomic_fetch_add(&table->done[what], 1);
}

/* splitmix64, as in fuzz.c. */
static unsigned int below(unsigned int n)
{
	unsigned long z = (me->chance += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (z ^ (z >> 31)) % n;
}

/* A limit may have refused it, and the machine may not. */
static bool refused(bool failed)
{
	if (failed && errno != ENOMEM)
		FAIL("another error than ENOMEM");
	if (failed)
		atomic_fetch_add(&table->failed, 1);
	return failed;
}

static void map(int i)
{
	const int prots[] = { RW, PROT_READ, PROT_NONE };
	size_t size = (1 + below(MAX_PAGES)) * page_size;
	char *p = mmap(NULL, size, prots[below(3)], ANON, -1, 0);

	if (refused(p == MAP_FAILED))
		return;
	areas[i].p = p;
	areas[i].size = size;
	done(MAPPED);
}

static void unmap(int i)
{
	if (munmap(areas[i].p, areas[i].size))
		FAIL("munmap");
	areas[i].p = NULL;
	done(UNMAPPED);
}

static void remap(int i)
{
	size_t size = (1 + below(MAX_PAGES)) * page_size;
	char *p = mremap(areas[i].p, areas[i].size, size, MREMAP_MAYMOVE);

	/* A part of it may be another mapping. */
	if (p == MAP_FAILED && errno == EFAULT)
		return;
	if (refused(p == MAP_FAILED))
		return;
	areas[i].p = p;
	areas[i].size = size;
	done(REMAPPED);
}

static void protect(int i)
{
	size_t size = (1 + below(areas[i].size / page_size)) * page_size;

	refused(mprotect(areas[i].p, size, RW));
}

/* Below it is what the C library has there. */
static uintptr_t first_break;

static void change_break(void)
{
	uintptr_t now = sys_brk(0);

	sys_brk(below(2) ? now + below(MAX_PAGES) * page_size :
		now - below(now - first_break + 1));
	done(GREW);
}

static void map_something(void)
{
	int i = below(AREAS);

	if (!areas[i].p)
		return map(i);
	switch (below(4)) {
	case 0:
		return unmap(i);
	case 1:
		return protect(i);
	default:
		return remap(i);
	}
}

/* The other slot of ours, which our child has. */
static struct slot *child_slot(void)
{
	return &table->slots[my_slot + STORMS];
}

static void run(void);

/* A child that goes on by itself. What it got belongs to where we are. */
static void fork_child(void)
{
	struct slot *slot = child_slot();
	pid_t pid;

	slot->where = me->where;
	slot->owner = me->where;
	slot->chance = me->chance ^ ((unsigned long)my_slot << 40);
	atomic_store(&slot->arrived, 0);
	pid = fork();
	if (pid < 0)
		FAIL("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		atomic_store(&slot->pid, getpid());
		my_slot += STORMS;
		me = slot;
		is_child = true;
		run();
	}
	atomic_store(&slot->pid, pid);
	done(FORKED);
}

/* Whatever it is doing just now. */
static void end_child(void)
{
	pid_t pid = atomic_load(&child_slot()->pid);
	int status;

	if (kill(pid, SIGKILL) || waitpid(pid, &status, 0) != pid)
		FAIL("end_child");
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		FAIL("a child ended by itself");
	atomic_store(&child_slot()->pid, 0);
}

/* One that ends at once, with all that it got. */
static void fork_and_reap(void)
{
	if (!IN_CHILD(mmap(NULL, page_size, RW, ANON, -1, 0) || true))
		FAIL("fork_and_reap");
	done(FORKED);
}

/* Where no limit keeps it from starting. What it has belongs to where we are then. */
static void execute(void)
{
	char slot[16];

	if (me->where != NOWHERE && parent_of(me->where) == 0)
		return;
	me->owner = me->where;
	snprintf(slot, sizeof(slot), "%d", my_slot);
	done(EXECED);
	execl("/proc/self/exe", "storm_child", slot, NULL);
	FAIL("exec");
}

/* To a leaf, or out of all of them. It may go while we do. */
static void move(void)
{
	int leaf = below(LEAVES + 1);
	int number = leaf == LEAVES ? NOWHERE : atomic_load(&table->leaves[leaf]);

	if (move_to(path_of(number), 0)) {
		me->where = number;
		done(MOVED);
	} else if (errno != ENOENT && errno != ENODEV) {
		FAIL("move");
	}
}

/* If nobody is in it. What belongs to it may live on. */
static void remove_leaf(void)
{
	int leaf = below(LEAVES);
	int number = atomic_load(&table->leaves[leaf]);
	int next;

	if (rmdir(path_of(number))) {
		if (errno != EBUSY && errno != ENOENT)
			FAIL("rmdir");
		return;
	}
	next = (1 + atomic_fetch_add(&table->made, 1)) * LEAVES + leaf;
	if (mkdir(path_of(next), 0755))
		FAIL("mkdir");
	atomic_store(&table->leaves[leaf], next);
	done(REMOVED);
}

/* As long as all are to. */
static void stand_still(void)
{
	long stop = atomic_load(&table->stop);

	if (stop % 2 == 0)
		return;
	atomic_store(&me->arrived, stop);
	while (atomic_load(&table->stop) == stop)
		usleep(500);
}

static void step(void)
{
	unsigned int dice = below(100);
	bool has_child = !is_child && atomic_load(&child_slot()->pid);

	if (dice < 60)
		map_something();
	else if (dice < 70)
		change_break();
	else if (dice < 80)
		move();
	else if (dice < 84)
		execute();
	else if (is_child)	/* It can end in the middle of any of these */
		return;
	else if (dice < 88)
		fork_and_reap();
	else if (dice < 94)
		has_child ? end_child() : fork_child();
	else
		remove_leaf();
}

static void run(void)
{
	while (!atomic_load(&table->over)) {
		stand_still();
		step();
	}
	if (!is_child && atomic_load(&child_slot()->pid))
		end_child();
	/* A child waits to be ended, by a signal. */
	while (is_child)
		pause();
	_exit(0);
}

int main(int argc, char **argv)
{
	table = map_table();
	if (argc != 2 || !table)
		return 1;
	my_slot = atoi(argv[1]);
	me = &table->slots[my_slot];
	is_child = my_slot >= STORMS;
	first_break = sys_brk(0);
	run();
}
