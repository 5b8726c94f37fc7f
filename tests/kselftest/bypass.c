// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways round the limit that README names for both policies, and what stops
 * them. Those round one policy alone are with its rules, in mmap.c, commit.c and
 * corner.c; no module is in module.c.
 */

#define _GNU_SOURCE
#include <linux/memfd.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "kselftest_harness.h"
#include "heap.h"

#define SIZE (16 * MIB)
#define LIMIT (4 * MIB)

FIXTURE(bypass)
{
	long heap;
};

FIXTURE_VARIANT(bypass)
{
	const char *policy;
	int shared;	/* Does shared anonymous memory count? */
};

FIXTURE_VARIANT_ADD(bypass, addr0) { "addr0", 1 };
FIXTURE_VARIANT_ADD(bypass, commit) { "commit", 0 };
FIXTURE_VARIANT_ADD(bypass, resident) { "resident", 0 };

FIXTURE_SETUP(bypass)
{
	ASSERT_TRUE(set_policy(variant->policy));
	ASSERT_EQ(0, set_limit(LIMIT));
	self->heap = total_heap();
}

FIXTURE_TEARDOWN(bypass)
{
	ASSERT_EXACT();
	ASSERT_TRUE(set_policy("addr0"));
}

/* The pages of heap that there are more than at the start. */
#define GROWN() (total_heap() - self->heap)

/* Writes to all of what was mapped; false if it could not be. */
static bool use(char *p, size_t size)
{
	if (p == MAP_FAILED)
		return false;
	for (size_t i = 0; i < size; i += page_size)
		p[i] = 1;
	return true;
}

/* A file of SIZE bytes that takes no room yet. */
static int sparse(int fd)
{
	return ftruncate(fd, SIZE) ? -1 : fd;
}

static bool use_file(int fd, int flags)
{
	return use(mmap(NULL, SIZE, RW, flags, fd, 0), SIZE);
}

TEST_F(bypass, memfd)
{
	ASSERT_TRUE(use_file(sparse(memfd_create("bypass", 0)), MAP_SHARED));
	ASSERT_EQ(0, GROWN());
}

/* shm_open() opens a file there. */
TEST_F(bypass, posix_shared_memory)
{
	mkdir("/dev/shm", 0777);
	ASSERT_EQ(0, mount("shm", "/dev/shm", "tmpfs", 0, NULL));
	EXPECT_TRUE(use_file(sparse(shm_open("/bypass", O_RDWR | O_CREAT, 0600)), MAP_SHARED));
	EXPECT_EQ(0, GROWN());
	ASSERT_EQ(0, umount2("/dev/shm", MNT_DETACH));
}

TEST_F(bypass, system_v_shared_memory)
{
	int id = shmget(IPC_PRIVATE, SIZE, IPC_CREAT | 0600);

	ASSERT_GE(id, 0);
	EXPECT_TRUE(use(shmat(id, NULL, 0), SIZE));
	EXPECT_EQ(0, GROWN());
	ASSERT_EQ(0, shmctl(id, IPC_RMID, NULL));
}

TEST_F(bypass, dev_zero)
{
	int zero = open("/dev/zero", O_RDWR);

	ASSERT_GE(zero, 0);
	ASSERT_TRUE(use_file(zero, MAP_PRIVATE));
	ASSERT_TRUE(use_file(zero, MAP_SHARED));
	ASSERT_EQ(0, GROWN());
}

TEST_F(bypass, hugetlbfs)
{
	ASSERT_TRUE(set_huge_pages("8"));
	EXPECT_TRUE(use_file(sparse(memfd_create("bypass", MFD_HUGETLB)), MAP_SHARED));
	EXPECT_EQ(0, GROWN());
	ASSERT_TRUE(set_huge_pages("0"));
}

/* Its pages are anonymous once they are written, but it is a file's mapping. */
TEST_F(bypass, private_mapping_of_a_sparse_file)
{
	ASSERT_TRUE(use_file(sparse(memfd_create("bypass", 0)), MAP_PRIVATE));
	ASSERT_GE(proc_pages("/proc/self/status", "RssAnon:"), SIZE / page_size);
	ASSERT_EQ(0, GROWN());
}

