// SPDX-License-Identifier: GPL-2.0-only
/*
 * calls VMAS [CALL...]: what calls that change mappings cost in a process with
 * about so many VMAs; all of them, or the named ones.
 *
 * Prints "CALL VMAS MINIMUM MEDIAN" for each, over batches, in ticks of the
 * CPU's counter: instructions under QEMU's -icount, else cycles, or nanoseconds on
 * arm64. Fails if a call does not do what it should.
 *
 * The layout of the address space is the same on all kernels: addresses are
 * fixed or not randomized (norandmaps), and what is measured lies between file
 * mappings, so that it merges with nothing. All but what is called unlimited is
 * below a limit that does not refuse.
 */

#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <spawn.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "heap.h"

#define CALLS 4		/* in a batch */
#define BATCHES 200
#define FEW 15			/* batches of what takes long */
#define PAGES 16
#define SIZE (PAGES * page_size)
#define TOUCHED (256 << 10)	/* bytes that are mapped, touched and unmapped */
#define LIMIT ((rlim_t)MIB * MIB)
#define ROUNDS 100		/* of malloc() */
#define TEAM 4			/* threads or processes, at most */
#define TEAM_ROUNDS 200		/* of each of them */

/* Where something is put, between two guards; and the VMAs that fill the tree. */
#define PLACE ((char *)0x600000000000)
#define FILLERS ((char *)0x500000000000)
#define MUCH ((size_t)4 << 30)	/* bytes that are mapped, and not touched */

static int memfd;
static char *p;			/* what the call is about */
static char *much;
static uintptr_t brk_top;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void must(bool ok, const char *what)
{
	if (!ok)
		fail(what);
}

static char *map_at(char *addr, size_t size, int prot, int flags)
{
	char *q = mmap(addr, size, prot, flags, flags & MAP_ANONYMOUS ? -1 : memfd, 0);

	must(q != MAP_FAILED && (!(flags & MAP_FIXED) || q == addr), "mmap");
	return q;
}

/* --- What is there before the call. --- */

static void nothing(void) {}

static void heap(void)
{
	p = map_at(NULL, SIZE, RW, ANON);
}

static void heap_ro(void)
{
	p = map_at(NULL, SIZE, PROT_READ, ANON);
}

static void heap_with_room(void)
{
	p = map_at(NULL, 2 * SIZE, RW, ANON);
	must(munmap(p + SIZE, SIZE) == 0, "munmap");
}

static void touched(void)
{
	heap();
	memset(p, 1, SIZE);
	must(madvise(p, SIZE, MADV_DONTNEED) == 0, "madvise");
}

static void shared(void)
{
	p = map_at(NULL, SIZE, RW, MAP_SHARED | MAP_ANONYMOUS);
}

static void file(void)
{
	p = map_at(NULL, SIZE, RW, MAP_PRIVATE);
}

/* Heap gets to an address by mremap only. */
static void heap_at_place(void)
{
	heap();
	must(mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, PLACE) == PLACE, "mremap");
}

static void other_at_place(void)
{
	p = map_at(PLACE, SIZE, RW, ANON | MAP_FIXED);
}

static void reservation_at_place(void)
{
	p = map_at(PLACE, SIZE, PROT_NONE, ANON | MAP_FIXED);
}

static void file_at_place(void)
{
	p = map_at(PLACE, SIZE, RW, MAP_PRIVATE | MAP_FIXED);
}

static void file_ro_at_place(void)
{
	p = map_at(PLACE, SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED);
}

static void grown_break(void)
{
	must(sys_brk(brk_top + SIZE) == brk_top + SIZE, "brk");
}

static void set_soft(int resource, rlim_t soft)
{
	/* A kernel without RLIMIT_HEAP measures the same calls. */
	must(setrlimit(resource, &(struct rlimit){ soft, RLIM_INFINITY }) == 0 ||
	     resource == RLIMIT_HEAP, "setrlimit");
}

static void unlimited(void)
{
	set_soft(RLIMIT_HEAP, RLIM_INFINITY);
}

static void heap_limit(void)
{
	set_soft(RLIMIT_HEAP, 0);
}

