// SPDX-License-Identifier: GPL-2.0-only
/* memory.heap.*: the files, the limit, and what is told of growth that it refuses. */

#define _GNU_SOURCE
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>

#include "kselftest_harness.h"
#include "member.h"
#include "module.h"
#include "trace.h"

#define PAGES 16
#define SIZE (PAGES * page_size)
#define ROUNDS 3000

FIXTURE(job)
{
	struct member a, b;	/* in A and B */
};

FIXTURE_SETUP(job)
{
	const char *reason = no_job_limit();

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_TRUE(begin_anew("addr0"));
	ASSERT_TRUE(make_job());
	ASSERT_TRUE(start_member(&self->a, A));
	ASSERT_TRUE(start_member(&self->b, B));
}

FIXTURE_TEARDOWN(job)
{
	EXPECT_EQ(heap_current(A) + heap_current(B), heap_current(JOB));
	EXPECT_EQ(heap_current(JOB), heap_current(TOP));
	EXPECT_TRUE(end_member(&self->a));
	EXPECT_TRUE(end_member(&self->b));
	EXPECT_EQ(0, heap_current(TOP));
	EXPECT_TRUE(remove_job());
	EXPECT_TRUE(begin_anew("addr0"));
}

/* --- The files. --- */

static const char * const files[] = { CURRENT, PEAK, MAX, EVENTS, EVENTS_LOCAL };

TEST_F(job, has_files_and_the_root_has_none)
{
	for (int i = 0; i < ARRAY_SIZE(files); i++) {
		EXPECT_EQ(0, access(file_of(A, files[i]), R_OK));
		EXPECT_EQ(0, access(file_of(TOP, files[i]), R_OK));
		EXPECT_NE(0, access(file_of(CGROUPS, files[i]), F_OK));
	}
}

TEST_F(job, begins_with_nothing_and_no_limit)
{
	ASSERT_TRUE(end_member(&self->b));
	ASSERT_TRUE(remove_cgroup(B));
	ASSERT_EQ(0, mkdir(B, 0755));
	EXPECT_TRUE(cgroup_is(B, CURRENT, "0\n"));
	EXPECT_TRUE(cgroup_is(B, PEAK, "0\n"));
	EXPECT_TRUE(cgroup_is(B, MAX, "max\n"));
	EXPECT_TRUE(cgroup_is(B, EVENTS, "max 0\nwould_refuse 0\n"));
	EXPECT_TRUE(cgroup_is(B, EVENTS_LOCAL, "max 0\nwould_refuse 0\n"));
	ASSERT_TRUE(start_member(&self->b, B));
}

TEST_F(job, bad_text_is_refused)
{
	static const char * const bad[] = {
		"-1", "1.5", "12abc", "MAX", "maximum", "max 1", "1 M", "1 2", "-", "+1", "none",
		"unlimited", "4096,", "50%", "0x",
	};

	ASSERT_TRUE(set_job_limit(B, 4321));
	for (int i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_FALSE(cgroup_set(B, MAX, bad[i])) {
			TH_LOG("%s is accepted", bad[i]);
		}
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(4321, cgroup_pages(B, MAX));
	}
}

/* What a file makes of a text: an error, or what it tells then. */
static void write_and_read(const char *cgroup, const char *file, const char *text, char *told,
			   size_t size)
{
	char *is;

	if (!cgroup_set(cgroup, file, "max") || !cgroup_set(cgroup, file, text)) {
		snprintf(told, size, "error %d", errno);
		return;
	}
	is = read_proc(file_of(cgroup, file));
	snprintf(told, size, "%s", is ? is : "unreadable");
}

TEST_F(job, takes_what_memory_max_takes)
{
	static const char * const texts[] = {
		"0", "1", "4095", "4096", "4097", "1M", "1m", "3g", "2T", "1E", "0x2000", "010000",
		"max", "max\n", " max ", " 8192\n", "\n", " ", "9223372036854771712",
		"9223372036854775807", "18446744073709551615", "99999999999999999999999",
		"-1", "1.5", "12abc", "MAX", "maximum", "max 1", "1 M", "1 2", "-", "+1", "0x",
	};
	char theirs[64], ours[64];

	/* A place where a limit of 0 hurts nobody. */
	ASSERT_TRUE(end_member(&self->b));
	ASSERT_TRUE(remove_cgroup(B));
	ASSERT_EQ(0, mkdir(B, 0755));
	for (int i = 0; i < ARRAY_SIZE(texts); i++) {
		write_and_read(B, "memory.max", texts[i], theirs, sizeof(theirs));
		write_and_read(B, MAX, texts[i], ours, sizeof(ours));
		EXPECT_STREQ(theirs, ours) {
			TH_LOG("of \"%s\"", texts[i]);
		}
	}
	ASSERT_TRUE(cgroup_set(B, "memory.max", "max"));
	ASSERT_TRUE(cgroup_set(B, MAX, "max"));
	ASSERT_TRUE(start_member(&self->b, B));
}

TEST_F(job, a_limit_is_in_whole_pages)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", 5 * page_size - 1);
	ASSERT_TRUE(cgroup_set(A, MAX, text));
	EXPECT_EQ(4, cgroup_pages(A, MAX));
	snprintf(text, sizeof(text), "%ld\n", 5 * page_size + 1);
	ASSERT_TRUE(cgroup_set(A, MAX, text));
	EXPECT_EQ(5, cgroup_pages(A, MAX));
	ASSERT_TRUE(cgroup_set(A, MAX, "0"));
	EXPECT_TRUE(cgroup_is(A, MAX, "0\n"));
	ASSERT_TRUE(cgroup_set(A, MAX, "max"));
	EXPECT_TRUE(cgroup_is(A, MAX, "max\n"));
}

