// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random sequences of the calls that change mappings, against a model of what
 * RLIMIT_HEAP, and the limit of the cgroup that a run has for itself, make of them.
 *
 * The model is the set of addresses that are heap, and of those that are exempt.
 * Each step predicts from them whether the limit refuses the call and what the
 * sets become, by the policy that decides just then, and compares with the
 * result, with VmHeap, its peak and the refusals counted, and with the mappings
 * marked "hp" and "hx" in smaps. What the kernel merges or splits is not
 * predicted: it is read from smaps. What the cgroup tells is compared with the
 * status of all processes that are in it.
 *
 * A run is a process of its own, a few hundred steps long, of two threads that
 * take turns by chance, and forks children that go on by themselves. Run N of
 * seed S is always the same sequence; it is printed when it fails.
 *
 * Environment: fuzz_seconds (10), fuzz_seed (the time), fuzz_run (all from 0).
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <stdarg.h>
#include <time.h>

#include "kselftest.h"
#include "cgroup.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define STEPS 300
#define CHILD_STEPS 20
#define MAX_RANGES 2048
#define MAX_PAGES 24		/* of a mapping */
#define MAX_MAPPED 30		/* ranges, before unmapping is preferred */

/* --- Sets of addresses: sorted, disjoint ranges that do not touch. --- */

struct range {
	uintptr_t start, end;
};

struct set {
	int n;
	struct range r[MAX_RANGES];
};

static void set_remove(struct set *set, uintptr_t start, uintptr_t end)
{
	struct set out = { 0 };

	if (start == end)
		return;
	for (int i = 0; i < set->n; i++) {
		struct range *r = &set->r[i];

		if (r->start < start && r->start < r->end)
			out.r[out.n++] = (struct range){
				r->start, r->end < start ? r->end : start
			};
		if (r->end > end)
			out.r[out.n++] = (struct range){ r->start > end ? r->start : end, r->end };
	}
	*set = out;
}

static void set_add(struct set *set, uintptr_t start, uintptr_t end)
{
	struct set out = { 0 };
	int i = 0;

	if (start == end)
		return;
	while (i < set->n && set->r[i].end < start)
		out.r[out.n++] = set->r[i++];
	for (; i < set->n && set->r[i].start <= end; i++) {
		if (set->r[i].start < start)
			start = set->r[i].start;
		if (set->r[i].end > end)
			end = set->r[i].end;
	}
	out.r[out.n++] = (struct range){ start, end };
	while (i < set->n)
		out.r[out.n++] = set->r[i++];
	*set = out;
}

static long set_pages(const struct set *set)
{
	long pages = 0;

	for (int i = 0; i < set->n; i++)
		pages += (set->r[i].end - set->r[i].start) / page_size;
	return pages;
}

/* The pages of a range that are in the set. */
static long set_pages_in(const struct set *set, uintptr_t start, uintptr_t end)
{
	struct set rest = *set;

	set_remove(&rest, start, end);
	return set_pages(set) - set_pages(&rest);
}

static bool set_equal(const struct set *a, const struct set *b)
{
	return a->n == b->n && !memcmp(a->r, b->r, a->n * sizeof(a->r[0]));
}

/* --- What the kernel says. --- */

struct vma {
	struct range at;
	bool heap, exempt, shared, dontcopy, writable, growsdown, noreserve;
};

static struct {
	int n;
	struct vma vma[MAX_RANGES];
} vmas;

static bool has_flag(const char *flags, const char *end, const char *flag)
{
	const char *at = memmem(flags, end - flags, flag, 3);

	return at && at < end;
}