/* Less than the heap is, and more than what is there of it. */
static void heap_above_limit(void)
{
	unlimited();
	much = map_at(NULL, MUCH, RW, ANON | MAP_NORESERVE);
	set_soft(RLIMIT_HEAP, MUCH / 2);
}

static void data_limit(void)
{
	/* Not 0, which has a meaning of its own for this one. */
	set_soft(RLIMIT_DATA, page_size);
}

static void as_limit(void)
{
	set_soft(RLIMIT_AS, 0);
}

static void large_data_limit(void)
{
	set_soft(RLIMIT_DATA, LIMIT);
}

static void large_as_limit(void)
{
	set_soft(RLIMIT_AS, LIMIT);
}

/* --- A team, of threads or processes, that waits until the call begins. --- */

static struct {
	int size;
	int start[2], end[2];	/* pipes: a byte for each */
	pthread_t threads[TEAM];
	pid_t processes[TEAM];
} team;

static void *map_often(void *unused)
{
	char ok;

	must(read(team.start[0], &ok, 1) == 1, "read");
	for (int i = 0; i < TEAM_ROUNDS; i++) {
		char *q = mmap(NULL, SIZE, RW, ANON, -1, 0);

		must(q != MAP_FAILED && munmap(q, SIZE) == 0, "mmap or munmap");
	}
	must(write(team.end[1], &ok, 1) == 1, "write");
	return NULL;
}

static void make_team(int size)
{
	team.size = size;
	must(pipe(team.start) == 0 && pipe(team.end) == 0, "pipe");
}

static void make_threads(int n)
{
	make_team(n);
	for (int i = 0; i < n; i++)
		must(!pthread_create(&team.threads[i], NULL, map_often, NULL), "pthread_create");
}

static void make_processes(int n)
{
	make_team(n);
	for (int i = 0; i < n; i++) {
		team.processes[i] = fork();
		if (team.processes[i] == 0) {
			map_often(NULL);
			_exit(0);
		}
	}
}

static void threads_1(void)
{
	make_threads(1);
}

static void threads_2(void)
{
	make_threads(2);
}

static void threads_4(void)
{
	make_threads(4);
}

static void processes_1(void)
{
	make_processes(1);
}

static void processes_2(void)
{
	make_processes(2);
}

static void processes_4(void)
{
	make_processes(4);
}

/* --- The calls: each returns whether it did what it should. --- */

static bool empty(void)
{
	return true;
}

static bool do_brk_grow(void)
{
	return sys_brk(brk_top + SIZE) == brk_top + SIZE;
}

static bool do_brk_shrink(void)
{
	return sys_brk(brk_top) == brk_top;
}

static bool do_mmap(void)
{
	p = mmap(NULL, SIZE, RW, ANON, -1, 0);
	return p != MAP_FAILED;
}

static bool do_mmap_shared(void)
{
	p = mmap(NULL, SIZE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return p != MAP_FAILED;
}

static bool do_mmap_file(void)
{
	p = mmap(NULL, SIZE, RW, MAP_PRIVATE, memfd, 0);
	return p != MAP_FAILED;
}

static bool do_mmap_fixed(void)
{
	p = mmap(PLACE, SIZE, RW, ANON | MAP_FIXED, -1, 0);
	return p == PLACE;
}

static bool do_mmap_fixed_file(void)
{
	p = mmap(PLACE, SIZE, RW, MAP_PRIVATE | MAP_FIXED, memfd, 0);
	return p == PLACE;
}

static bool do_munmap(void)
{
	return munmap(p, SIZE) == 0;
}

static bool do_munmap_half(void)
{
	return munmap(p, SIZE / 2) == 0;
}

static bool do_mremap_grow(void)
{
	return mremap(p, SIZE, 2 * SIZE, 0) == p;
}

static bool do_mremap_move(void)
{
	char *old = p;

	p = mremap(p, SIZE, 2 * SIZE, MREMAP_MAYMOVE);
	return p != MAP_FAILED && p != old;
}

static bool do_map_unmap(void)
{
	return do_mmap() && munmap(p, SIZE) == 0;
}

static bool do_map_touch_unmap(void)
{
	char *q = mmap(NULL, TOUCHED, RW, ANON, -1, 0);

	if (q == MAP_FAILED)
		return false;
	for (size_t i = 0; i < TOUCHED; i += page_size)
		*(volatile char *)(q + i) = 1;
	return munmap(q, TOUCHED) == 0;
}

static bool do_mprotect_ro(void)
{
	return mprotect(p, SIZE, PROT_READ) == 0;
}

static bool do_mprotect_rw(void)
{
	return mprotect(p, SIZE, RW) == 0;
}

static bool do_mprotect_part(void)
{
	return mprotect(p + SIZE / 4, SIZE / 4, PROT_READ) == 0;
}

static bool do_fork_exit(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return waitpid(pid, NULL, 0) == pid;
}

static bool do_exec(void)
{
	char *const argv[] = { "/bin/true", NULL };
	pid_t pid;

	return posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) == 0 &&
		waitpid(pid, NULL, 0) == pid;
}

