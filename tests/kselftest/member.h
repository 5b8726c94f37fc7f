/* SPDX-License-Identifier: GPL-2.0-only */
/* A process, of a cgroup or not, that does what it is told, a call at a time. */

#ifndef MEMBER_H
#define MEMBER_H

#include <limits.h>
#include <linux/types.h>
#include <signal.h>
#include <sys/prctl.h>

#include "cgroup.h"

struct member {
	pid_t pid;
	int to, from;
};

struct order {
	long (*call)(long arg);
	long arg;
};

/* In the member: where its orders come from, and its results go. */
static int orders, results;

static inline void obey(void)
{
	struct order order;
	long result;

	while (read(orders, &order, sizeof(order)) == sizeof(order)) {
		result = order.call(order.arg);
		if (write(results, &result, sizeof(result)) != sizeof(result))
			break;
	}
	_exit(0);
}

/* One that was forked in a cgroup, or where the caller is if that is NULL. */
static inline bool start_member(struct member *member, const char *cgroup)
{
	int down[2], up[2];

	if (pipe2(down, O_CLOEXEC) || pipe2(up, O_CLOEXEC))
		return false;
	member->pid = cgroup ? fork_in(cgroup) : fork();
	if (member->pid == 0) {
		close(down[1]);
		close(up[0]);
		orders = down[0];
		results = up[1];
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		obey();
	}
	/* A write to one that has ended is an error, and no more. */
	signal(SIGPIPE, SIG_IGN);
	close(down[0]);
	close(up[1]);
	member->to = down[1];
	member->from = up[0];
	return member->pid > 0;
}

static inline void tell(const struct member *member, long (*call)(long arg), long arg)
{
	struct order order = { call, arg };

	if (write(member->to, &order, sizeof(order)) != sizeof(order))
		perror("tell");
}

#define DIED LONG_MIN

static inline long answer(const struct member *member)
{
	long result;

	return read(member->from, &result, sizeof(result)) == sizeof(result) ? result : DIED;
}

static inline long ask(const struct member *member, long (*call)(long arg), long arg)
{
	tell(member, call, arg);
	return answer(member);
}

/* Waits for its end, but leaves it a zombie. */
static inline bool has_ended(const struct member *member)
{
	siginfo_t info;

	return waitid(P_PID, member->pid, &info, WEXITED | WNOWAIT) == 0;
}

static inline bool reap(struct member *member)
{
	close(member->to);
	close(member->from);
	return waitpid(member->pid, NULL, 0) == member->pid;
}

static inline bool end_member(struct member *member)
{
	return kill(member->pid, SIGKILL) == 0 && reap(member);
}

/* --- What members can do: 0, or an error number less than 0. --- */

/* What the process has mapped last. */
static char *area;

static inline long map_pages(long pages)
{
	char *p = mmap(NULL, pages * page_size, RW, ANON, -1, 0);

	if (p == MAP_FAILED)
		return -errno;
	area = p;
	return 0;
}

static inline long unmap_pages(long pages)
{
	return munmap(area, pages * page_size) ? -errno : 0;
}

static inline long grow_break(long pages)
{
	uintptr_t top = (sys_brk(0) + page_size - 1) & -page_size;

	top += pages * page_size;
	return sys_brk(top) == top ? 0 : -ENOMEM;
}

/* A page of heap that grows downwards, with nothing near it. */
static inline long map_downwards(long unused)
{
	char *p = mmap(NULL, page_size, RW, ANON | MAP_GROWSDOWN, -1, 0);

	return p == MAP_FAILED || mremap(p, page_size, page_size, MREMAP_MAYMOVE | MREMAP_FIXED,
					 FAR) != FAR ? -errno : 0;
}

/* Lets the kernel write so many pages below it. */
static inline long touch_below(long pages)
{
	int fd = open("/dev/zero", O_RDONLY);
	long error = read(fd, FAR - pages * page_size, 1) == 1 ? 0 : -errno;

	close(fd);
	return error;
}

static inline long allow_itself(long pages)
{
	return allow_pages(pages) ? -errno : 0;
}

static inline long move_itself(long cgroup)
{
	return move_to((const char *)cgroup, 0) ? 0 : -errno;
}

/* Another one, of itself, that is there until it is reaped. Its pid. */
static inline long fork_child(long unused)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid < 0 ? -errno : pid;
}

static inline long reap_child(long pid)
{
	return kill(pid, SIGKILL) || waitpid(pid, NULL, 0) != pid ? -errno : 0;
}

/* What clone3(2) takes. */
struct clone3_args {
	__u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
	__u64 set_tid, set_tid_size, cgroup;
};

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif

/* Another program, which gives back what it is sent. */
static inline long exec_cat(long unused)
{
	dup2(orders, STDIN_FILENO);
	dup2(results, STDOUT_FILENO);
	execl("/bin/busybox", "cat", NULL);
	return -errno;
}

/* It is there, and waits for more. */
static inline bool is_cat(const struct member *member)
{
	char byte;

	return write(member->to, "c", 1) == 1 && read(member->from, &byte, 1) == 1 && byte == 'c';
}

static inline bool becomes_cat(const struct member *member)
{
	tell(member, exec_cat, 0);
	return is_cat(member);
}

#endif	/* MEMBER_H */
