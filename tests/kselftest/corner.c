// SPDX-License-Identifier: GPL-2.0-only
/* Corners of mm/ that no other test is about. */

#define _GNU_SOURCE
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#include "kselftest_harness.h"
#include "heap.h"

#define PAGES 16
#define SIZE (PAGES * page_size)

FIXTURE(corner)
{
	long heap;
};

FIXTURE_SETUP(corner)
{
	self->heap = total_heap();
}

FIXTURE_TEARDOWN(corner)
{
	ASSERT_EXACT();
	ASSERT_TRUE(set_policy("addr0"));
}

TEST_F(corner, mlockall_future)
{
	uintptr_t old = (sys_brk(0) + page_size - 1) & -page_size;

	ASSERT_EQ(0, mlockall(MCL_FUTURE));
	ASSERT_NE(MAP_FAILED, mmap(NULL, SIZE, RW, ANON, -1, 0));
	ASSERT_EQ(old + SIZE, sys_brk(old + SIZE));
	ASSERT_EQ(self->heap + 2 * PAGES, total_heap());
	ASSERT_EQ(0, munlockall());
	ASSERT_EQ(old, sys_brk(old));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

TEST_F(corner, split_and_merge)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < PAGES; i += 2) {
			ASSERT_EQ(0, mprotect(p + i * page_size, page_size,
					      round ? RW : PROT_READ));
			ASSERT_EQ(self->heap + PAGES, total_heap());
		}
		ASSERT_EXACT();
	}
}

static void count_vmas(int *vmas)
{
	*vmas = 0;
	for (char *p = read_proc("/proc/self/maps"); p && (p = strchr(p, '\n')); p++)
		++*vmas;
}

TEST_F(corner, mremap_across_the_border_of_heap)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(p + SIZE / 2, mmap(p + SIZE / 2, SIZE / 2, RW, ANON | MAP_FIXED, -1, 0));
	/* Two mappings, though they are alike but for the mark. */
	ASSERT_EQ(MAP_FAILED, mremap(p, SIZE, 2 * SIZE, MREMAP_MAYMOVE));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ(self->heap + PAGES / 2, total_heap());
}

/*
 * To a fixed address newer kernels, as 7.3, move several mappings at once; for 6.12
 * that is EFAULT.
 */
TEST_F(corner, mremap_moves_across_the_border_of_heap)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0), *q;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(p + SIZE / 2, mmap(p + SIZE / 2, SIZE / 2, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_EQ(0, set_limit(0));
	q = mremap(p, SIZE, SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, FAR);
	ASSERT_TRUE(q == FAR || (q == MAP_FAILED && errno == EFAULT));
	ASSERT_EQ(self->heap + PAGES / 2, total_heap());
	ASSERT_EXACT();
	ASSERT_EQ(0, munmap(q == FAR ? FAR : p, SIZE / 2));
	ASSERT_EQ(self->heap, total_heap());
}

/* What is unmapped at the target makes room for what grows. */
TEST_F(corner, mremap_grows_onto_heap)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);
	char *to = mmap(NULL, 2 * SIZE, RW, ANON, -1, 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_NE(MAP_FAILED, to);
	ASSERT_EQ(0, set_limit((self->heap + 2 * PAGES) * page_size));
	ASSERT_EQ(to, mremap(p, SIZE, 2 * SIZE, MREMAP_MAYMOVE | MREMAP_FIXED, to));
	ASSERT_EQ(self->heap + 2 * PAGES, total_heap());
}

/* Of several that stay where they are as well, those before the refused one move. */
TEST_F(corner, mremap_leaves_several_mappings)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);
	long moved;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, mprotect(p + SIZE / 2, SIZE / 2, PROT_READ));
	ASSERT_EQ(0, allow_pages(PAGES - 1));
	ASSERT_EQ(MAP_FAILED, mremap(p, SIZE, SIZE,
				     MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, FAR));
	moved = errno == EFAULT ? 0 : PAGES / 2;
	ASSERT_TRUE(errno == EFAULT || errno == ENOMEM);
	ASSERT_EQ(self->heap + PAGES + moved, total_heap());
	ASSERT_EQ(moved ? 1 : 0, heap_refused());
}

/* Each pair is one mapping where nothing is heap. */
TEST_F(corner, heap_does_not_merge_with_what_is_asked_for_beside_it)
{
	const int pairs = 20;
	int before, after;

	count_vmas(&before);
	for (int i = 0; i < pairs; i++) {
		char *p = mmap(NULL, page_size, RW, ANON, -1, 0);

		ASSERT_NE(MAP_FAILED, p);
		ASSERT_EQ(p - page_size, mmap(p - page_size, page_size, RW, ANON, -1, 0));
	}
	count_vmas(&after);
	ASSERT_GE(after, before + 2 * pairs - 2);
	ASSERT_EQ(self->heap + pairs, total_heap());
}