static bool do_page_fault(void)
{
	*(volatile char *)p = 1;
	return true;
}

static bool do_refused(void)
{
	return mmap(NULL, SIZE, RW, ANON, -1, 0) == MAP_FAILED;
}

/* Without RLIMIT_HEAP, or without a policy, there is nothing to refuse. */
static bool do_refused_heap(void)
{
	p = mmap(NULL, SIZE, RW, ANON, -1, 0);
	return true;
}

static bool do_malloc(size_t size)
{
	static void *block[ROUNDS];

	for (int i = 0; i < ROUNDS; i++)
		block[i] = malloc(size);
	for (int i = 0; i < ROUNDS; i++)
		free(block[i]);
	return block[ROUNDS - 1];
}

static bool do_malloc_small(void)
{
	return do_malloc(100);
}

static bool do_malloc_large(void)
{
	return do_malloc(1 << 20);
}

static bool do_at_once(void)
{
	char bytes[TEAM] = "";

	if (write(team.start[1], bytes, team.size) != team.size)
		return false;
	for (int i = 0; i < team.size; i++)
		if (read(team.end[0], bytes, 1) != 1)
			return false;
	return true;
}

/* --- And after it. --- */

static void gone(void)
{
	must(munmap(p, SIZE) == 0, "munmap");
}

static void gone_grown(void)
{
	must(munmap(p, 2 * SIZE) == 0, "munmap");
}

static void gone_from_place(void)
{
	must(munmap(PLACE, SIZE) == 0, "munmap");
}

static void break_back(void)
{
	must(sys_brk(brk_top) == brk_top, "brk");
}

static void no_limit(void)
{
	set_soft(RLIMIT_HEAP, LIMIT);
	set_soft(RLIMIT_DATA, RLIM_INFINITY);
	set_soft(RLIMIT_AS, RLIM_INFINITY);
}

static void team_gone(void)
{
	for (int i = 0; i < 2; i++)
		must(close(team.start[i]) == 0 && close(team.end[i]) == 0, "close");
}

static void threads_gone(void)
{
	for (int i = 0; i < team.size; i++)
		must(!pthread_join(team.threads[i], NULL), "pthread_join");
	team_gone();
}

static void processes_gone(void)
{
	for (int i = 0; i < team.size; i++)
		must(waitpid(team.processes[i], NULL, 0) == team.processes[i], "waitpid");
	team_gone();
}

static void no_limit_gone(void)
{
	no_limit();
	if (p != MAP_FAILED)
		gone();
}

static void all_gone(void)
{
	must(munmap(much, MUCH) == 0, "munmap");
	no_limit_gone();
}