/* Fills vmas, and gives the sets of those that are heap, and exempt. */
static void read_vmas(struct set *heap, struct set *exempt)
{
	char *p = read_proc("/proc/self/smaps");

	vmas.n = 0;
	heap->n = 0;
	exempt->n = 0;
	while (p && *p) {
		struct vma *vma = &vmas.vma[vmas.n];
		char *end = strchrnul(p, '\n');
		unsigned long start, stop;

		if (sscanf(p, "%lx-%lx ", &start, &stop) == 2 && strchr(p, '-') < end) {
			vma->at = (struct range){ start, stop };
		} else if (!strncmp(p, "VmFlags:", 8)) {
			vma->heap = has_flag(p, end, " hp");
			vma->exempt = has_flag(p, end, " hx");
			vma->shared = has_flag(p, end, " sh");
			vma->writable = has_flag(p, end, " wr");
			vma->growsdown = has_flag(p, end, " gd");
			vma->dontcopy = has_flag(p, end, " dc");
			vma->noreserve = has_flag(p, end, " nr");
			if (vma->heap)
				set_add(heap, vma->at.start, vma->at.end);
			if (vma->exempt)
				set_add(exempt, vma->at.start, vma->at.end);
			vmas.n++;
		}
		p = *end ? end + 1 : end;
	}
}

static struct vma *find_vma(uintptr_t addr)
{
	for (int i = 0; i < vmas.n; i++)
		if (addr >= vmas.vma[i].at.start && addr < vmas.vma[i].at.end)
			return &vmas.vma[i];
	return NULL;
}

/* --- The model. --- */

enum mark { OTHER, HEAP, NEVER };

static struct set heap;		/* what is heap */
static struct set exempt;	/* what never becomes heap */
static struct set files;	/* what is mapped of the memfd */
static struct set mapped;	/* what the fuzzer has mapped and may change */
static enum policy { ADDR0, COMMIT, BY_RESIDENT } policy;	/* the one that decides */
static bool audit;		/* the mode, or else enforce */
static long peak;		/* pages that the heap has been at the most */
static long refused, let_pass;	/* calls, by the limit */
static uintptr_t brk_start, brk_now;
static rlim_t limit = RLIM_INFINITY;
static int memfd;
static long anonymous;		/* pages that are there, heap or not; of the cgroup, */
static long there_of_job;	/* those of heap */

/* The cgroup of the run, in pages. */
static const char *no_job;	/* why there is none, or NULL */
static long job_limit = -1;	/* or there is none */
static long others;		/* what belongs to it of processes that wait for us */
static long highest;		/* that it was seen */
static long job_refusals;	/* calls, by this limit and not that of the process */
static long job_passes[2];	/* calls that it let pass, at least and at most */

static char history[1 << 17];
static size_t history_len;

static __printf(1, 2) void note(const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(history + history_len, sizeof(history) - history_len, format, args);
	va_end(args);
	if (n > 0 && history_len + n < sizeof(history))
		history_len += n;
}

/* Ends the run, with the sequence that led here. */
#define fail(format, ...) do {							\
	printf("# %s# failed: " format "\n", history, ##__VA_ARGS__);	\
	fflush(stdout);								\
	_exit(1);								\
} while (0)

static void compare(const struct set *seen, const struct set *model, const char *flag)
{
	if (set_equal(seen, model))
		return;
	for (int i = 0; i < model->n || i < seen->n; i++)
		note("#   expected %lx-%lx, %s %lx-%lx\n",
		     i < model->n ? model->r[i].start : 0, i < model->n ? model->r[i].end : 0,
		     flag,
		     i < seen->n ? seen->r[i].start : 0, i < seen->n ? seen->r[i].end : 0);
	fail("the mappings marked %s are not what should be", flag);
}

/* The sum of what all processes of the cgroup say they have, in pages. */
static long heap_of_all(void)
{
	static char pids[4096];
	char *procs = read_proc(file_of(TOP, "cgroup.procs")), *end;
	long pages = 0;
	pid_t pid;

	snprintf(pids, sizeof(pids), "%s", procs ? procs : "");
	for (char *p = pids; (pid = strtol(p, &end, 10)); p = end) {
		long heap = heap_of(pid);

		/* One that has ended, but nobody has waited for yet, has none. */
		pages += heap > 0 ? heap : 0;
	}
	return pages;
}

static long smaller(long a, long b)
{
	return a < b ? a : b;
}