TEST_F(corner, huge_pages)
{
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);
	char *p;

	ASSERT_GE(fd, 0);
	ASSERT_EQ(1, write(fd, "2", 1));
	close(fd);
	ASSERT_EQ(0, set_limit(0));
	p = mmap(NULL, 2 * MIB, RW, ANON | MAP_HUGETLB, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	*p = 1;
	ASSERT_EQ(self->heap, total_heap());
}

/* A userfaultfd for the missing pages of a range, or -1. */
static int watch(char *p, size_t size)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = {
		.range = { (uintptr_t)p, size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	return ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &area) ? -1 : fd;
}

TEST_F(corner, userfaultfd)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);
	struct uffdio_range range = { (uintptr_t)p + 4 * page_size, 4 * page_size };
	int fd;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_LE(0, fd = watch(p + 4 * page_size, 4 * page_size));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EXACT();
	ASSERT_EQ(0, ioctl(fd, UFFDIO_UNREGISTER, &range));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

TEST_F(corner, userfaultfd_across_the_border_of_heap)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);
	struct uffdio_zeropage zero = { .range = { (uintptr_t)p, SIZE } };
	int fd;

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(p + SIZE / 2, mmap(p + SIZE / 2, SIZE / 2, RW, ANON | MAP_FIXED, -1, 0));
	ASSERT_LE(0, fd = watch(p, SIZE));
	/* A range is filled in one mapping. */
	ASSERT_EQ(-1, ioctl(fd, UFFDIO_ZEROPAGE, &zero));
	ASSERT_EQ(ENOENT, errno);
	zero.range.len = SIZE / 2;
	ASSERT_EQ(0, ioctl(fd, UFFDIO_ZEROPAGE, &zero));
	ASSERT_EQ(self->heap + PAGES / 2, total_heap());
}