TEST_F(job, what_is_told_cannot_be_set)
{
	EXPECT_FALSE(cgroup_set(A, CURRENT, "0"));
	EXPECT_FALSE(cgroup_set(A, EVENTS, "0"));
	EXPECT_FALSE(cgroup_set(A, EVENTS_LOCAL, "0"));
	EXPECT_EQ(heap_of(self->a.pid), heap_current(A));
}

static bool may_only_look(void)
{
	if (setuid(65534) || cgroup_set(A, MAX, "0") || errno != EACCES || cgroup_set(A, PEAK, "0"))
		return false;
	for (int i = 0; i < ARRAY_SIZE(files); i++)
		if (!read_proc(file_of(A, files[i])))
			return false;
	return true;
}

TEST_F(job, is_for_its_owner_to_limit)
{
	ASSERT_TRUE(IN_CHILD(may_only_look()));
	EXPECT_TRUE(cgroup_is(A, MAX, "max\n"));
	/* Delegation is giving away files. */
	ASSERT_EQ(0, chown(file_of(A, MAX), 65534, -1));
	ASSERT_TRUE(IN_CHILD(setuid(65534) == 0 && cgroup_set(A, MAX, "1G")));
}

/* --- To the page, at each level. --- */

FIXTURE(limit)
{
	struct member a;
	long heap;	/* of it, and of all levels */
};

FIXTURE_VARIANT(limit)
{
	const char *cgroup;	/* whose limit it is */
	const char *policy;
};

FIXTURE_VARIANT_ADD(limit, own_addr0) { A, "addr0" };
FIXTURE_VARIANT_ADD(limit, own_commit) { A, "commit" };
FIXTURE_VARIANT_ADD(limit, of_the_parent) { JOB, "commit" };
FIXTURE_VARIANT_ADD(limit, of_the_grandparent) { TOP, "addr0" };

FIXTURE_SETUP(limit)
{
	const char *reason = no_job_limit();

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_TRUE(begin_anew("addr0"));
	ASSERT_TRUE(set_policy(variant->policy));
	ASSERT_TRUE(make_job());
	ASSERT_TRUE(start_member(&self->a, A));
	self->heap = heap_of(self->a.pid);
	ASSERT_EQ(self->heap, heap_current(TOP));
}

FIXTURE_TEARDOWN(limit)
{
	EXPECT_EQ(heap_of(self->a.pid), heap_current(A));
	EXPECT_EQ(heap_current(A), heap_current(JOB));
	EXPECT_EQ(heap_current(A), heap_current(TOP));
	EXPECT_TRUE(end_member(&self->a));
	EXPECT_EQ(0, heap_current(TOP));
	EXPECT_TRUE(remove_job());
	EXPECT_TRUE(begin_anew("addr0"));
}

/* What a call for PAGES + 1 and for PAGES pages makes of room for PAGES. */
static void is_exact(struct __test_metadata *_metadata, const struct member *a,
		     const char *limited, long (*call)(long pages), int error)
{
	long heap = heap_current(TOP);

	ASSERT_TRUE(allow_job_pages(limited, PAGES));
	ASSERT_EQ(-error, ask(a, call, PAGES + 1));
	ASSERT_EQ(heap, heap_current(A));
	ASSERT_EQ(heap, heap_current(TOP));
	ASSERT_EQ(0, ask(a, call, PAGES));
	ASSERT_EQ(heap + PAGES, heap_current(A));
	ASSERT_EQ(heap + PAGES, heap_of(a->pid));
	ASSERT_EQ(-ENOMEM, ask(a, grow_break, 1));
	ASSERT_EQ(2, job_refused_itself(limited));
}

TEST_F(limit, of_mmap)
{
	is_exact(_metadata, &self->a, variant->cgroup, map_pages, ENOMEM);
	/* Nothing is left of what was given back. */
	ASSERT_EQ(0, ask(&self->a, unmap_pages, PAGES));
	ASSERT_EQ(self->heap, heap_current(TOP));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
}

TEST_F(limit, of_the_break)
{
	is_exact(_metadata, &self->a, variant->cgroup, grow_break, ENOMEM);
	ASSERT_EQ(0, ask(&self->a, grow_break, -PAGES));
	ASSERT_EQ(self->heap, heap_current(TOP));
	ASSERT_EQ(0, ask(&self->a, grow_break, PAGES));
}