static const struct call {
	const char *name;
	void (*before)(void);
	bool (*call)(void);
	void (*after)(void);
	int per_call;		/* operations that one call is */
	int batches;
} calls[] = {
	{ "brk_grow", nothing, do_brk_grow, break_back, 1, BATCHES },
	{ "brk_shrink", grown_break, do_brk_shrink, nothing, 1, BATCHES },
	{ "mmap_private", nothing, do_mmap, gone, 1, BATCHES },
	{ "mmap_private_unlimited", unlimited, do_mmap, no_limit_gone, 1, BATCHES },
	{ "munmap_private", heap, do_munmap, nothing, 1, BATCHES },
	{ "mmap_shared", nothing, do_mmap_shared, gone, 1, BATCHES },
	{ "munmap_shared", shared, do_munmap, nothing, 1, BATCHES },
	{ "mmap_file", nothing, do_mmap_file, gone, 1, BATCHES },
	{ "munmap_file", file, do_munmap, nothing, 1, BATCHES },
	{ "mmap_fixed_over_nothing", nothing, do_mmap_fixed, gone_from_place, 1, BATCHES },
	{ "mmap_fixed_over_heap", heap_at_place, do_mmap_fixed, gone_from_place, 1, BATCHES },
	{ "mmap_fixed_over_other", other_at_place, do_mmap_fixed, gone_from_place, 1, BATCHES },
	{ "mmap_fixed_over_file", file_at_place, do_mmap_fixed, gone_from_place, 1, BATCHES },
	{ "mmap_fixed_file_over_heap", heap_at_place, do_mmap_fixed_file, gone_from_place,
	  1, BATCHES },
	{ "mmap_fixed_over_reservation", reservation_at_place, do_mmap_fixed, gone_from_place,
	  1, BATCHES },
	{ "munmap_fixed", other_at_place, do_munmap, nothing, 1, BATCHES },
	{ "munmap_half", heap, do_munmap_half, gone, 1, BATCHES },
	{ "mremap_in_place", heap_with_room, do_mremap_grow, gone_grown, 1, BATCHES },
	{ "mremap_by_move", heap, do_mremap_move, gone_grown, 1, BATCHES },
	{ "mprotect_heap", heap, do_mprotect_ro, gone, 1, BATCHES },
	{ "mprotect_heap_writable", heap_ro, do_mprotect_rw, gone, 1, BATCHES },
	{ "mprotect_other", other_at_place, do_mprotect_ro, gone_from_place, 1, BATCHES },
	{ "mprotect_file", file_at_place, do_mprotect_ro, gone_from_place, 1, BATCHES },
	{ "mprotect_file_writable", file_ro_at_place, do_mprotect_rw, gone_from_place,
	  1, BATCHES },
	{ "mprotect_reservation", reservation_at_place, do_mprotect_rw, gone_from_place,
	  1, BATCHES },
	{ "mprotect_part", heap, do_mprotect_part, gone, 1, BATCHES },
	{ "page_fault", touched, do_page_fault, gone, 1, BATCHES },
	{ "fork_exit", nothing, do_fork_exit, nothing, 1, FEW },
	{ "exec", nothing, do_exec, nothing, 1, FEW },
	{ "refused_by_RLIMIT_HEAP", heap_limit, do_refused_heap, no_limit_gone, 1, BATCHES },
	{ "above_RLIMIT_HEAP", heap_above_limit, do_refused_heap, all_gone, 1, BATCHES },
	{ "refused_by_RLIMIT_DATA", data_limit, do_refused, no_limit, 1, BATCHES },
	{ "refused_by_RLIMIT_AS", as_limit, do_refused, no_limit, 1, BATCHES },
	{ "malloc_free_100", nothing, do_malloc_small, nothing, ROUNDS, FEW },
	{ "malloc_free_1MiB", nothing, do_malloc_large, nothing, ROUNDS, FEW },
	{ "map_unmap", nothing, do_map_unmap, nothing, 1, BATCHES },
	{ "map_unmap_RLIMIT_DATA", large_data_limit, do_map_unmap, no_limit, 1, BATCHES },
	{ "map_unmap_RLIMIT_AS", large_as_limit, do_map_unmap, no_limit, 1, BATCHES },
	{ "map_touch_unmap", nothing, do_map_touch_unmap, nothing, 1, FEW },
	{ "map_touch_unmap_RLIMIT_DATA", large_data_limit, do_map_touch_unmap, no_limit,
	  1, FEW },
	{ "map_touch_unmap_RLIMIT_AS", large_as_limit, do_map_touch_unmap, no_limit, 1, FEW },
	{ "threads_1", threads_1, do_at_once, threads_gone, TEAM_ROUNDS, FEW },
	{ "threads_2", threads_2, do_at_once, threads_gone, 2 * TEAM_ROUNDS, FEW },
	{ "threads_4", threads_4, do_at_once, threads_gone, 4 * TEAM_ROUNDS, FEW },
	{ "processes_1", processes_1, do_at_once, processes_gone, TEAM_ROUNDS, FEW },
	{ "processes_2", processes_2, do_at_once, processes_gone, 2 * TEAM_ROUNDS, FEW },
	{ "processes_4", processes_4, do_at_once, processes_gone, 4 * TEAM_ROUNDS, FEW },
	{ 0 }
};