TEST_F(corner, userfaultfd_over_a_part_that_becomes_heap)
{
	struct uffdio_zeropage zero = { 0 };
	char *p;
	int fd;

	ASSERT_TRUE(set_policy("commit"));
	p = mmap(NULL, SIZE, PROT_READ, ANON, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_LE(0, fd = watch(p, SIZE));
	ASSERT_EQ(0, mprotect(p, SIZE / 2, RW));
	ASSERT_EQ(self->heap + PAGES / 2, total_heap());
	/* Readable memory again, but one part of it is heap. */
	ASSERT_EQ(0, mprotect(p, SIZE / 2, PROT_READ));
	zero.range = (struct uffdio_range){ (uintptr_t)p, SIZE };
	ASSERT_EQ(-1, ioctl(fd, UFFDIO_ZEROPAGE, &zero));
	ASSERT_EQ(ENOENT, errno);
	zero.range.len = SIZE / 2;
	ASSERT_EQ(0, ioctl(fd, UFFDIO_ZEROPAGE, &zero));
	ASSERT_EQ(self->heap + PAGES / 2, total_heap());
}

/* A way round commit, see README. */
TEST_F(corner, userfaultfd_fills_a_reservation)
{
	static char page[1 << 16];
	struct uffdio_copy copy = { .src = (uintptr_t)page, .len = page_size };
	char *p;
	int fd;

	ASSERT_TRUE(set_policy("commit"));
	ASSERT_EQ(0, set_limit(0));
	p = mmap(NULL, SIZE, PROT_READ, ANON, -1, 0);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_LE(0, fd = watch(p, SIZE));
	for (int i = 0; i < PAGES; i++) {
		copy.dst = (uintptr_t)p + i * page_size;
		ASSERT_EQ(0, ioctl(fd, UFFDIO_COPY, &copy));
	}
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(corner, userfaultfd_moves_within_one_mapping)
{
	char *from = mmap(NULL, SIZE, RW, ANON, -1, 0);
	char *to = mmap(NULL, SIZE, RW, ANON, -1, 0);
	struct uffdio_move move = {
		.dst = (uintptr_t)to,
		.src = (uintptr_t)from,
		.len = SIZE,
	};
	int fd;

	ASSERT_NE(MAP_FAILED, from);
	ASSERT_NE(MAP_FAILED, to);
	ASSERT_EQ(from + SIZE / 2, mmap(from + SIZE / 2, SIZE / 2, RW, ANON | MAP_FIXED, -1, 0));
	memset(from, 1, SIZE);
	ASSERT_LE(0, fd = watch(to, SIZE));
	ASSERT_EQ(-1, ioctl(fd, UFFDIO_MOVE, &move));
	ASSERT_EQ(EINVAL, errno);
	move.len = SIZE / 2;
	ASSERT_EQ(0, ioctl(fd, UFFDIO_MOVE, &move));
	ASSERT_EQ(SIZE / 2, move.move);
}

TEST_F(corner, pr_set_mm_brk)
{
	uintptr_t old = (sys_brk(0) + page_size - 1) & -page_size;

	ASSERT_EQ(old + SIZE, sys_brk(old + SIZE));
	/* The break moves, the memory does not. */
	ASSERT_EQ(0, prctl(PR_SET_MM, PR_SET_MM_BRK, old, 0, 0));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EXACT();
	/* There is something in the way now. */
	ASSERT_EQ(old, sys_brk(old + page_size));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EQ(0, prctl(PR_SET_MM, PR_SET_MM_BRK, old + SIZE, 0, 0));
	ASSERT_EQ(old, sys_brk(old));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(corner, brk_below_its_start)
{
	uintptr_t now = sys_brk(0);

	ASSERT_EQ(now, sys_brk(1));
	ASSERT_EQ(self->heap, total_heap());
}

TEST_F(corner, brk_into_a_neighbour)
{
	uintptr_t old = (sys_brk(0) + page_size - 1) & -page_size;
	char *neighbour = (char *)old + SIZE;

	ASSERT_EQ(neighbour, mmap(neighbour, page_size, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
	ASSERT_NE(old + SIZE + page_size, sys_brk(old + SIZE + page_size));
	ASSERT_EQ(self->heap, total_heap());
}

#ifdef __x86_64__
/* A system call of a 32-bit program. */
static long compat_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;

	/* The sixth argument is in rbp. */
	asm volatile("push %%rbp\n\tmov %7, %%rbp\n\tint $0x80\n\tpop %%rbp"
		     : "=a"(ret)
		     : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), "r"(f)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)ret;
}

TEST_F(corner, compat_mmap2_and_munmap)
{
	const int mmap2 = 192, munmap32 = 91;
	long p;

	ASSERT_EQ(0, allow_pages(PAGES));
	p = compat_syscall(mmap2, 0, SIZE + page_size, RW, ANON, -1, 0);
	ASSERT_EQ(-ENOMEM, p);
	p = (unsigned int)compat_syscall(mmap2, 0, SIZE, RW, ANON, -1, 0);
	ASSERT_EQ(0, p & (page_size - 1));
	ASSERT_EQ(self->heap + PAGES, total_heap());
	ASSERT_EXACT();
	ASSERT_EQ(0, compat_syscall(munmap32, p, SIZE, 0, 0, 0, 0));
	ASSERT_EQ(self->heap, total_heap());
}

/* Makes @child, stopped at a system call instruction, do mmap. */
static long inject_mmap(pid_t child)
{
	struct user_regs_struct regs, saved;
	long got;

	if (ptrace(PTRACE_GETREGS, child, NULL, &saved))
		return -1;
	regs = saved;
	regs.rax = SYS_mmap;
	regs.rdi = 0;
	regs.rsi = SIZE;
	regs.rdx = RW;
	regs.r10 = ANON;
	regs.r8 = -1;
	regs.r9 = 0;
	/* Back to the instruction that stopped, a system call of two bytes. */
	regs.rip -= 2;
	if (ptrace(PTRACE_SETREGS, child, NULL, &regs) ||
	    ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) ||
	    waitpid(child, NULL, 0) != child ||
	    ptrace(PTRACE_GETREGS, child, NULL, &regs))
		return -1;
	got = regs.rax;
	ptrace(PTRACE_SETREGS, child, NULL, &saved);
	return got;
}

TEST_F(corner, injected_by_a_debugger)
{
	int status;
	long got;
	pid_t child = fork();

	ASSERT_GE(child, 0);
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		set_limit(0);
		syscall(SYS_kill, getpid(), SIGSTOP);
		_exit(total_heap() != self->heap || heap_vma_pages(NULL) != total_heap());
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_TRUE(WIFSTOPPED(status));
	/* The limit is the child's, not ours. */
	got = inject_mmap(child);
	ASSERT_EQ(-ENOMEM, got);
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, child, NULL, NULL));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	ASSERT_EQ(0, status);
}
#else
TEST_F(corner, compat_mmap2_and_munmap)
{
	SKIP(return, "int $0x80 is of x86");
}

TEST_F(corner, injected_by_a_debugger)
{
	SKIP(return, "its registers are those of x86");
}
#endif

TEST_F(corner, process_madvise)
{
	char *p = mmap(NULL, SIZE, RW, ANON, -1, 0);
	struct iovec part = { p + page_size, 2 * page_size };
	int pidfd = syscall(SYS_pidfd_open, getpid(), 0);

	ASSERT_NE(MAP_FAILED, p);
	ASSERT_GE(pidfd, 0);
	ASSERT_EQ(2 * page_size, syscall(SYS_process_madvise, pidfd, &part, 1,
					 21 /* MADV_PAGEOUT */, 0));
	ASSERT_EQ(self->heap + PAGES, total_heap());
}

TEST_HARNESS_MAIN