/* A page that cannot grow in place. */
static long map_hemmed_in(long pages)
{
	area = mmap(NULL, (pages + 1) * page_size, RW, ANON, -1, 0);
	return area == MAP_FAILED ||
	       mmap(area + pages * page_size, page_size, PROT_NONE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? -errno : 0;
}

/* A page with free addresses behind it. */
static long map_with_room(long pages)
{
	long error = map_pages(4 * PAGES);

	return error || !munmap(area + pages * page_size, (4 * PAGES - pages) * page_size) ?
		error : -errno;
}

/* From one page. */
static long enlarge(long pages)
{
	char *p = mremap(area, page_size, (pages + 1) * page_size, MREMAP_MAYMOVE);

	if (p == MAP_FAILED)
		return -errno;
	area = p;
	return 0;
}

static long enlarge_in_place(long pages)
{
	char *p = mremap(area, page_size, (pages + 1) * page_size, 0);

	return p == MAP_FAILED ? -errno : 0;
}

TEST_F(limit, of_mremap_that_moves)
{
	ASSERT_EQ(0, ask(&self->a, map_hemmed_in, 1));
	is_exact(_metadata, &self->a, variant->cgroup, enlarge, ENOMEM);
}

TEST_F(limit, of_mremap_in_place)
{
	ASSERT_EQ(0, ask(&self->a, map_with_room, 1));
	is_exact(_metadata, &self->a, variant->cgroup, enlarge_in_place, ENOMEM);
}

/* Of as many pages as are mapped. */
static long duplicate(long pages)
{
	return mremap(area, pages * page_size, pages * page_size,
		      MREMAP_MAYMOVE | MREMAP_DONTUNMAP) == MAP_FAILED ? -errno : 0;
}

TEST_F(limit, of_mremap_that_leaves_the_old)
{
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES + 1));
	is_exact(_metadata, &self->a, variant->cgroup, duplicate, ENOMEM);
}

static long move_area(long pages)
{
	size_t size = pages * page_size;
	char *to = area == FAR ? FAR + MIB : FAR;
	char *p = mremap(area, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);

	if (p == MAP_FAILED)
		return -errno;
	area = p;
	return 0;
}

/* It counts once, at each moment: it needs no room, and makes no peak. */
TEST_F(limit, lets_moves_pass)
{
	long peak;

	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_TRUE(allow_job_pages(variant->cgroup, 0));
	peak = job_peak(A);
	ASSERT_EQ(0, ask(&self->a, move_area, PAGES));
	ASSERT_EQ(0, ask(&self->a, move_area, PAGES));
	ASSERT_EQ(self->heap + PAGES, heap_current(TOP));
	ASSERT_EQ(peak, job_peak(A));
	ASSERT_EQ(0, job_refused(TOP));
}

static long reserve(long pages)
{
	area = mmap(NULL, pages * page_size, PROT_NONE, ANON, -1, 0);
	return area == MAP_FAILED ? -errno : 0;
}

static long commit_area(long pages)
{
	return mprotect(area, pages * page_size, RW) ? -errno : 0;
}

TEST_F(limit, of_mprotect)
{
	if (strcmp(variant->policy, "commit"))
		SKIP(return, "mprotect makes no heap under policy %s", variant->policy);
	ASSERT_EQ(0, ask(&self->a, reserve, 4 * PAGES));
	ASSERT_EQ(self->heap, heap_current(TOP));
	is_exact(_metadata, &self->a, variant->cgroup, commit_area, ENOMEM);
	/* What is heap may change as often as it likes. */
	ASSERT_EQ(0, ask(&self->a, commit_area, PAGES));
}

/* PAGES pages of heap, with a reservation behind them. */
static long reserve_behind_heap(long pages)
{
	return reserve(pages) ?: commit_area(PAGES);
}

/* All of that heap, and so many pages more. */
static long map_over(long pages)
{
	return mmap(area, SIZE + pages * page_size, RW, ANON | MAP_FIXED, -1, 0) == MAP_FAILED ?
		-errno : 0;
}

TEST_F(limit, of_heap_over_heap_is_the_difference)
{
	if (strcmp(variant->policy, "commit"))
		SKIP(return, "what is mapped at an address is no heap under policy %s",
		     variant->policy);
	ASSERT_EQ(0, ask(&self->a, reserve_behind_heap, 4 * PAGES));
	ASSERT_EQ(self->heap + PAGES, heap_current(TOP));
	is_exact(_metadata, &self->a, variant->cgroup, map_over, ENOMEM);
	/* Now all of it is heap, and as much for as much is no growth. */
	ASSERT_EQ(0, ask(&self->a, map_over, PAGES));
	ASSERT_EQ(0, ask(&self->a, map_over, 0));
	ASSERT_EQ(self->heap + 2 * PAGES, heap_current(TOP));
}

TEST_F(limit, of_faults_that_grow)
{
	if (strcmp(variant->policy, "addr0"))
		SKIP(return, "what grows downwards is no heap under policy %s", variant->policy);
	ASSERT_EQ(0, ask(&self->a, map_downwards, 0));
	is_exact(_metadata, &self->a, variant->cgroup, touch_below, EFAULT);
}

/* Also above a limit of nothing at all. */
TEST_F(limit, that_is_lowered_refuses_growth_only)
{
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_TRUE(cgroup_set(variant->cgroup, MAX, "0"));
	ASSERT_TRUE(cgroup_is(variant->cgroup, MAX, "0\n"));
	ASSERT_EQ(self->heap + PAGES, heap_current(A));
	ASSERT_EQ(0, job_refused(TOP));

	ASSERT_EQ(-ENOMEM, ask(&self->a, grow_break, 1));
	ASSERT_EQ(0, ask(&self->a, move_area, PAGES));
	ASSERT_EQ(0, ask(&self->a, unmap_pages, PAGES / 2));
	ASSERT_EQ(self->heap + PAGES / 2, heap_current(A));
	/* Still above it: what was given back is gone. */
	ASSERT_EQ(-ENOMEM, ask(&self->a, grow_break, 1));
	ASSERT_EQ(0, ask(&self->a, unmap_pages, PAGES));
	ASSERT_EQ(2, job_refused(TOP));

	ASSERT_TRUE(cgroup_set(variant->cgroup, MAX, "max"));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
}

