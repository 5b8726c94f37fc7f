/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory cgroups, and what they tell of the heap that belongs to them. */

#ifndef CGROUP_H
#define CGROUP_H

#include <sys/stat.h>

#include "heap.h"

#define CGROUPS "/sys/fs/cgroup"

/* Three levels, two siblings; tasks can be in the leaves only. */
#define TOP CGROUPS "/heap_test"
#define JOB TOP "/job"
#define A JOB "/a"
#define B JOB "/b"

#define CURRENT "memory.heap.current"
#define RESIDENT "memory.heap.resident"
#define PEAK "memory.heap.peak"
#define MAX "memory.heap.max"
#define EVENTS "memory.heap.events"
#define EVENTS_LOCAL "memory.heap.events.local"

/* The path of a file of a cgroup, in a static buffer. */
static inline const char *file_of(const char *cgroup, const char *file)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", cgroup, file);
	return path;
}

static inline bool cgroup_set(const char *cgroup, const char *file, const char *text)
{
	return write_file(file_of(cgroup, file), text);
}

static inline bool cgroup_is(const char *cgroup, const char *file, const char *text)
{
	return file_is(file_of(cgroup, file), text);
}

/* The pages that a file tells in bytes, or -1. */
static inline long cgroup_pages(const char *cgroup, const char *file)
{
	char *text = read_proc(file_of(cgroup, file)), *end;
	long bytes = text ? strtol(text, &end, 10) : -1;

	return bytes < 0 || end == text || strcmp(end, "\n") || bytes % page_size ?
		-1 : bytes / page_size;
}

/* The heap that belongs to a cgroup and those below it, in pages. */
static inline long heap_current(const char *cgroup)
{
	return cgroup_pages(cgroup, CURRENT);
}

/* What of it is there, at most. */
static inline long job_resident(const char *cgroup)
{
	return cgroup_pages(cgroup, RESIDENT);
}

/* The most that it has been. */
static inline long job_peak(const char *cgroup)
{
	return cgroup_pages(cgroup, PEAK);
}

static inline bool set_job_limit(const char *cgroup, long pages)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", pages * page_size);
	return cgroup_set(cgroup, MAX, text);
}

/* Lets the heap of a cgroup grow by @pages pages more. */
static inline bool allow_job_pages(const char *cgroup, long pages)
{
	return set_job_limit(cgroup, heap_current(cgroup) + pages);
}

/* How often growth was refused by the limit of a cgroup, or of one below it. */
static inline long job_refused(const char *cgroup)
{
	return proc_number(file_of(cgroup, EVENTS), "max ");
}

/* By its own. */
static inline long job_refused_itself(const char *cgroup)
{
	return proc_number(file_of(cgroup, EVENTS_LOCAL), "max ");
}

static inline long job_would_refuse(const char *cgroup)
{
	return proc_number(file_of(cgroup, EVENTS), "would_refuse ");
}

static inline long job_would_refuse_itself(const char *cgroup)
{
	return proc_number(file_of(cgroup, EVENTS_LOCAL), "would_refuse ");
}

/* A number, or pages, that the status of another process tells. */
static inline const char *status_of(pid_t pid)
{
	static char path[32];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	return path;
}

static inline long heap_of(pid_t pid)
{
	return proc_pages(status_of(pid), "VmHeap:");
}

/* Moves a process, or the caller if @pid is 0. */
static inline bool move_to(const char *cgroup, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return cgroup_set(cgroup, "cgroup.procs", text);
}

/* A fork(2) in a cgroup, by a caller that is in the root. */
static inline pid_t fork_in(const char *cgroup)
{
	pid_t pid = move_to(cgroup, 0) ? fork() : -1;

	return pid == 0 || move_to(CGROUPS, 0) ? pid : -1;
}

/* Is nobody in a cgroup, after a while at most? */
static inline bool is_deserted(const char *cgroup)
{
	for (int i = 0; i < 500; i++, usleep(10000))
		if (proc_number(file_of(cgroup, "cgroup.events"), "populated ") == 0)
			return true;
	return false;
}

/* Ends who is in it. */
static inline bool remove_cgroup(const char *cgroup)
{
	return access(cgroup, F_OK) != 0 ||
		(cgroup_set(cgroup, "cgroup.kill", "1") && is_deserted(cgroup) &&
		 rmdir(cgroup) == 0);
}

static inline bool remove_job(void)
{
	return remove_cgroup(A) && remove_cgroup(B) && remove_cgroup(JOB) && remove_cgroup(TOP);
}

/* One whose children have the files of the memory controller. */
static inline bool make_parent(const char *cgroup)
{
	return mkdir(cgroup, 0755) == 0 &&
		cgroup_set(cgroup, "cgroup.subtree_control", "+memory");
}

/* All of it anew. */
static inline bool make_job(void)
{
	return remove_job() && make_parent(TOP) && make_parent(JOB) && mkdir(A, 0755) == 0 &&
		mkdir(B, 0755) == 0;
}

/* Why a job can have no limit here, or NULL. */
static inline const char *no_job_limit(void)
{
	char *controllers = read_proc(CGROUPS "/cgroup.controllers");
	bool has_files;

	if (!controllers)
		return "no cgroup2 on " CGROUPS;
	if (!strstr(controllers, "memory"))
		return "no memory controller: set CONFIG_MEMCG";
	if (!cgroup_set(CGROUPS, "cgroup.subtree_control", "+memory"))
		return "cannot write to " CGROUPS "/cgroup.subtree_control";
	if (!remove_job() || mkdir(TOP, 0755))
		return "cannot make " TOP;
	has_files = access(TOP "/" MAX, F_OK) == 0;
	rmdir(TOP);
	return has_files ? NULL : "no " MAX ": set CONFIG_MEMCG_HEAP";
}

#endif	/* CGROUP_H */