/* The cgroup must be as the model is, and as its processes say. */
static void check_job(void)
{
	long current = heap_current(TOP), refused = job_refused(TOP);
	long let_pass = job_would_refuse(TOP), peak = job_peak(TOP);

	if (current != heap_of_all())
		fail("the cgroup has %ld pages, its processes %ld", current, heap_of_all());
	if (current != others + set_pages(&heap))
		fail("the cgroup has %ld pages, not %ld and %ld of others", current,
		     set_pages(&heap), others);
	if (current > highest)
		highest = current;
	if (peak < highest)
		fail("the peak of the cgroup is %ld pages, it had %ld", peak, highest);
	if (refused != job_refusals || job_refused_itself(TOP) != refused)
		fail("the cgroup refused %ld, not %ld", refused, job_refusals);
	if (let_pass < job_passes[0] || let_pass > job_passes[1])
		fail("the cgroup let %ld pass, not %ld to %ld", let_pass, job_passes[0],
		     job_passes[1]);
}

/* The kernel must be as the model is. */
static void check(void)
{
	static struct set seen, seen_exempt;
	long counted = total_heap();

	read_vmas(&seen, &seen_exempt);
	compare(&seen, &heap, "hp");
	compare(&seen_exempt, &exempt, "hx");
	if (counted != set_pages(&heap))
		fail("VmHeap is %ld pages, the heap %ld", counted, set_pages(&heap));
	if (counted > peak)
		peak = counted;
	if (heap_resident() != smaller(counted, proc_pages("/proc/self/status", "RssAnon:")))
		fail("VmHeapResident is %ld pages", heap_resident());
	if (peak_heap() != peak)
		fail("VmHeapPeak is %ld pages, the peak was %ld", peak_heap(), peak);
	if (heap_refused() != refused || heap_would_refuse() != let_pass)
		fail("%ld refused and %ld let pass, not %ld and %ld", heap_refused(),
		     heap_would_refuse(), refused, let_pass);
	if (!no_job)
		check_job();
}

/* What the policy resident looks at, which changes by other calls than these. */
static void look_at_what_is_there(void)
{
	anonymous = proc_pages("/proc/self/status", "RssAnon:");
	there_of_job = no_job ? 0 : job_resident(TOP);
}

/* Growth of the heap: pages, and whether they are asked for with MAP_NORESERVE. */
struct growth {
	long pages;
	bool noreserve;
};

/* May the heap grow by so many pages, by the definition of the limit? */
static bool fits_process(struct growth growth)
{
	const long have = set_pages(&heap), pages = growth.pages;
	const long there = smaller(have, anonymous);

	return pages <= 0 || limit == RLIM_INFINITY ||
		(rlim_t)(have + pages) * page_size <= limit ||
		(policy == BY_RESIDENT &&
		 (rlim_t)(there + (growth.noreserve ? 0 : pages)) * page_size <= limit);
}

static bool fits_job(struct growth growth)
{
	const long have = others + set_pages(&heap), pages = growth.pages;

	return pages <= 0 || job_limit < 0 || have + pages <= job_limit ||
		(policy == BY_RESIDENT &&
		 smaller(have, there_of_job) + (growth.noreserve ? 0 : pages) <= job_limit);
}

static bool fits(struct growth growth)
{
	return fits_process(growth) && fits_job(growth);
}

/* The limit of the process comes first, and a call is refused once. */
static void count_refusal(bool over_process)
{
	refused++;
	job_refusals += !over_process;
}

/* Nobody has said whether the cgroup counts what both would have refused. */
static void count_pass(bool over_process, bool over_job)
{
	let_pass++;
	job_passes[0] += !over_process;
	job_passes[1] += over_job;
}

/* A call that needs as much has failed, as for lack of memory, or has succeeded. */
static void judge(struct growth growth, bool failed)
{
	if (failed && (fits(growth) || audit))
		fail("refused");
	if (failed) {
		count_refusal(!fits_process(growth));
	} else if (!fits(growth)) {
		if (!audit)
			fail("not refused");
		count_pass(!fits_process(growth), !fits_job(growth));
	}
}

/* --- Chance. --- */