TEST_F(limit, below_what_is_used_opens_when_it_is_given_back)
{
	ASSERT_EQ(0, ask(&self->a, map_pages, 2 * PAGES));
	ASSERT_TRUE(set_job_limit(variant->cgroup, self->heap + PAGES));
	ASSERT_EQ(0, ask(&self->a, unmap_pages, PAGES));
	ASSERT_EQ(-ENOMEM, ask(&self->a, grow_break, 1));
	ASSERT_EQ(0, ask(&self->a, grow_break, 0));
	ASSERT_EQ(self->heap + PAGES, heap_current(A));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 1));
	ASSERT_EQ(self->heap + PAGES, heap_current(A));
}

/* It lifts the sum above the limit, and growth is refused to both then. */
TEST_F(limit, never_refuses_a_fork)
{
	long pid;

	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_TRUE(cgroup_set(variant->cgroup, MAX, "0"));
	pid = ask(&self->a, fork_child, 0);
	ASSERT_LT(0, pid);
	ASSERT_EQ(self->heap + PAGES, heap_of(pid));
	ASSERT_EQ(2 * (self->heap + PAGES), heap_current(TOP));
	ASSERT_EQ(0, job_refused(TOP));

	ASSERT_TRUE(set_job_limit(variant->cgroup, 2 * (self->heap + PAGES) - 1));
	ASSERT_EQ(-ENOMEM, ask(&self->a, grow_break, 1));
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
	ASSERT_EQ(self->heap + PAGES, heap_current(TOP));
	ASSERT_EQ(0, ask(&self->a, map_pages, self->heap + PAGES - 1));
	ASSERT_EQ(-ENOMEM, ask(&self->a, grow_break, 1));
}

/* --- Siblings share what their parent has. --- */

TEST_F(job, siblings_share_the_limit_of_their_parent)
{
	ASSERT_TRUE(allow_job_pages(JOB, PAGES));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES / 2));
	ASSERT_EQ(-ENOMEM, ask(&self->b, map_pages, PAGES / 2 + 1));
	ASSERT_EQ(0, ask(&self->b, map_pages, PAGES / 2));
	ASSERT_EQ(-ENOMEM, ask(&self->a, grow_break, 1));
	ASSERT_EQ(-ENOMEM, ask(&self->b, grow_break, 1));
	ASSERT_EQ(0, ask(&self->b, unmap_pages, 1));
	ASSERT_EQ(0, ask(&self->a, grow_break, 1));
	ASSERT_EQ(-ENOMEM, ask(&self->b, grow_break, 1));
	ASSERT_EQ(heap_of(self->a.pid), heap_current(A));
	ASSERT_EQ(heap_of(self->b.pid), heap_current(B));
}

TEST_F(job, a_limit_is_no_matter_of_its_siblings)
{
	ASSERT_TRUE(cgroup_set(A, MAX, "0"));
	ASSERT_EQ(-ENOMEM, ask(&self->a, grow_break, 1));
	ASSERT_EQ(0, ask(&self->b, map_pages, PAGES));
	ASSERT_EQ(0, job_refused(B));
}

/* More than its parent may have, it may not have either. */
TEST_F(job, the_tightest_limit_of_all_levels_counts)
{
	ASSERT_TRUE(allow_job_pages(A, 3 * PAGES));
	ASSERT_TRUE(allow_job_pages(JOB, 2 * PAGES));
	ASSERT_TRUE(allow_job_pages(TOP, PAGES));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_EQ(-ENOMEM, ask(&self->a, grow_break, 1));
	ASSERT_EQ(1, job_refused_itself(TOP));
	ASSERT_TRUE(cgroup_set(TOP, MAX, "max"));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_EQ(-ENOMEM, ask(&self->a, grow_break, 1));
	ASSERT_EQ(1, job_refused_itself(JOB));
	ASSERT_TRUE(cgroup_set(JOB, MAX, "max"));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_EQ(-ENOMEM, ask(&self->a, grow_break, 1));
	ASSERT_EQ(1, job_refused_itself(A));
}

/* --- What is told of a refusal. --- */

TEST_F(job, a_refusal_counts_where_the_limit_is_and_above)
{
	ASSERT_TRUE(allow_job_pages(A, 0));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 1));
	EXPECT_TRUE(cgroup_is(A, EVENTS, "max 1\nwould_refuse 0\n"));
	EXPECT_TRUE(cgroup_is(A, EVENTS_LOCAL, "max 1\nwould_refuse 0\n"));
	EXPECT_TRUE(cgroup_is(JOB, EVENTS, "max 1\nwould_refuse 0\n"));
	EXPECT_TRUE(cgroup_is(JOB, EVENTS_LOCAL, "max 0\nwould_refuse 0\n"));
	EXPECT_EQ(1, job_refused(TOP));
	EXPECT_EQ(0, job_refused_itself(TOP));
	EXPECT_EQ(0, job_refused(B));

	ASSERT_TRUE(cgroup_set(A, MAX, "max"));
	ASSERT_TRUE(allow_job_pages(JOB, 0));
	ASSERT_EQ(-ENOMEM, ask(&self->b, map_pages, 1));
	EXPECT_EQ(0, job_refused(B));
	EXPECT_EQ(1, job_refused(A));
	EXPECT_EQ(2, job_refused(JOB));
	EXPECT_EQ(1, job_refused_itself(JOB));
	EXPECT_EQ(2, job_refused(TOP));
	EXPECT_EQ(0, job_refused_itself(TOP));
}

