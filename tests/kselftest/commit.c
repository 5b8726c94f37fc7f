// SPDX-License-Identifier: GPL-2.0-only
/*
 * Policy commit: anonymous memory is heap from when it first becomes writable.
 * Each rule, and the borders between two of them.
 */

#define _GNU_SOURCE
#include <linux/memfd.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>

#include "kselftest_harness.h"
#include "heap.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#ifndef __NR_mseal
#define __NR_mseal 462
#endif

#define PAGES 16
#define SIZE (PAGES * page_size)
#define SHARED (MAP_SHARED | MAP_ANONYMOUS)
#define HUGE_SIZE (2 * MIB)
#define GIB (1024UL * MIB)

FIXTURE(commit)
{
	long heap;
	int memfd;
};

/* Of what is heap they say the same. */
FIXTURE_VARIANT(commit)
{
	const char *policy;
};

FIXTURE_VARIANT_ADD(commit, commit) { "commit" };
FIXTURE_VARIANT_ADD(commit, resident) { "resident" };

FIXTURE_SETUP(commit)
{
	ASSERT_TRUE(set_policy(variant->policy));
	self->memfd = memfd_create("commit", 0);
	ASSERT_GE(self->memfd, 0);
	ASSERT_EQ(0, ftruncate(self->memfd, SIZE));
	self->heap = total_heap();
}

FIXTURE_TEARDOWN(commit)
{
	ASSERT_EXACT();
	ASSERT_TRUE(set_policy("addr0"));
}

/* The pages of heap that there are more than at the start. */
#define GROWN() (total_heap() - self->heap)

static bool is_writable(char *p)
{
	int fds[2];
	bool is;

	/* The kernel reads into it, or says EFAULT. */
	if (pipe(fds) || write(fds[1], "x", 1) != 1)
		return false;
	is = read(fds[0], p, 1) == 1;
	close(fds[0]);
	close(fds[1]);
	return is;
}

/* --- What is writable counts, wherever it is. --- */