/* Under addr0 it counts in the one that mapped it, and then nowhere. */
TEST_F(bypass, shared_memory_of_a_process_that_has_ended)
{
	char result = 'x';
	int told[2];

	ASSERT_EQ(0, pipe(told));
	ASSERT_TRUE(IN_CHILD(({
		char *p = mmap(NULL, LIMIT / 2, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		pid_t parent = getpid();

		if (p != MAP_FAILED && fork() == 0) {
			while (getppid() == parent)
				usleep(1000);
			result = use(p, LIMIT / 2) && GROWN() == 0 ? 'y' : 'n';
			_exit(write(told[1], &result, 1) != 1);
		}
		p != MAP_FAILED;
	})));
	close(told[1]);
	ASSERT_EQ(1, read(told[0], &result, 1));
	ASSERT_EQ('y', result);
}

/* What is unmapped is given back, though shared memory is there until all is. */
TEST_F(bypass, shared_memory_of_which_a_page_is_left)
{
	const size_t size = LIMIT / 2;

	for (int i = 1; i <= 4; i++) {
		char *p = mmap(NULL, size, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		ASSERT_TRUE(use(p, size));
		p[size - page_size] = 'x';
		ASSERT_EQ(0, munmap(p + page_size, size - page_size));
		ASSERT_EQ(i * variant->shared, GROWN());
		ASSERT_EQ(0, syscall(SYS_remap_file_pages, p, page_size, 0,
				     size / page_size - 1, 0));
		ASSERT_EQ('x', *p);
		ASSERT_EQ(i * variant->shared, GROWN());
	}
}

/*
 * Pages that something else holds outlive their mapping: a pipe, and in the same
 * way buffers registered with io_uring, RDMA, VFIO or AF_XDP.
 */
TEST_F(bypass, pages_in_a_pipe)
{
	const size_t size = 16 * page_size;
	char got[2];
	int fds[2];

	ASSERT_EQ(0, pipe(fds));
	for (char i = 'a'; i < 'c'; i++) {
		char *p = mmap(NULL, size, RW, ANON, -1, 0);
		struct iovec page = { p + size - page_size, page_size };

		ASSERT_TRUE(use(p, size));
		p[size - page_size] = i;
		ASSERT_EQ(page_size, vmsplice(fds[1], &page, 1, SPLICE_F_GIFT));
		ASSERT_EQ(0, munmap(p, size));
		ASSERT_EQ(0, GROWN());
	}
	for (int i = 0; i < 2; i++) {
		char page[1 << 16];

		ASSERT_EQ(page_size, read(fds[0], page, page_size));
		got[i] = page[0];
	}
	ASSERT_EQ('a', got[0]);
	ASSERT_EQ('b', got[1]);
}

static char bss[1 << 17];

TEST_F(bypass, growth_of_bss)
{
	char *page = (char *)(((uintptr_t)bss + page_size) & -page_size);

	ASSERT_TRUE(use(mremap(page, page_size, SIZE, MREMAP_MAYMOVE), SIZE));
	ASSERT_EQ(0, GROWN());
}

/* A page of it, but not one that is in use. */
TEST_F(bypass, growth_of_the_main_stack_elsewhere)
{
	volatile char deep[8 << 16];
	char *page = (char *)(((uintptr_t)deep + page_size) & -page_size);

	deep[0] = 1;
	ASSERT_TRUE(use(mremap(page, page_size, SIZE, MREMAP_MAYMOVE), SIZE));
	ASSERT_EQ(0, GROWN());
}

static bool use_stack(size_t size)
{
	volatile char frame[64 << 10];

	for (size_t i = 0; i < sizeof(frame); i += page_size)
		frame[i] = 1;
	return size <= sizeof(frame) || (use_stack(size - sizeof(frame)) && frame[0]);
}

TEST_F(bypass, the_main_stack)
{
	ASSERT_EQ(0, setrlimit(RLIMIT_STACK, &(struct rlimit){ 2 * SIZE, RLIM_INFINITY }));
	ASSERT_TRUE(use_stack(SIZE));
	ASSERT_GE(proc_pages("/proc/self/status", "VmStk:"), SIZE / page_size);
	ASSERT_EQ(0, GROWN());
}

/* Each process may have as much as the limit. */
TEST_F(bypass, many_processes)
{
	const size_t size = LIMIT - total_heap() * page_size;
	pid_t children[4];

	for (int i = 0; i < 4; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(!use(mmap(NULL, size, RW, ANON, -1, 0), size) || pause());
		ASSERT_GT(children[i], 0);
	}
	for (int i = 0; i < 4; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/%d/status", children[i]);
		while (proc_pages(path, "RssAnon:") < size / page_size)
			ASSERT_EQ(0, waitpid(children[i], NULL, WNOHANG));
	}
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, kill(children[i], SIGKILL));
		ASSERT_EQ(children[i], waitpid(children[i], NULL, 0));
	}
	ASSERT_EQ(0, GROWN());
}

/* --- What stops it. --- */

TEST_F(bypass, is_stopped_by_rlimit_as)
{
	const rlim_t used = proc_pages("/proc/self/status", "VmSize:") * page_size;
	int fd = sparse(memfd_create("bypass", 0));

	ASSERT_EQ(0, setrlimit(RLIMIT_AS, &(struct rlimit){ used + SIZE / 2, RLIM_INFINITY }));
	ASSERT_FALSE(use_file(fd, MAP_SHARED));
	ASSERT_EQ(ENOMEM, errno);
	ASSERT_FALSE(use_file(fd, MAP_PRIVATE));
}

#define CGROUPS "/tmp/cgroup"
#define CGROUP CGROUPS "/bypass"

static bool make_cgroup(const char *memory_max)
{
	return mkdir(CGROUPS, 0700) == 0 && mount("cgroup", CGROUPS, "cgroup2", 0, NULL) == 0 &&
		write_file(CGROUPS "/cgroup.subtree_control", "+memory") &&
		mkdir(CGROUP, 0700) == 0 && write_file(CGROUP "/memory.max", memory_max);
}

/* True if the child, once in the cgroup, is killed. */
static bool is_killed(int fd, int flags)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(!(write_file(CGROUP "/cgroup.procs", "0") && use_file(fd, flags)));
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
		WTERMSIG(status) == SIGKILL;
}

TEST_F(bypass, is_stopped_by_a_memory_cgroup)
{
	ASSERT_TRUE(make_cgroup("8M"));
	EXPECT_TRUE(is_killed(sparse(memfd_create("bypass", 0)), MAP_SHARED));
	EXPECT_TRUE(is_killed(sparse(memfd_create("bypass", 0)), MAP_PRIVATE));
	/* The memory of a memfd goes with it. */
	EXPECT_EQ(0, rmdir(CGROUP));
	EXPECT_EQ(0, umount(CGROUPS));
	EXPECT_EQ(0, rmdir(CGROUPS));
}

TEST_HARNESS_MAIN