/* Once, though all would have refused. */
TEST_F(job, the_nearest_limit_refuses)
{
	ASSERT_TRUE(allow_job_pages(A, 0));
	ASSERT_TRUE(allow_job_pages(JOB, 0));
	ASSERT_TRUE(allow_job_pages(TOP, 0));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 1));
	EXPECT_EQ(1, job_refused_itself(A));
	EXPECT_EQ(0, job_refused_itself(JOB));
	EXPECT_EQ(0, job_refused_itself(TOP));
	EXPECT_EQ(1, job_refused(TOP));
}

static long refusals(long unused)
{
	return heap_refused();
}

TEST_F(job, a_refusal_counts_in_the_process_and_the_machine)
{
	long all = proc_number("/proc/vmstat", "heap_refused ");

	ASSERT_TRUE(allow_job_pages(JOB, 0));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 1));
	ASSERT_EQ(-ENOMEM, ask(&self->a, grow_break, 1));
	EXPECT_EQ(2, ask(&self->a, refusals, 0));
	EXPECT_EQ(0, ask(&self->b, refusals, 0));
	EXPECT_EQ(all + 2, proc_number("/proc/vmstat", "heap_refused "));
}

TEST_F(job, the_limit_of_the_process_is_judged_first)
{
	ASSERT_TRUE(allow_job_pages(A, 0));
	ASSERT_EQ(0, ask(&self->a, allow_itself, 0));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 1));
	EXPECT_EQ(0, job_refused(TOP));
	/* It lets this pass. */
	ASSERT_EQ(0, ask(&self->a, allow_itself, 1));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 1));
	EXPECT_EQ(1, job_refused(TOP));
	EXPECT_EQ(2, ask(&self->a, refusals, 0));
}

/* A field of the first event of that name, up to what is no digit. */
static unsigned long field(const char *event, const char *name)
{
	char *line = read_proc(INSTANCE "/trace");

	line = line ? strstr(line, event) : NULL;
	line = line ? strstr(line, name) : NULL;
	return line ? strtoul(line + strlen(name), NULL, 10) : -1UL;
}

static unsigned long id_of(const char *cgroup)
{
	struct stat stat;

	return lstat(cgroup, &stat) ? 0 : stat.st_ino;
}

FIXTURE(traced)
{
	struct member a;
	long kb;
};

FIXTURE_SETUP(traced)
{
	const char *reason = no_job_limit();

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_TRUE(begin_anew("addr0"));
	ASSERT_TRUE(make_job());
	ASSERT_TRUE(start_member(&self->a, A));
	ASSERT_TRUE(trace_start());
	self->kb = page_size / 1024;
}

FIXTURE_TEARDOWN(traced)
{
	trace_stop();
	EXPECT_TRUE(end_member(&self->a));
	EXPECT_TRUE(remove_job());
	EXPECT_TRUE(begin_anew("addr0"));
}

TEST_F(traced, the_cgroup_its_usage_and_its_limit)
{
	/* A second one, so that the usage of the cgroup is not that of the process. */
	long pid = ask(&self->a, fork_child, 0);

	ASSERT_LT(0, pid);
	ASSERT_TRUE(allow_job_pages(JOB, 2));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 3));
	ASSERT_EQ(1, traced("heap_refused", " what=mmap "));
	EXPECT_EQ(id_of(JOB), field("heap_refused", " cgroup="));
	EXPECT_EQ(3 * self->kb, field("heap_refused", " request="));
	EXPECT_EQ(heap_current(JOB) * self->kb, field("heap_refused", " usage="));
	EXPECT_EQ((heap_current(JOB) + 2) * self->kb, field("heap_refused", " limit="));
	EXPECT_EQ(self->a.pid, field("heap_refused", " pid="));
}

TEST_F(traced, no_cgroup_when_it_is_the_process)
{
	ASSERT_EQ(0, ask(&self->a, allow_itself, 2));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 3));
	ASSERT_EQ(1, traced("heap_refused", " what=mmap "));
	EXPECT_EQ(0, field("heap_refused", " cgroup="));
	EXPECT_EQ(heap_of(self->a.pid) * self->kb, field("heap_refused", " usage="));
	EXPECT_EQ((heap_of(self->a.pid) + 2) * self->kb, field("heap_refused", " limit="));
}

TEST_F(traced, an_audit_as_well)
{
	ASSERT_TRUE(set_mode("audit"));
	ASSERT_TRUE(allow_job_pages(A, 0));
	ASSERT_EQ(0, ask(&self->a, map_pages, 3));
	ASSERT_EQ(1, traced("heap_would_refuse", " what=mmap "));
	EXPECT_EQ(id_of(A), field("heap_would_refuse", " cgroup="));
	EXPECT_EQ(0, traced("heap_refused", ""));
}

/* --- Who waits is told of events. --- */

/* An open file of events, that was read. */
static struct pollfd watch(const char *cgroup, const char *file)
{
	char buf[128];
	int fd = open(file_of(cgroup, file), O_RDONLY | O_CLOEXEC);

	if (read(fd, buf, sizeof(buf)) <= 0)
		perror("watch");
	return (struct pollfd){ .fd = fd, .events = POLLPRI };
}

static bool sees_event(struct pollfd *file, int ms)
{
	char buf[128];
	int n = poll(file, 1, ms);
	bool seen = n == 1 && file->revents & POLLPRI;

	if (pread(file->fd, buf, sizeof(buf), 0) <= 0)
		perror("sees_event");
	return seen;
}