static unsigned long chance;

/* splitmix64, Steele, Lea, Flood: Fast splittable pseudorandom number generators. */
static unsigned long next(void)
{
	unsigned long z = (chance += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static unsigned int below(unsigned int n)
{
	return next() % n;
}

static size_t some_pages(void)
{
	return (1 + below(MAX_PAGES)) * page_size;
}

static int some_prot(void)
{
	return below(4) ? RW : below(8);
}

/* A part of something that is mapped; false if nothing is. */
static bool some_part(struct range *part)
{
	struct range *r;
	size_t pages, first;

	if (!mapped.n)
		return false;
	r = &mapped.r[below(mapped.n)];
	pages = (r->end - r->start) / page_size;
	first = below(3) ? 0 : below(pages);
	part->start = r->start + first * page_size;
	part->end = below(2) ? r->end : part->start + (1 + below(pages - first)) * page_size;
	return true;
}

/* --- Steps: each does a call, checks its result and updates the model. --- */

static void drop(uintptr_t start, size_t size)
{
	set_remove(&heap, start, start + size);
	set_remove(&exempt, start, start + size);
	set_remove(&files, start, start + size);
	set_remove(&mapped, start, start + size);
}

static void replace(uintptr_t start, size_t size, enum mark mark, bool file)
{
	drop(start, size);
	if (mark == HEAP)
		set_add(&heap, start, start + size);
	if (mark == NEVER)
		set_add(&exempt, start, start + size);
	if (file)
		set_add(&files, start, start + size);
	set_add(&mapped, start, start + size);
}

/* What of a set is in a range is also where that has moved to. */
static void set_carry(struct set *set, const struct range *from, uintptr_t to)
{
	static struct set part;

	part = *set;
	set_remove(&part, 0, from->start);
	set_remove(&part, from->end, UINTPTR_MAX);
	for (int i = 0; i < part.n; i++)
		set_add(set, to + part.r[i].start - from->start, to + part.r[i].end - from->start);
}

static enum mark mark_of(const struct vma *vma)
{
	return vma->heap ? HEAP : vma->exempt ? NEVER : OTHER;
}

/* Is the whole of a range private mapping of a file? */
static bool is_private_file(uintptr_t start, uintptr_t end)
{
	if (set_pages_in(&files, start, end) * page_size != end - start)
		return false;
	for (int i = 0; i < vmas.n; i++)
		if (vmas.vma[i].shared && vmas.vma[i].at.start < end &&
		    vmas.vma[i].at.end > start)
			return false;
	return true;
}

/* What a new mapping is, by the rules of the policy. */
static enum mark classify(uintptr_t hint, size_t size, int prot, int flags, bool file)
{
	if (policy == ADDR0)
		return !file && hint < page_size ? HEAP : OTHER;
	if (file)
		return OTHER;
	if (flags & MAP_SHARED)
		return OTHER;
	if (flags & MAP_FIXED && prot != PROT_NONE && is_private_file(hint, hint + size))
		return NEVER;
	if (flags & (MAP_STACK | MAP_GROWSDOWN))
		return NEVER;
	if (!(prot & PROT_WRITE))
		return OTHER;
	if (flags & MAP_FIXED && flags & MAP_NORESERVE)
		return NEVER;
	return HEAP;
}

static void step_mmap(void)
{
	const int extra[] = { 0, MAP_NORESERVE, MAP_STACK, MAP_POPULATE, MAP_LOCKED };
	bool file = below(4) == 0, shared = below(3) == 0;
	int flags = (shared ? MAP_SHARED : MAP_PRIVATE) | (file ? 0 : MAP_ANONYMOUS);
	int prot = some_prot();
	size_t size = some_pages();
	struct range part;
	uintptr_t hint = 0, got;
	struct growth growth = { 0 };
	enum mark mark;

	flags |= extra[below(5)];
	if (!file && !shared && below(8) == 0)
		flags |= MAP_GROWSDOWN;
	switch (below(8)) {
	case 0:		/* into, over the end of, or beside what is there */
		if (some_part(&part))
			hint = part.start;
		break;
	case 1:		/* rounds to no hint */
		hint = 1 + below(page_size - 1);
		break;
	case 2:
	case 3:
		if (some_part(&part)) {
			hint = part.start;
			size = part.end - part.start;
			flags |= MAP_FIXED;
		}
		break;
	case 4:
		if (some_part(&part)) {
			hint = part.start;
			flags |= MAP_FIXED_NOREPLACE;
		}
		break;
	}
	mark = classify(hint, size, prot, flags, file);
	growth.noreserve = flags & MAP_NORESERVE;
	growth.pages = mark == HEAP ? size / page_size : 0;
	if (mark == HEAP && flags & MAP_FIXED)
		growth.pages -= set_pages_in(&heap, hint, hint + size);

	look_at_what_is_there();
	got = (uintptr_t)mmap((void *)hint, size, prot, flags, file ? memfd : -1, 0);
	note("mmap(%#lx, %zu pages, %d, %#x%s) = %#lx\n", hint, size / page_size, prot,
	     flags, file ? ", memfd" : "", got);
	if (got == (uintptr_t)MAP_FAILED) {
		if (flags & MAP_FIXED_NOREPLACE && errno == EEXIST)
			return;
		if (errno != ENOMEM)
			fail("mmap: %s", strerror(errno));
		judge(growth, true);
		return;
	}
	judge(growth, false);
	replace(got, size, mark, file);
}

static void step_munmap(void)
{
	struct range part;

	if (!some_part(&part))
		return;
	note("munmap(%#lx, %zu pages)\n", part.start, (part.end - part.start) / page_size);
	if (munmap((void *)part.start, part.end - part.start))
		fail("munmap: %s", strerror(errno));
	drop(part.start, part.end - part.start);
}

static void step_mremap(void)
{
	size_t old_size, new_size = some_pages();
	uintptr_t target = 0, got;
	struct range part, onto;
	struct growth growth;
	bool is_heap, file;
	enum mark mark;
	struct vma *vma;
	int flags = below(4) ? MREMAP_MAYMOVE : 0;
	int error;

	if (!some_part(&part))
		return;
	vma = find_vma(part.start);
	is_heap = vma->heap;
	mark = mark_of(vma);
	file = set_pages_in(&files, part.start, part.start + page_size);
	if (below(2) && part.end > vma->at.end)
		part.end = vma->at.end;
	old_size = part.end - part.start;
	if (below(12) == 0)
		old_size = 0;
	if (below(6) == 0) {
		flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
		new_size = old_size;
	} else if (below(5) == 0 && some_part(&onto)) {
		flags = MREMAP_MAYMOVE | MREMAP_FIXED;
		target = onto.start;
		/* Not over what is not ours. */
		if (new_size > onto.end - onto.start)
			new_size = onto.end - onto.start;
	}
	growth.noreserve = vma->noreserve;
	growth.pages = is_heap ? ((long)new_size - (long)old_size) / page_size : 0;
	if (is_heap && flags & MREMAP_DONTUNMAP)
		growth.pages = new_size / page_size;

	/* It unmaps before it asks, and what was there then only it knows. */
	if (policy == BY_RESIDENT && flags & MREMAP_FIXED &&
	    (target + new_size <= part.start || target >= part.end)) {
		note("munmap(%#lx, %zu pages)\n", target, new_size / page_size);
		munmap((void *)target, new_size);
		drop(target, new_size);
	}
	look_at_what_is_there();
	got = (uintptr_t)mremap((void *)part.start, old_size, new_size, flags, target);
	error = errno;
	note("mremap(%#lx, %zu pages, %zu pages, %#x, %#lx) = %#lx\n", part.start,
	     old_size / page_size, new_size / page_size, flags, target, got);

	if (got == (uintptr_t)MAP_FAILED) {
		static struct set seen, seen_exempt, before;

		/* The kernel unmaps the target, and a tail, before it asks. */
		read_vmas(&seen, &seen_exempt);
		before = heap;
		if (flags & MREMAP_FIXED && !set_equal(&seen, &heap)) {
			set_remove(&heap, target, target + new_size);
			if (new_size < old_size && !set_equal(&seen, &heap))
				set_remove(&heap, part.start + new_size, part.end);
			if (!set_equal(&seen, &heap))
				heap = before;
		}
		if (flags & MREMAP_FIXED) {
			/* It may be gone where it was no heap as well. */
			for (uintptr_t p = target; p < target + new_size; p += page_size)
				if (!find_vma(p))
					drop(p, page_size);
			for (uintptr_t p = part.start; p < part.end; p += page_size)
				if (!find_vma(p))
					drop(p, page_size);
		}
		/* In place there may be no room. */
		if (error == ENOMEM && (flags & MREMAP_MAYMOVE || (!fits(growth) && !audit)))
			judge(growth, true);
		return;
	}

	if (flags & MREMAP_FIXED)
		drop(target, new_size);
	/* Heap under the target has made room. */
	judge(growth, false);
	if (got == part.start && !(flags & MREMAP_FIXED)) {
		if (new_size < old_size)
			drop(part.start + new_size, old_size - new_size);
		else
			replace(part.end, new_size - old_size, mark, file);
		return;
	}
	if (flags & MREMAP_FIXED && new_size == old_size) {
		/* These may be several mappings, for kernels newer than 6.12. */
		set_carry(&heap, &part, got);
		set_carry(&exempt, &part, got);
		set_carry(&files, &part, got);
		set_add(&mapped, got, got + new_size);
		drop(part.start, old_size);
		return;
	}
	if (old_size && !(flags & MREMAP_DONTUNMAP))
		drop(part.start, old_size);
	replace(got, new_size, mark, file);
}

static void step_brk(void)
{
	uintptr_t want = below(3) ? brk_now + below(MAX_PAGES * page_size) :
		brk_start + below(brk_now - brk_start + 1);
	uintptr_t old_top = (brk_now + page_size - 1) & -page_size;
	uintptr_t top = (want + page_size - 1) & -page_size;
	struct growth growth = { ((long)top - (long)old_top) / page_size };
	uintptr_t got;

	look_at_what_is_there();
	got = sys_brk(want);
	note("brk(%#lx) = %#lx\n", want, got);
	if (got != want && got != brk_now)
		fail("brk");
	judge(growth, got != want);
	if (got != want)
		return;
	if (top > old_top)
		set_add(&heap, old_top, top);
	else
		set_remove(&heap, top, old_top);
	brk_now = want;
}

/* Which of the mappings in a range become heap, up to the one that is refused. */
static void step_mprotect(void)
{
	bool over_process = false, over_job = false, over = false;
	int prot = some_prot();
	struct range part;
	int ret;

	if (!some_part(&part))
		return;
	look_at_what_is_there();
	ret = mprotect((void *)part.start, part.end - part.start, prot);
	note("mprotect(%#lx, %zu pages, %d) = %d\n", part.start,
	     (part.end - part.start) / page_size, prot, ret);
	for (int i = 0; i < vmas.n && !(over && !audit); i++) {
		struct vma *vma = &vmas.vma[i];
		uintptr_t start = vma->at.start > part.start ? vma->at.start : part.start;
		uintptr_t end = vma->at.end < part.end ? vma->at.end : part.end;

		struct growth growth = { (end - start) / page_size, vma->noreserve };

		if (start >= end || policy == ADDR0 || !(prot & PROT_WRITE) || vma->writable ||
		    vma->growsdown || vma->shared || mark_of(vma) != OTHER ||
		    set_pages_in(&files, start, start + page_size))
			continue;
		over_process = over_process || !fits_process(growth);
		over_job = over_job || !fits_job(growth);
		over = over_process || over_job;
		if (!over || audit)
			set_add(&heap, start, end);
	}
	if (ret != (over && !audit ? -1 : 0) || (ret && errno != ENOMEM))
		fail("mprotect should %s: %s", over && !audit ? "be refused" : "succeed",
		     strerror(errno));
	if (over && audit)
		count_pass(over_process, over_job);
	else if (over)
		count_refusal(over_process);
}

/* What must change nothing, whether it succeeds or not. */
static void step_advice(void)
{
	const int advice[] = {
		MADV_DONTNEED, MADV_DONTFORK, MADV_DOFORK, MADV_WIPEONFORK,
		MADV_KEEPONFORK, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP,
		MADV_FREE, MADV_MERGEABLE, MADV_POPULATE_WRITE,
	};
	struct range part;
	size_t size;
	void *p;

	if (!some_part(&part))
		return;
	p = (void *)part.start;
	size = part.end - part.start;
	note("advice on %#lx, %zu pages\n", part.start, size / page_size);
	switch (below(4)) {
	case 0:
		mlock(p, size);
		break;
	case 1:
		munlock(p, size);
		break;
	case 2:
		if (find_vma(part.start)->shared)
			syscall(SYS_remap_file_pages, p, size, 0, below(MAX_PAGES), 0);
		break;
	default:
		madvise(p, size, advice[below(11)]);
	}
}

static void step_limit(void)
{
	limit = below(4) == 0 ? RLIM_INFINITY :
		(set_pages(&heap) + below(3 * MAX_PAGES)) * page_size + below(page_size);
	if (below(6) == 0)
		limit = below(1 << 20);
	note("limit %lu bytes\n", (unsigned long)limit);
	if (set_limit(limit))
		fail("setrlimit: %s", strerror(errno));
}

/* Less than a page more than so many, or none if that is less than 0. */
static void choose_job_limit(long pages)
{
	char text[32] = "max";

	job_limit = pages;
	if (no_job)
		return;
	if (pages >= 0)
		snprintf(text, sizeof(text), "%ld", pages * page_size + below(page_size));
	note("limit of the cgroup %s\n", text);
	if (!cgroup_set(TOP, MAX, text))
		fail(MAX ": %s", strerror(errno));
}

static void step_job_limit(void)
{
	long pages = below(4) == 0 ? -1 : others + set_pages(&heap) + below(3 * MAX_PAGES);

	choose_job_limit(below(6) == 0 ? below(256) : pages);
}

static void choose_policy(enum policy chosen)
{
	const char * const names[] = { "addr0", "commit", "resident" };

	policy = chosen;
	note("policy %s\n", names[policy]);
	if (!set_policy(names[policy]))
		fail("set_policy: %s", strerror(errno));
}

static void choose_mode(bool to_audit)
{
	audit = to_audit;
	note("mode %s\n", audit ? "audit" : "enforce");
	if (!set_mode(audit ? "audit" : "enforce"))
		fail("set_mode: %s", strerror(errno));
}

static void run_steps(int steps, bool may_fork);

/* What a child was refused by the cgroup; it has seen itself that this is right. */
static void take_over_counts(void)
{
	if (no_job)
		return;
	job_refusals = job_refused(TOP);
	job_passes[0] = job_would_refuse(TOP);
	job_passes[1] = job_passes[0];
}

static void step_fork(void)
{
	unsigned long seed = next();
	int status;
	pid_t pid;

	note("fork\n");
	pid = fork();
	if (pid < 0)
		fail("fork: %s", strerror(errno));
	if (pid == 0) {
		note("in the child\n");
		others += set_pages(&heap);
		for (int i = 0; i < vmas.n; i++) {
			struct vma *vma = &vmas.vma[i];

			if (vma->dontcopy)
				drop(vma->at.start, vma->at.end - vma->at.start);
			else if (vma->shared && vma->heap)
				replace(vma->at.start, vma->at.end - vma->at.start, NEVER,
					false);
		}
		peak = set_pages(&heap);
		refused = 0;
		let_pass = 0;
		check();
		chance = seed;
		run_steps(CHILD_STEPS, false);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		fail("the child ended with %#x", status);
	/* It may have chosen others. */
	choose_policy(policy);
	choose_mode(audit);
	choose_job_limit(job_limit);
	take_over_counts();
}

static void step(bool may_fork)
{
	unsigned int dice = below(100);

	if (dice < (mapped.n > MAX_MAPPED ? 10 : 30))
		step_mmap();
	else if (dice < 50)
		step_munmap();
	else if (dice < 70)
		step_mremap();
	else if (dice < 80)
		step_brk();
	else if (dice < 84)
		step_advice();
	else if (dice < 92)
		step_mprotect();
	else if (dice < 94)
		choose_policy(below(3));
	else if (dice < 95)
		choose_mode(below(2));
	else if (dice < 98 || !may_fork)
		below(2) && !no_job ? step_job_limit() : step_limit();
	else
		step_fork();
	check();
}

static void run_steps(int steps, bool may_fork)
{
	while (steps--)
		step(may_fork);
}

/* --- Two threads that take turns. --- */

static pthread_mutex_t turn_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static int turn, steps_left = STEPS;

static void *run_thread(void *arg)
{
	int me = *(int *)arg;

	pthread_mutex_lock(&turn_lock);
	while (steps_left) {
		if (turn != me) {
			pthread_cond_wait(&turn_changed, &turn_lock);
			continue;
		}
		step(true);
		steps_left--;
		turn = below(2);
		note("thread %d: ", turn);
		pthread_cond_broadcast(&turn_changed);
	}
	pthread_mutex_unlock(&turn_lock);
	return NULL;
}

static void run(unsigned long seed, unsigned int number)
{
	int ids[2] = { 0, 1 };
	pthread_t thread;

	chance = seed ^ (unsigned long)number << 32;
	next();
	memfd = memfd_create("fuzz", 0);
	if (memfd < 0 || ftruncate(memfd, MAX_PAGES * page_size))
		fail("memfd: %s", strerror(errno));

	/* The thread waits for its turn, so that its stack is there. */
	pthread_mutex_lock(&turn_lock);
	if (pthread_create(&thread, NULL, run_thread, &ids[1]))
		fail("pthread_create");
	brk_start = sys_brk(0);
	brk_now = brk_start;
	choose_policy(number % 3);
	choose_mode(false);
	peak = peak_heap();
	read_vmas(&heap, &exempt);
	pthread_mutex_unlock(&turn_lock);
	run_thread(&ids[0]);
	pthread_join(thread, NULL);
	_exit(0);
}

/* In a cgroup of its own, if there can be one, which is empty when it has ended. */
static int run_in_job(unsigned long seed, unsigned int number)
{
	int status;
	pid_t pid;

	if (!no_job && mkdir(TOP, 0755))
		ksft_exit_fail_msg("mkdir " TOP ": %s\n", strerror(errno));
	pid = no_job ? fork() : fork_in(TOP);
	if (pid == 0)
		run(seed, number);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	if (no_job || status)
		return status;
	if (heap_current(TOP))
		ksft_print_msg("the cgroup has %ld pages, and nobody is in it\n",
			       heap_current(TOP));
	return heap_current(TOP) || !remove_cgroup(TOP);
}

static unsigned long setting(const char *name, unsigned long value)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : value;
}

int main(void)
{
	unsigned long seconds = setting("fuzz_seconds", 10);
	unsigned long seed = setting("fuzz_seed", time(NULL));
	unsigned int first = setting("fuzz_run", 0);
	time_t end = time(NULL) + seconds;
	unsigned int number = first;
	int status = 0;

	ksft_print_header();
	ksft_set_plan(1);
	no_job = no_job_limit();
	if (no_job)
		ksft_print_msg("SKIP of the limit of a cgroup: %s\n", no_job);
	do {
		fflush(stdout);
		status = run_in_job(seed, number);
		if (status)
			break;
		number++;
	} while (time(NULL) < end && !getenv("fuzz_run"));

	set_policy("addr0");
	set_mode("enforce");
	if (status)
		ksft_print_msg("replay: fuzz_seed=%lu fuzz_run=%u (ended with %#x)\n",
			       seed, number, status);
	ksft_test_result(!status, "fuzz: seed %lu, %u runs of %d steps\n", seed,
			 number - first, STEPS);
	ksft_finished();
}