static unsigned long now(void)
{
#ifdef __x86_64__
	return __rdtsc();
#else
	unsigned long ticks;

	asm volatile("isb; mrs %0, cntvct_el0" : "=r"(ticks) :: "memory");
	return ticks;
#endif
}

/* Ticks of one call, on average over a batch. */
static double batch(const struct call *call)
{
	unsigned long start, ticks = 0;
	bool ok;

	for (int i = 0; i < CALLS; i++) {
		call->before();
		start = now();
		ok = call->call();
		ticks += now() - start;
		must(ok, call->name);
		call->after();
	}
	return (double)ticks / CALLS;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const struct call *call, double *minimum, double *median)
{
	double ticks[BATCHES];

	batch(call);
	for (int i = 0; i < call->batches; i++)
		ticks[i] = batch(call);
	qsort(ticks, call->batches, sizeof(ticks[0]), compare);
	*minimum = ticks[0];
	*median = ticks[call->batches / 2];
}

static bool wanted(const struct call *call, char **names)
{
	if (!*names)
		return true;
	while (*names)
		if (!strcmp(*names++, call->name))
			return true;
	return false;
}

static void lay_out(int vmas)
{
	extern char _end[];	/* of BSS */
	uintptr_t start;

	memfd = memfd_create("calls", 0);
	must(memfd >= 0 && ftruncate(memfd, SIZE) == 0, "memfd_create");
	map_at(NULL, page_size, PROT_NONE, MAP_SHARED);
	map_at(PLACE - page_size, page_size, PROT_NONE, MAP_SHARED | MAP_FIXED);
	map_at(PLACE + SIZE, page_size, PROT_NONE, MAP_SHARED | MAP_FIXED);
	for (int i = 0; i < vmas; i++)
		map_at(FILLERS + 2 * i * page_size, page_size, PROT_READ, ANON | MAP_FIXED);

	/*
	 * The break starts right behind BSS, and is one mapping with it where
	 * there is no heap: what the C library has of it gets another
	 * protection, so that it is two everywhere.
	 */
	brk_top = (sys_brk(0) + page_size - 1) & -page_size;
	start = ((uintptr_t)_end + page_size - 1) & -page_size;
	must(mprotect((void *)start, brk_top - start, RW | PROT_EXEC) == 0, "mprotect");
	must(sys_brk(brk_top + 2 * page_size) == brk_top + 2 * page_size, "brk");
	must(mprotect((void *)brk_top, page_size, PROT_READ) == 0, "mprotect");
	brk_top += 2 * page_size;
}

int main(int argc, char **argv)
{
	const struct call nop = { "empty", nothing, empty, nothing, 1, BATCHES };
	static char stdout_buffer[BUFSIZ];
	double overhead, minimum, median;
	int vmas;

	if (argc < 2)
		return 1;
	vmas = atoi(argv[1]);
	/* malloc() must not move the break while that is measured. */
	setvbuf(stdout, stdout_buffer, _IOFBF, sizeof(stdout_buffer));
	/* Large blocks always come from mmap, small ones from what there is. */
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	no_limit();
	lay_out(vmas);
	measure(&nop, &overhead, &median);
	for (const struct call *call = calls; call->name; call++) {
		if (!wanted(call, argv + 2))
			continue;
		measure(call, &minimum, &median);
		printf("%s %d %.1f %.1f\n", call->name, vmas, (minimum - overhead) / call->per_call,
		       (median - overhead) / call->per_call);
		fflush(stdout);
	}
	return 0;
}