TEST_F(job, poll_sees_events)
{
	struct pollfd own = watch(A, EVENTS), local = watch(A, EVENTS_LOCAL);
	struct pollfd above = watch(TOP, EVENTS), above_local = watch(TOP, EVENTS_LOCAL);
	struct pollfd beside = watch(B, EVENTS);

	EXPECT_FALSE(sees_event(&own, 0));
	ASSERT_TRUE(allow_job_pages(A, 0));
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 1));
		EXPECT_TRUE(sees_event(&own, 5000));
		EXPECT_TRUE(sees_event(&local, 5000));
		EXPECT_TRUE(sees_event(&above, 5000));
	}
	EXPECT_FALSE(sees_event(&above_local, 100));
	EXPECT_FALSE(sees_event(&beside, 0));
	EXPECT_FALSE(sees_event(&own, 0));

	ASSERT_TRUE(set_mode("audit"));
	ASSERT_EQ(0, ask(&self->a, map_pages, 1));
	EXPECT_TRUE(sees_event(&own, 5000));
	EXPECT_TRUE(sees_event(&local, 5000));
	EXPECT_TRUE(sees_event(&above, 5000));
}

/* --- Mode audit. --- */

static long let_pass(long unused)
{
	return heap_would_refuse();
}

TEST_F(job, an_audit_passes_and_counts)
{
	long heap = heap_current(A);

	ASSERT_TRUE(set_mode("audit"));
	ASSERT_TRUE(allow_job_pages(A, PAGES));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	EXPECT_EQ(0, job_would_refuse(TOP));
	ASSERT_EQ(0, ask(&self->a, map_pages, 1));
	ASSERT_EQ(0, ask(&self->a, grow_break, 1));
	EXPECT_EQ(heap + PAGES + 2, heap_current(A));
	EXPECT_TRUE(cgroup_is(A, EVENTS, "max 0\nwould_refuse 2\n"));
	EXPECT_TRUE(cgroup_is(A, EVENTS_LOCAL, "max 0\nwould_refuse 2\n"));
	EXPECT_EQ(2, job_would_refuse(TOP));
	EXPECT_EQ(0, job_would_refuse_itself(TOP));
	EXPECT_EQ(0, job_would_refuse(B));
	EXPECT_EQ(2, ask(&self->a, let_pass, 0));
	EXPECT_EQ(0, ask(&self->a, refusals, 0));

	/* What gives back, or is no growth, would not be refused. */
	ASSERT_EQ(0, ask(&self->a, grow_break, -1));
	ASSERT_EQ(0, ask(&self->a, unmap_pages, 1));
	EXPECT_EQ(2, job_would_refuse(A));
	ASSERT_TRUE(set_mode("enforce"));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, 1));
	EXPECT_TRUE(cgroup_is(A, EVENTS, "max 1\nwould_refuse 2\n"));
}

TEST_F(job, an_audit_of_the_parent)
{
	ASSERT_TRUE(set_mode("audit"));
	ASSERT_TRUE(allow_job_pages(JOB, 0));
	ASSERT_EQ(0, ask(&self->a, map_pages, 1));
	EXPECT_EQ(0, job_would_refuse(A));
	EXPECT_EQ(1, job_would_refuse_itself(JOB));
	EXPECT_EQ(1, job_would_refuse(TOP));
}

/* A fork is never refused, so that an audit has nothing to say about it. */
TEST_F(job, an_audit_lets_forks_be)
{
	long pid;

	ASSERT_TRUE(set_mode("audit"));
	ASSERT_TRUE(cgroup_set(A, MAX, "0"));
	pid = ask(&self->a, fork_child, 0);
	ASSERT_LT(0, pid);
	EXPECT_EQ(0, job_would_refuse(A));
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
}

/* --- The module comes and goes. --- */

TEST_F(job, without_a_module_nothing_is_enforced)
{
	long heap = heap_current(A);

	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_TRUE(set_job_limit(A, 3));
	ASSERT_EQ(0, unload("rlimit_heap"));
	EXPECT_EQ(3, cgroup_pages(A, MAX));
	EXPECT_EQ(heap + PAGES, heap_current(A));

	/* Heap from before grows, without a limit, and goes. */
	ASSERT_EQ(0, ask(&self->a, unmap_pages, PAGES - 1));
	ASSERT_EQ(heap + 1, heap_current(A));
	ASSERT_TRUE(set_job_limit(A, 4));
	EXPECT_EQ(4, cgroup_pages(A, MAX));
	ASSERT_FALSE(cgroup_set(A, MAX, "much"));
	EXPECT_EQ(0, job_refused(TOP));
	EXPECT_EQ(0, job_would_refuse(TOP));
}

/* The page that is left of PAGES, at the end of them. */
static long keep_a_page(long pages)
{
	char *last = area + (pages - 1) * page_size;
	long error = unmap_pages(pages - 1);

	area = last;
	return error;
}

TEST_F(job, heap_from_before_a_module_went_stays_exact)
{
	long heap = heap_current(A), pid;

	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_EQ(0, ask(&self->a, keep_a_page, PAGES));
	ASSERT_TRUE(cgroup_set(A, MAX, "0"));
	ASSERT_EQ(0, unload("rlimit_heap"));
	ASSERT_EQ(0, ask(&self->a, enlarge, PAGES));
	EXPECT_EQ(heap + PAGES + 1, heap_current(A));
	EXPECT_EQ(heap_of(self->a.pid), heap_current(A));
	/* No new mapping is heap. */
	ASSERT_EQ(0, ask(&self->b, map_pages, PAGES));
	EXPECT_EQ(heap_of(self->b.pid), heap_current(B));
	/* A copy is. */
	pid = ask(&self->a, fork_child, 0);
	ASSERT_LT(0, pid);
	EXPECT_EQ(2 * (heap + PAGES + 1), heap_current(A));
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
	EXPECT_EQ(heap + PAGES + 1, heap_current(A));
	ASSERT_EQ(0, ask(&self->a, unmap_pages, PAGES + 1));
	EXPECT_EQ(heap, heap_current(A));
	EXPECT_EQ(0, job_refused(TOP));
}

