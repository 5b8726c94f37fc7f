/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the processes of a storm and its test share: who is there, and to which
 * cgroup what they have belongs.
 *
 * All can be brought to stand still. Whoever is to arrive has finished what it was
 * doing then, so that what is written here and in /proc is what there is.
 */

#ifndef STORM_H
#define STORM_H

#include <stdatomic.h>

#include "cgroup.h"

#define PARENTS 2	/* cgroups with limits, and without: there programs start */
#define LEAVES 4	/* cgroups below them that there are at a time */
#define STORMS 4	/* processes */
#define SLOTS (2 * STORMS)	/* each of them with a child, or without */
#define NOWHERE (-1)	/* the root */
#define TABLE_FD 100	/* where the file with the table is open */

struct slot {
	atomic_int pid;		/* or 0 */
	atomic_long arrived;	/* at which of the stops */
	int where;		/* which cgroup it is in, by number */
	int owner;		/* which one its address space belongs to */
	unsigned long chance;
};

struct table {
	atomic_long stop;	/* odd: all are to stand still */
	atomic_bool over;
	/*
	 * Cgroups are numbered as they are made, and never again. That one is leaf
	 * N % LEAVES says where it is, or was.
	 */
	atomic_int leaves[LEAVES];
	atomic_int made;
	atomic_long done[8], failed;	/* what was done, for the curious */
	struct slot slots[SLOTS];
};

enum done { MAPPED, UNMAPPED, REMAPPED, GREW, FORKED, EXECED, MOVED, REMOVED };

static inline struct table *map_table(void)
{
	void *p = mmap(NULL, sizeof(struct table), RW, MAP_SHARED, TABLE_FD, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The parent of a leaf. Programs start below the second one only. */
static inline int parent_of(int number)
{
	return number % LEAVES / (LEAVES / PARENTS);
}

static inline const char *path_of_parent(int parent)
{
	return parent ? TOP "/open" : TOP "/limited";
}

/* In one of some static buffers. */
static inline const char *path_of(int number)
{
	static char paths[4][64];
	static int next;
	char *path = paths[next++ % 4];

	if (number == NOWHERE)
		return CGROUPS;
	snprintf(path, sizeof(paths[0]), "%s/%d", path_of_parent(parent_of(number)), number);
	return path;
}

#endif	/* STORM_H */