TEST_F(commit, writable_memory_counts)
{
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(PAGES, GROWN());
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, PROT_WRITE, ANON, -1, 0));
	ASSERT_EQ(2 * PAGES, GROWN());
	ASSERT_EQ(FAR, mmap(FAR, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(3 * PAGES, GROWN());
	ASSERT_EQ(FAR + SIZE, mmap(FAR + SIZE, SIZE, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(FAR + 2 * SIZE,
		  mmap(FAR + 2 * SIZE, SIZE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	ASSERT_EQ(5 * PAGES, GROWN());
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON | MAP_NORESERVE, -1, 0));
	ASSERT_EQ(6 * PAGES, GROWN());
}

TEST_F(commit, the_break_counts)
{
	uintptr_t old = (sys_brk(0) + page_size - 1) & -page_size;

	ASSERT_EQ(old + SIZE, sys_brk(old + SIZE));
	ASSERT_EQ(PAGES, GROWN());
	ASSERT_EQ(old, sys_brk(old));
	ASSERT_EQ(0, GROWN());
}

TEST_F(commit, is_refused_above_the_limit)
{
	if (strcmp(variant->policy, "commit"))
		SKIP(return, "policy %s limits what is touched: see resident.c",
		     variant->policy);
	ASSERT_EQ(0, allow_pages(PAGES));
	ASSERT_EQ(MAP_FAILED, mmap(FAR, SIZE + 1, RW, ANON, -1, 0));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(FAR, mmap(FAR, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(MAP_FAILED, mmap(NULL, 1, RW, ANON, -1, 0));
	/* Heap makes room for heap. */
	ASSERT_EQ(FAR, mmap(FAR, SIZE, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(PAGES, GROWN());
}

/* --- A reservation counts when it becomes writable. --- */

FIXTURE(reserved)
{
	long heap;
	char *p;
};

FIXTURE_VARIANT(reserved)
{
	int prot, flags;
};

FIXTURE_VARIANT_ADD(reserved, none) { PROT_NONE, ANON };
FIXTURE_VARIANT_ADD(reserved, noreserve) { PROT_NONE, ANON | MAP_NORESERVE };
FIXTURE_VARIANT_ADD(reserved, read) { PROT_READ, ANON };
FIXTURE_VARIANT_ADD(reserved, exec) { PROT_READ | PROT_EXEC, ANON };

FIXTURE_SETUP(reserved)
{
	ASSERT_TRUE(set_policy("commit"));
	self->heap = total_heap();
	self->p = mmap(NULL, SIZE, variant->prot, variant->flags, -1, 0);
	ASSERT_NE(MAP_FAILED, self->p);
	ASSERT_EQ(0, GROWN());
}

FIXTURE_TEARDOWN(reserved)
{
	ASSERT_EXACT();
	ASSERT_TRUE(set_policy("addr0"));
}

TEST_F(reserved, counts_by_mprotect)
{
	ASSERT_EQ(0, mprotect(self->p, SIZE, PROT_READ | PROT_EXEC));
	ASSERT_EQ(0, GROWN());
	ASSERT_EQ(0, mprotect(self->p, SIZE, RW));
	ASSERT_EQ(PAGES, GROWN());
}

TEST_F(reserved, counts_by_pkey_mprotect)
{
	int key = syscall(SYS_pkey_alloc, 0, 0);

	if (key < 0)
		SKIP(return, "this kernel has no protection keys (see KERNEL=debug)");
	ASSERT_EQ(0, syscall(SYS_pkey_mprotect, self->p, SIZE, RW, key));
	ASSERT_EQ(PAGES, GROWN());
}

TEST_F(reserved, a_part_counts)
{
	ASSERT_EQ(0, mprotect(self->p + 4 * page_size, 2 * page_size, RW));
	ASSERT_EQ(2, GROWN());
	/* Over it, and more. */
	ASSERT_EQ(0, mprotect(self->p + 3 * page_size, 5 * page_size, RW));
	ASSERT_EQ(5, GROWN());
	ASSERT_EQ(0, munmap(self->p, 4 * page_size));
	ASSERT_EQ(4, GROWN());
	ASSERT_EQ(0, munmap(self->p, SIZE));
	ASSERT_EQ(0, GROWN());
}

TEST_F(reserved, stays_counted)
{
	ASSERT_EQ(0, mprotect(self->p, SIZE, RW));
	self->p[0] = 1;
	ASSERT_EQ(0, mprotect(self->p, SIZE, PROT_NONE));
	ASSERT_EQ(PAGES, GROWN());
	ASSERT_EQ(0, madvise(self->p, SIZE, MADV_DONTNEED));
	ASSERT_EQ(PAGES, GROWN());
	/* What is counted is not refused. */
	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(0, mprotect(self->p, SIZE, RW));
	ASSERT_EQ(PAGES, GROWN());
}

TEST_F(reserved, a_refusal_changes_nothing)
{
	char *before, *after;

	ASSERT_EQ(0, allow_pages(PAGES - 1));
	before = strdup(read_proc("/proc/self/maps"));
	ASSERT_EQ(-1, mprotect(self->p, SIZE, RW));
	ASSERT_EQ(ENOMEM, errno);
	after = read_proc("/proc/self/maps");
	ASSERT_STREQ(before, after);
	ASSERT_EQ(0, GROWN());
	ASSERT_FALSE(is_writable(self->p));
	ASSERT_EQ(0, mprotect(self->p, SIZE - page_size, RW));
	ASSERT_TRUE(is_writable(self->p));
	ASSERT_EQ(PAGES - 1, GROWN());
}

/* As when there is no memory: mprotect() goes from mapping to mapping. */
TEST_F(reserved, the_limit_between_two_mappings)
{
	ASSERT_EQ(0, mprotect(self->p + 4 * page_size, page_size, RW));
	ASSERT_EQ(0, allow_pages(PAGES - 2));
	/* 4 pages, the one that counts already, and 11. */
	ASSERT_EQ(-1, mprotect(self->p, SIZE, RW));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(5, GROWN());
	ASSERT_TRUE(is_writable(self->p));
	ASSERT_FALSE(is_writable(self->p + 5 * page_size));
	ASSERT_EXACT();
}

TEST_F(reserved, counts_by_a_fixed_mapping)
{
	ASSERT_EQ(0, allow_pages(4));
	ASSERT_EQ(MAP_FAILED, mmap(self->p, 5 * page_size, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(ENOMEM, errno);
	/* The reservation is still there. */
	ASSERT_EQ(MAP_FAILED, mmap(self->p, SIZE, PROT_NONE, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	ASSERT_EQ(EEXIST, errno);
	ASSERT_EQ(self->p, mmap(self->p, 4 * page_size, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(4, GROWN());
	/* G1 gives back like this. */
	ASSERT_EQ(self->p, mmap(self->p, SIZE, PROT_NONE, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(0, GROWN());
}

TEST_F(reserved, grows_by_mremap)
{
	char *p;

	ASSERT_EQ(0, set_limit(0));
	p = mremap(self->p, SIZE, 2 * SIZE, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, GROWN());
	ASSERT_EQ(0, allow_pages(3 * PAGES));
	ASSERT_EQ(0, mprotect(p, 2 * SIZE, RW));
	ASSERT_EQ(2 * PAGES, GROWN());
	ASSERT_EQ(MAP_FAILED, mremap(p, 2 * SIZE, 4 * SIZE, MREMAP_MAYMOVE));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_NE(MAP_FAILED, mremap(p, 2 * SIZE, 3 * SIZE, MREMAP_MAYMOVE));
	ASSERT_EQ(3 * PAGES, GROWN());
}

TEST_F(reserved, a_name_changes_nothing)
{
	if (prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, self->p, page_size, "name"))
		SKIP(return, "this kernel has no names for anonymous memory (see KERNEL=debug)");
	ASSERT_EQ(0, GROWN());
	ASSERT_EQ(0, mprotect(self->p, SIZE, RW));
	ASSERT_EQ(PAGES, GROWN());
}

TEST_F(reserved, sealed_it_never_counts)
{
	if (syscall(__NR_mseal, self->p, SIZE, 0))
		SKIP(return, "this kernel has no mseal()");
	ASSERT_EQ(-1, mprotect(self->p, SIZE, RW));
	ASSERT_EQ(EPERM, errno);
	ASSERT_EQ(0, GROWN());
}

/* Ways round the limit, see README: what is not writable is not empty in any case. */
TEST_F(commit, a_reservation_filled_by_proc_mem_is_free)
{
	char *p = mmap(NULL, SIZE, PROT_READ, ANON, -1, 0);
	int mem = open("/proc/self/mem", O_RDWR);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_GE(mem, 0);
	ASSERT_EQ(0, set_limit(0));
	for (int i = 0; i < PAGES; i++)
		ASSERT_EQ(1, pwrite(mem, "x", 1, (off_t)(p + i * page_size)));
	ASSERT_EQ('x', p[SIZE - page_size]);
	ASSERT_EQ(0, GROWN());
}

TEST_F(commit, huge_pages_that_are_only_read_are_free)
{
	char *p;

	ASSERT_TRUE(set_huge_pages("4"));
	ASSERT_EQ(0, set_limit(0));
	p = mmap(NULL, HUGE_SIZE, PROT_READ, ANON | MAP_HUGETLB, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, *(volatile char *)p);
	ASSERT_EQ(3, proc_number("/proc/meminfo", "HugePages_Free:"));
	ASSERT_EQ(0, GROWN());
	ASSERT_EQ(0, munmap(p, HUGE_SIZE));
	ASSERT_TRUE(set_huge_pages("0"));
}

/* --- Stacks do not count, and neither do they later. --- */

FIXTURE(stack)
{
	long heap;
};

FIXTURE_VARIANT(stack)
{
	int flag;
};

FIXTURE_VARIANT_ADD(stack, map_stack) { MAP_STACK };
FIXTURE_VARIANT_ADD(stack, growsdown) { MAP_GROWSDOWN };

FIXTURE_SETUP(stack)
{
	ASSERT_TRUE(set_policy("commit"));
	self->heap = total_heap();
	ASSERT_EQ(0, set_limit(0));
}

FIXTURE_TEARDOWN(stack)
{
	ASSERT_EXACT();
	ASSERT_TRUE(set_policy("addr0"));
}

TEST_F(stack, is_free)
{
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON | variant->flag, -1, 0));
	ASSERT_EQ(0, GROWN());
}

/* glibc maps it PROT_NONE, and makes all but the guard writable. */
TEST_F(stack, is_free_when_it_becomes_writable)
{
	char *p = mmap(NULL, SIZE, PROT_NONE, ANON | variant->flag, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, mprotect(p + page_size, SIZE - page_size, RW));
		ASSERT_EQ(0, GROWN());
		ASSERT_EQ(0, mprotect(p, SIZE, PROT_NONE));
	}
}

/* musl maps its stacks without MAP_STACK. */
TEST_F(commit, a_stack_without_the_flag_counts)
{
	char *p = mmap(NULL, SIZE, PROT_NONE, ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect(p + page_size, SIZE - page_size, RW));
	ASSERT_EQ(PAGES - 1, GROWN());
}

TEST_F(commit, the_main_stack_is_free)
{
	/* Far below what is in use, but within it. */
	volatile char deep[4 * SIZE];
	char *page = (char *)(((uintptr_t)deep + page_size) & -page_size);

	deep[0] = 1;
	ASSERT_EQ(0, mprotect(page, page_size, PROT_READ));
	ASSERT_EQ(0, mprotect(page, page_size, RW));
	ASSERT_EQ(0, GROWN());
}

static void *nothing(void *unused)
{
	return NULL;
}

TEST_F(commit, a_thread_needs_no_heap_for_its_stack)
{
	pthread_t thread;

	ASSERT_EQ(0, allow_pages(PAGES));
	ASSERT_EQ(0, pthread_create(&thread, NULL, nothing, NULL));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	/* The C library keeps the stack, and has what describes it in the break. */
	ASSERT_LE(GROWN(), PAGES);
}

/* --- BSS does not count. --- */

/* Of the largest pages, which are of 64 KiB. */
static char bss[2 * PAGES << 16];

TEST_F(commit, bss_of_the_program_is_free)
{
	char *p = (char *)(((uintptr_t)bss + SIZE) & -SIZE);

	p[0] = 1;
	ASSERT_EQ(0, mprotect(p, SIZE, PROT_NONE));
	ASSERT_EQ(0, mprotect(p, SIZE, RW));
	ASSERT_EQ(0, GROWN());
}

/* A library as the dynamic linker maps it, of which a part will be BSS. */
static char *map_library(int memfd)
{
	return mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, memfd, 0);
}

static bool map_bss(char *p, size_t size, int prot)
{
	return mmap(p, size, prot, ANON | MAP_FIXED, -1, 0) == p;
}

TEST_F(commit, bss_of_a_library_is_free)
{
	char *p = map_library(self->memfd);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, set_limit(0));
	ASSERT_TRUE(map_bss(p + 4 * page_size, SIZE - 4 * page_size, RW));
	ASSERT_EQ(0, GROWN());
	ASSERT_EQ(0, mprotect(p, SIZE, PROT_READ));
	ASSERT_EQ(0, mprotect(p, SIZE, RW));
	ASSERT_EQ(0, GROWN());
}

/* As most are: the file goes on at both ends. */
TEST_F(commit, bss_within_a_library_is_free)
{
	char *p = map_library(self->memfd);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(map_bss(p + 4 * page_size, 4 * page_size, RW));
	ASSERT_EQ(0, GROWN());
}

TEST_F(commit, bss_that_is_refused_changes_nothing)
{
	char *p = map_library(self->memfd);
	/* Not 0, which the kernel lets Valgrind exceed. */
	struct rlimit before, little = { page_size, RLIM_INFINITY };
	char *maps, *after;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect(p + 4 * page_size, page_size, PROT_NONE));
	maps = strdup(read_proc("/proc/self/maps"));
	ASSERT_EQ(0, getrlimit(RLIMIT_DATA, &before));
	ASSERT_EQ(0, setrlimit(RLIMIT_DATA, &little));
	ASSERT_FALSE(map_bss(p, SIZE, RW));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(0, setrlimit(RLIMIT_DATA, &before));
	after = read_proc("/proc/self/maps");
	ASSERT_STREQ(maps, after);
	ASSERT_EXACT();
	ASSERT_EQ(0, munmap(p, SIZE));
	ASSERT_EQ(0, GROWN());
}

TEST_F(commit, bss_over_several_mappings_of_a_file_is_free)
{
	char *p = map_library(self->memfd);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect(p + 4 * page_size, page_size, RW));
	ASSERT_TRUE(map_bss(p, SIZE, RW));
	ASSERT_EQ(0, GROWN());
}

TEST_F(commit, bss_does_not_merge_with_a_reservation)
{
	ASSERT_EQ(FAR, mmap(FAR, SIZE, PROT_READ, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(FAR + SIZE, mmap(FAR + SIZE, SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED,
				   self->memfd, 0));
	ASSERT_TRUE(map_bss(FAR + SIZE, SIZE, PROT_READ));
	ASSERT_EQ(0, mprotect(FAR, 2 * SIZE, RW));
	ASSERT_EQ(PAGES, GROWN());
}

TEST_F(commit, partly_over_a_file_is_no_bss)
{
	char *p = map_library(self->memfd);

	/* Before its end, after its end, and with a gap in it. */
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, munmap(p + 8 * page_size, page_size));
	ASSERT_TRUE(map_bss(p + 7 * page_size, 3 * page_size, RW));
	ASSERT_EQ(3, GROWN());
	ASSERT_TRUE(map_bss(p + 6 * page_size, 2 * page_size, RW));
	ASSERT_EQ(4, GROWN());
	ASSERT_TRUE(map_bss(p + 9 * page_size, 2 * page_size, RW));
	ASSERT_EQ(5, GROWN());
}

TEST_F(commit, over_a_shared_file_is_no_bss)
{
	char *p = mmap(NULL, SIZE, RW, MAP_SHARED, self->memfd, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(map_bss(p, SIZE, RW));
	ASSERT_EQ(PAGES, GROWN());
}

/* The kernel clears VM_SHARED for a file that cannot be written. */
TEST_F(commit, over_a_file_shared_to_be_read_is_no_bss)
{
	char path[32], *p;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->memfd);
	p = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, open(path, O_RDONLY), 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(map_bss(p, SIZE, RW));
	ASSERT_EQ(PAGES, GROWN());
}

TEST_F(commit, over_a_mapping_of_zeroes_is_no_bss)
{
	int zero = open("/dev/zero", O_RDWR);
	char *p = mmap(NULL, SIZE, RW, MAP_PRIVATE, zero, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(map_bss(p, SIZE, RW));
	ASSERT_EQ(PAGES, GROWN());
}

TEST_F(commit, bss_that_becomes_writable_is_free)
{
	char *p = map_library(self->memfd);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(map_bss(p, SIZE, PROT_READ));
	ASSERT_EQ(0, mprotect(p, SIZE, RW));
	ASSERT_EQ(0, GROWN());
}

TEST_F(commit, a_reservation_over_a_file_is_no_bss)
{
	char *p = map_library(self->memfd);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(map_bss(p, SIZE, PROT_NONE));
	ASSERT_EQ(0, mprotect(p, SIZE, RW));
	ASSERT_EQ(PAGES, GROWN());
}

TEST_F(commit, a_range_that_wraps_is_refused)
{
	ASSERT_EQ(MAP_FAILED, mmap(FAR, -page_size, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(MAP_FAILED, mmap((void *)-page_size, SIZE, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(0, GROWN());
}

/* --- The shadow of a sanitizer does not count. --- */

TEST_F(commit, a_shadow_is_free)
{
	const int shadow = ANON | MAP_FIXED | MAP_NORESERVE;
	const size_t huge = 1ul << 43;

	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(FAR, mmap(FAR, huge, RW, shadow, -1, 0));
	ASSERT_EQ(0, mprotect(FAR, SIZE, PROT_NONE));
	ASSERT_EQ(0, mprotect(FAR, SIZE, RW));
	ASSERT_EQ(0, GROWN());
	ASSERT_EQ(0, munmap(FAR, huge));
}

TEST_F(commit, a_reservation_like_a_shadow_counts_when_writable)
{
	const int shadow = ANON | MAP_FIXED | MAP_NORESERVE;

	ASSERT_EQ(FAR, mmap(FAR, SIZE, PROT_NONE, shadow, -1, 0));
	ASSERT_EQ(0, mprotect(FAR, SIZE, RW));
	ASSERT_EQ(PAGES, GROWN());
}

/* --- Files do not count, anonymous huge pages do. --- */

static bool map_and_protect(int fd, size_t size, int flags)
{
	char *p = mmap(NULL, size, PROT_READ, flags, fd, 0);

	return p != MAP_FAILED && mprotect(p, size, RW) == 0;
}

TEST_F(commit, files_are_free)
{
	int zero = open("/dev/zero", O_RDWR);

	ASSERT_GE(zero, 0);
	ASSERT_EQ(0, set_limit(0));
	ASSERT_TRUE(map_and_protect(self->memfd, SIZE, MAP_PRIVATE));
	ASSERT_TRUE(map_and_protect(self->memfd, SIZE, MAP_SHARED));
	ASSERT_TRUE(map_and_protect(zero, SIZE, MAP_PRIVATE));
	ASSERT_TRUE(map_and_protect(zero, SIZE, MAP_SHARED));
	ASSERT_EQ(0, GROWN());
}

TEST_F(commit, huge_pages_count)
{
	char *p;

	if (strcmp(variant->policy, "commit"))
		SKIP(return, "policy %s limits what is touched: see resident.c",
		     variant->policy);
	ASSERT_TRUE(set_huge_pages("4"));
	p = mmap(NULL, HUGE_SIZE, RW, ANON | MAP_HUGETLB, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(HUGE_SIZE / page_size, GROWN());
	ASSERT_EQ(0, munmap(p, HUGE_SIZE));
	ASSERT_EQ(0, GROWN());

	p = mmap(NULL, HUGE_SIZE, PROT_NONE, ANON | MAP_HUGETLB, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, allow_pages(HUGE_SIZE / page_size - 1));
	ASSERT_EQ(-1, mprotect(p, HUGE_SIZE, RW));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_EQ(0, allow_pages(HUGE_SIZE / page_size));
	ASSERT_EQ(0, mprotect(p, HUGE_SIZE, RW));
	ASSERT_EQ(HUGE_SIZE / page_size, GROWN());
	ASSERT_EQ(0, munmap(p, HUGE_SIZE));
	ASSERT_TRUE(set_huge_pages("0"));
}

TEST_F(commit, huge_pages_are_no_bss_and_no_library)
{
	ASSERT_TRUE(set_huge_pages("4"));
	ASSERT_EQ(0, ftruncate(self->memfd, HUGE_SIZE));
	ASSERT_EQ(FAR, mmap(FAR, HUGE_SIZE, PROT_READ, MAP_PRIVATE | MAP_FIXED,
			    self->memfd, 0));
	ASSERT_EQ(FAR, mmap(FAR, HUGE_SIZE, RW, ANON | MAP_FIXED | MAP_HUGETLB, -1, 0));
	ASSERT_EQ(HUGE_SIZE / page_size, GROWN());
	ASSERT_TRUE(map_bss(FAR, HUGE_SIZE, RW));
	ASSERT_EQ(HUGE_SIZE / page_size, GROWN());
	ASSERT_EQ(0, munmap(FAR, HUGE_SIZE));
	ASSERT_TRUE(set_huge_pages("0"));
}

TEST_F(commit, huge_pages_of_a_file_are_free)
{
	int fd = memfd_create("huge", MFD_HUGETLB);

	ASSERT_TRUE(set_huge_pages("4"));
	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ftruncate(fd, HUGE_SIZE));
	ASSERT_EQ(0, set_limit(0));
	ASSERT_TRUE(map_and_protect(fd, HUGE_SIZE, MAP_SHARED));
	ASSERT_EQ(0, GROWN());
}

TEST_F(commit, huge_pages_of_system_v_are_free)
{
	int id;
	char *p;

	ASSERT_TRUE(set_huge_pages("4"));
	id = shmget(IPC_PRIVATE, HUGE_SIZE, IPC_CREAT | SHM_HUGETLB | 0600);
	ASSERT_GE(id, 0);
	ASSERT_EQ(0, set_limit(0));
	p = shmat(id, NULL, 0);
	ASSERT_NE((void *)-1, p);
	ASSERT_EQ(0, shmctl(id, IPC_RMID, NULL));
	ASSERT_EQ(0, mprotect(p, HUGE_SIZE, PROT_READ));
	EXPECT_EQ(0, mprotect(p, HUGE_SIZE, RW));
	ASSERT_EQ(0, GROWN());
	ASSERT_EQ(0, shmdt(p));
	ASSERT_TRUE(set_huge_pages("0"));
}

/* --- Shared memory is free, in whatever way it becomes writable. --- */

TEST_F(commit, shared_memory_is_free)
{
	char *p, *reserved;

	ASSERT_EQ(0, set_limit(0));
	p = mmap(NULL, SIZE, RW, SHARED, -1, 0);
	reserved = mmap(NULL, SIZE, PROT_NONE, SHARED | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, reserved);
	ASSERT_EQ(0, mprotect(reserved, SIZE, RW));
	ASSERT_EQ(FAR, mmap(FAR, SIZE, RW, SHARED | MAP_FIXED, -1, 0));
	memset(p, 1, SIZE);
	memset(reserved, 1, SIZE);
	ASSERT_EQ(0, GROWN());
	p = mremap(p, SIZE, 2 * SIZE, MREMAP_MAYMOVE);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, syscall(SYS_remap_file_pages, p, page_size, 0, 1, 0));
	ASSERT_TRUE(IN_CHILD(mprotect(p, SIZE, PROT_NONE) == 0 && mprotect(p, SIZE, RW) == 0 &&
			     GROWN() == 0));
	ASSERT_EQ(0, GROWN());
}

/* How many page faults a look at so many huge pages takes. */
static long faults_to_read(volatile char *p, int n)
{
	struct rusage before, after;

	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < n; i++)
		p[i * HUGE_SIZE];
	getrusage(RUSAGE_SELF, &after);
	return after.ru_minflt - before.ru_minflt;
}

TEST_F(commit, shared_huge_pages_are_free)
{
	char *p;

	ASSERT_TRUE(set_huge_pages("4"));
	ASSERT_EQ(0, set_limit(0));
	p = mmap(NULL, HUGE_SIZE, PROT_READ, SHARED | MAP_HUGETLB, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect(p, HUGE_SIZE, RW));
	memset(p, 1, HUGE_SIZE);
	ASSERT_EQ(0, GROWN());
	ASSERT_EQ(0, munmap(p, HUGE_SIZE));
	ASSERT_TRUE(set_huge_pages("0"));
}

/* The kernel shares page tables of what is 1 GiB large, and marked the same. */
TEST_F(commit, shared_huge_pages_share_page_tables_with_a_child)
{
	const size_t size = 2 * GIB;
	char *p;

	if (page_size > 4096)
		SKIP(return, "the kernel shares tables of huge pages where pages have 4 KiB");
	ASSERT_TRUE(set_huge_pages("8"));
	p = mmap(FAR, size, RW, SHARED | MAP_HUGETLB | MAP_NORESERVE, -1, 0);
	ASSERT_EQ(FAR, p);
	for (int i = 0; i < 8; i++)
		p[i * HUGE_SIZE] = 1;
	ASSERT_TRUE(IN_CHILD(faults_to_read(p, 8) == 1));
	ASSERT_EQ(0, munmap(p, size));
	ASSERT_TRUE(set_huge_pages("0"));
}

/* What was heap by another rule stays so in the one that mapped it. */
TEST_F(commit, a_child_does_not_count_what_it_shares)
{
	char *p;

	ASSERT_TRUE(set_policy("addr0"));
	p = mmap(NULL, SIZE, RW, SHARED, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(set_policy(variant->policy));
	ASSERT_EQ(PAGES, GROWN());
	ASSERT_TRUE(IN_CHILD(GROWN() == 0 && heap_vma_pages(NULL) == total_heap() &&
			     set_limit(0) == 0 && mprotect(p, SIZE, PROT_NONE) == 0 &&
			     mprotect(p, SIZE, RW) == 0 && GROWN() == 0 &&
			     /* Nor does its child. */
			     IN_CHILD(GROWN() == 0) && munmap(p, SIZE) == 0 && GROWN() == 0));
	ASSERT_EQ(PAGES, GROWN());
}

/* --- What malloc() in a thread gets is what is counted. --- */

static void *leak(void *unused)
{
	size_t got = 0;

	for (char *p; (p = malloc(100 << 10)); got += 100 << 10)
		memset(p, 1, 100 << 10);
	return (void *)got;
}

TEST_F(commit, a_leak_in_a_thread_ends_at_the_limit)
{
	const size_t limit = 64 * MIB;
	pthread_t thread;
	void *got;

	ASSERT_EQ(0, set_limit(limit));
	ASSERT_EQ(0, pthread_create(&thread, NULL, leak, NULL));
	ASSERT_EQ(0, pthread_join(thread, &got));
	ASSERT_LE((size_t)got, limit);
	ASSERT_GE((size_t)got, limit * 9 / 10);
}

/* --- The policy changes, and what is marked does not. --- */

TEST_F(commit, what_counts_outlives_the_policy)
{
	char *p = mmap(FAR, SIZE, RW, ANON, -1, 0);

	ASSERT_EQ(FAR, p);
	ASSERT_TRUE(set_policy("addr0"));
	ASSERT_EQ(PAGES, GROWN());
	/* By the new rule from here on. */
	ASSERT_EQ(p + SIZE, mmap(p + SIZE, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(PAGES, GROWN());
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, PROT_NONE, ANON, -1, 0));
	ASSERT_EQ(2 * PAGES, GROWN());
	ASSERT_EQ(0, munmap(p, 2 * SIZE));
	ASSERT_EQ(PAGES, GROWN());
}

TEST_F(commit, a_reservation_is_judged_by_who_decides_then)
{
	char *p;

	ASSERT_TRUE(set_policy("addr0"));
	p = mmap(FAR, 2 * SIZE, PROT_NONE, ANON, -1, 0);
	ASSERT_EQ(FAR, p);
	ASSERT_EQ(0, mprotect(p, SIZE, RW));
	ASSERT_EQ(0, GROWN());
	ASSERT_TRUE(set_policy(variant->policy));
	ASSERT_EQ(0, mprotect(p + SIZE, SIZE, RW));
	ASSERT_EQ(PAGES, GROWN());
}

TEST_F(commit, a_file_of_before_stays_free)
{
	char *shared, *private;

	ASSERT_TRUE(set_policy("addr0"));
	shared = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, self->memfd, 0);
	private = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, self->memfd, 0);
	ASSERT_NE(MAP_FAILED, shared);
	ASSERT_NE(MAP_FAILED, private);
	ASSERT_TRUE(set_policy(variant->policy));
	ASSERT_EQ(0, mprotect(shared, SIZE, RW));
	ASSERT_EQ(0, mprotect(private, SIZE, RW));
	ASSERT_EQ(0, GROWN());
}

/* Private huge pages of a file too, which only the file tells from anonymous ones. */
TEST_F(commit, huge_pages_of_a_file_of_before_stay_free)
{
	int fd = memfd_create("huge", MFD_HUGETLB);
	int zero = open("/dev/zero", O_RDWR);
	char *huge, *shared;

	ASSERT_TRUE(set_huge_pages("4"));
	ASSERT_EQ(0, ftruncate(fd, HUGE_SIZE));
	ASSERT_TRUE(set_policy("addr0"));
	huge = mmap(NULL, HUGE_SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
	shared = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, zero, 0);
	ASSERT_NE(MAP_FAILED, huge);
	ASSERT_NE(MAP_FAILED, shared);
	ASSERT_TRUE(set_policy(variant->policy));
	ASSERT_EQ(0, set_limit(0));
	ASSERT_EQ(0, mprotect(huge, HUGE_SIZE, RW));
	ASSERT_EQ(0, mprotect(shared, SIZE, RW));
	ASSERT_EQ(0, GROWN());
	ASSERT_EQ(0, munmap(huge, HUGE_SIZE));
	ASSERT_TRUE(set_huge_pages("0"));
}

TEST_F(commit, a_stack_stays_one)
{
	char *p = mmap(NULL, SIZE, PROT_NONE, ANON | MAP_STACK, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_TRUE(set_policy("addr0"));
	ASSERT_TRUE(set_policy(variant->policy));
	ASSERT_EQ(0, mprotect(p, SIZE, RW));
	ASSERT_EQ(0, GROWN());
}

TEST_HARNESS_MAIN