TEST_F(job, a_module_that_comes_back_enforces_what_was_set)
{
	long heap = heap_current(A);

	ASSERT_EQ(0, unload("rlimit_heap"));
	ASSERT_TRUE(set_job_limit(A, heap + PAGES));
	ASSERT_EQ(0, ask(&self->a, map_pages, 2 * PAGES));
	EXPECT_EQ(heap, heap_current(A));
	ASSERT_EQ(0, load("rlimit_heap.ko"));
	/* What was mapped meanwhile is not heap. */
	EXPECT_EQ(heap, heap_current(A));
	ASSERT_EQ(0, ask(&self->a, unmap_pages, 2 * PAGES));
	EXPECT_EQ(heap, heap_current(A));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, PAGES + 1));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_EQ(-ENOMEM, ask(&self->a, grow_break, 1));
	EXPECT_EQ(heap + PAGES, heap_current(A));
}

/* --- The peak. --- */

TEST_F(job, the_peak_follows_growth_and_stays)
{
	long heap = heap_current(A), all = heap_current(TOP);

	ASSERT_EQ(heap, job_peak(A));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_EQ(0, ask(&self->a, unmap_pages, PAGES));
	EXPECT_EQ(heap, heap_current(A));
	EXPECT_EQ(heap + PAGES, job_peak(A));
	EXPECT_EQ(all + PAGES, job_peak(TOP));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES / 2));
	EXPECT_EQ(heap + PAGES, job_peak(A));
	/* Not the sum of the peaks of those below it. */
	ASSERT_EQ(0, ask(&self->a, unmap_pages, PAGES / 2));
	ASSERT_EQ(0, ask(&self->b, map_pages, PAGES));
	EXPECT_EQ(all + PAGES, job_peak(TOP));
}

TEST_F(job, the_peak_has_seen_forks)
{
	long heap, pid;

	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	heap = heap_current(A);
	pid = ask(&self->a, fork_child, 0);
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, ask(&self->a, reap_child, pid));
	EXPECT_EQ(heap, heap_current(A));
	EXPECT_EQ(2 * heap, job_peak(A));
}

TEST_F(job, the_peak_does_not_rise_with_what_is_refused)
{
	long peak = job_peak(A);

	ASSERT_TRUE(allow_job_pages(A, PAGES));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, PAGES + 1));
	EXPECT_EQ(peak, job_peak(A));
}

TEST_F(job, the_peak_does_not_rise_with_what_fails)
{
	long heap, peak;

	ASSERT_EQ(0, ask(&self->a, map_hemmed_in, 1));
	heap = heap_current(A);
	peak = job_peak(A);
	/* No room there, and more than is ever overcommitted. */
	ASSERT_EQ(-ENOMEM, ask(&self->a, enlarge_in_place, PAGES));
	ASSERT_EQ(-ENOMEM, ask(&self->a, map_pages, (16L << 40) / page_size));
	EXPECT_EQ(heap, heap_current(A));
	EXPECT_EQ(peak, job_peak(A));
}

/* One task and no more. */
static bool allow_one_task(const char *cgroup)
{
	return cgroup_set(CGROUPS, "cgroup.subtree_control", "+pids") &&
	       cgroup_set(TOP, "cgroup.subtree_control", "+pids") &&
	       cgroup_set(JOB, "cgroup.subtree_control", "+pids") &&
	       cgroup_set(cgroup, "pids.max", "1");
}

TEST_F(job, the_peak_does_not_rise_with_a_fork_that_fails)
{
	char *controllers = read_proc(CGROUPS "/cgroup.controllers");
	long heap, peak;

	if (!controllers || !strstr(controllers, "pids"))
		SKIP(return, "no controller of tasks: set CONFIG_CGROUP_PIDS");
	ASSERT_TRUE(allow_one_task(A));
	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	heap = heap_current(A);
	peak = job_peak(A);
	/* This controller is asked after that of memory. */
	ASSERT_EQ(-EAGAIN, ask(&self->a, fork_child, 0));
	EXPECT_EQ(heap, heap_current(A));
	EXPECT_EQ(peak, job_peak(A));
}

/* The peak since it was reset, as an open file tells it. */
static long peak_by(int fd)
{
	char buf[32] = "";

	return pread(fd, buf, sizeof(buf) - 1, 0) > 0 ? atol(buf) / page_size : -1;
}

TEST_F(job, the_peak_is_reset_for_an_open_file)
{
	int mine = open(file_of(A, PEAK), O_RDWR | O_CLOEXEC);
	int other = open(file_of(A, PEAK), O_RDWR | O_CLOEXEC);
	long heap = heap_current(A);

	ASSERT_LE(0, mine);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, ask(&self->a, map_pages, 4 * PAGES));
	ASSERT_EQ(0, ask(&self->a, unmap_pages, 4 * PAGES));
	EXPECT_EQ(heap + 4 * PAGES, peak_by(mine));

	/* Any text will do. */
	ASSERT_EQ(6, pwrite(mine, "reset\n", 6, 0));
	EXPECT_EQ(heap, peak_by(mine));
	EXPECT_EQ(heap + 4 * PAGES, peak_by(other));
	EXPECT_EQ(heap + 4 * PAGES, job_peak(A));

	ASSERT_EQ(0, ask(&self->a, map_pages, PAGES));
	ASSERT_EQ(0, ask(&self->a, unmap_pages, PAGES));
	EXPECT_EQ(heap + PAGES, peak_by(mine));
	EXPECT_EQ(heap + 4 * PAGES, peak_by(other));

	/* What one has seen does not go when another is reset higher up. */
	ASSERT_EQ(0, ask(&self->a, map_pages, 2 * PAGES));
	ASSERT_EQ(1, pwrite(other, "1", 1, 0));
	EXPECT_EQ(heap + 2 * PAGES, peak_by(mine));
	EXPECT_EQ(heap + 2 * PAGES, peak_by(other));
	ASSERT_EQ(0, ask(&self->a, unmap_pages, 2 * PAGES));
	EXPECT_EQ(heap + 2 * PAGES, peak_by(mine));

	ASSERT_EQ(0, ask(&self->a, map_pages, 8 * PAGES));
	EXPECT_EQ(heap + 8 * PAGES, peak_by(mine));
	EXPECT_EQ(heap + 8 * PAGES, peak_by(other));
	EXPECT_EQ(heap + 8 * PAGES, job_peak(A));
	close(mine);
	close(other);
	EXPECT_EQ(heap + 8 * PAGES, job_peak(A));
}

/* --- Two that ask at once. --- */

struct race {
	atomic_long arrived;
	atomic_bool over;
	bool got[2];
};

static struct race *shared;

/* Both are here. */
static void meet(long *meetings)
{
	atomic_fetch_add(&shared->arrived, 1);
	for (++*meetings; atomic_load(&shared->arrived) < 2 * *meetings; )
		sched_yield();
}

/* ROUNDS times: do both of us together get one page? How often did I, or -1. */
static long race_for_a_page(long me)
{
	long wins = 0, meetings = 0;

	for (int i = 0; i < ROUNDS; i++) {
		meet(&meetings);
		shared->got[me] = map_pages(1) == 0;
		meet(&meetings);
		if (shared->got[0] + shared->got[1] != 1)
			return -1;
		wins += shared->got[me];
		if (shared->got[me])
			unmap_pages(1);
	}
	return wins;
}

FIXTURE(race)
{
	struct member racers[2];
};

FIXTURE_VARIANT(race)
{
	const char *cgroups[2];
	const char *limited;
};

FIXTURE_VARIANT_ADD(race, within_a_cgroup) { { A, A }, A };
FIXTURE_VARIANT_ADD(race, between_siblings) { { A, B }, JOB };
FIXTURE_VARIANT_ADD(race, within_a_grandchild) { { B, B }, TOP };

FIXTURE_SETUP(race)
{
	const char *reason = no_job_limit();

	if (reason)
		SKIP(return, "%s", reason);
	ASSERT_TRUE(begin_anew("addr0"));
	ASSERT_TRUE(make_job());
	shared = mmap(NULL, page_size, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, shared);
	for (int i = 0; i < 2; i++)
		ASSERT_TRUE(start_member(&self->racers[i], variant->cgroups[i]));
}

FIXTURE_TEARDOWN(race)
{
	EXPECT_EQ(heap_of(self->racers[0].pid) + heap_of(self->racers[1].pid), heap_current(TOP));
	for (int i = 0; i < 2; i++)
		EXPECT_TRUE(end_member(&self->racers[i]));
	EXPECT_EQ(0, heap_current(TOP));
	EXPECT_TRUE(remove_job());
	EXPECT_TRUE(begin_anew("addr0"));
}

TEST_F_TIMEOUT(race, one_gets_the_last_page, 300)
{
	long wins[2];

	ASSERT_TRUE(allow_job_pages(variant->limited, 1));
	for (int i = 0; i < 2; i++)
		tell(&self->racers[i], race_for_a_page, i);
	for (int i = 0; i < 2; i++) {
		wins[i] = answer(&self->racers[i]);
		ASSERT_LE(0, wins[i]);
	}
	ASSERT_EQ(ROUNDS, wins[0] + wins[1]);
	ASSERT_EQ(ROUNDS, job_refused_itself(variant->limited));
	TH_LOG("%ld and %ld times", wins[0], wins[1]);
}

/* Until told that it is over: what never fits. How often it did, or -1. */
static long ask_for_too_much(long pages)
{
	long asked = 0;

	for (; !atomic_load(&shared->over); asked++)
		if (map_pages(pages) != -ENOMEM)
			return -1;
	return asked;
}

/* ROUNDS times what always fits. How often it did not. */
static long ask_for_what_fits(long pages)
{
	long refused = 0;

	for (int i = 0; i < ROUNDS; i++)
		refused += map_pages(pages) || unmap_pages(pages);
	return refused;
}

/* Neither does growth that is refused take room meanwhile. */
TEST_F_TIMEOUT(race, what_is_refused_does_not_keep_others_out, 300)
{
	ASSERT_TRUE(allow_job_pages(variant->limited, PAGES));
	tell(&self->racers[0], ask_for_too_much, PAGES + 1);
	EXPECT_EQ(0, ask(&self->racers[1], ask_for_what_fits, PAGES));
	atomic_store(&shared->over, true);
	EXPECT_LE(0, answer(&self->racers[0]));
}

TEST_HARNESS_MAIN
