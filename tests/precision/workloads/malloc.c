// SPDX-License-Identifier: GPL-2.0-only
/*
 * malloc hold|leak MIB THREADS: memory by malloc(3), of whatever library is
 * preloaded or linked; see ../programs.py.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocators.h"

#define MIB 1048576UL

static size_t share;		/* bytes a thread is to hold */
static void **blocks[64];	/* of each thread, to keep leak checkers quiet */
static size_t usable[64];	/* what malloc_usable_size() says of them */
static pthread_barrier_t held;

/* Sizes from 32 bytes to 128 KiB, each as often as the others, and some big ones. */
static size_t size_of_block(size_t i)
{
	return i % 97 == 96 ? MIB : 32UL << i % 13;
}

static void fill(size_t thread)
{
	size_t total = 0;
	void **last = NULL;

	for (size_t i = 0; total < share; i++) {
		size_t size = size_of_block(i);
		void **block = malloc(size);

		if (!block)
			exit(1);
		memset(block, 1, size);
		*block = last;
		last = block;
		blocks[thread] = last;
		total += size;
		usable[thread] += malloc_usable_size(block);
	}
}

static void *hold(void *arg)
{
	fill((uintptr_t)arg);
	pthread_barrier_wait(&held);
	pause();
	return NULL;
}

/* Until there is no more, or to the end. */
static void *leak(void *arg)
{
	size_t thread = (uintptr_t)arg, size = 64UL << 10;

	for (size_t total = 0; total < share; total += size) {
		void **block = malloc(size);

		if (!block)
			break;
		memset(block, 1, size);
		*block = blocks[thread];
		blocks[thread] = block;
		usable[thread] += size;
	}
	return NULL;
}

static size_t jemalloc_truth(void)
{
	size_t mapped, retained, epoch = 1, length = sizeof(size_t);

	mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch));
	mallctl("stats.mapped", &mapped, &length, NULL, 0);
	mallctl("stats.retained", &retained, &length, NULL, 0);
	return mapped + retained;
}

/* It says "MALLOC: =    123456 (    0.1 MiB) Virtual address space used". */
static size_t tcmalloc_truth(void)
{
	static char stats[65536];
	char *line;

	tcmalloc_get_stats(stats, sizeof(stats));
	line = strstr(stats, "Virtual address space used");
	while (line && line > stats && *line != '=')
		line--;
	return line ? strtoul(line + 1, NULL, 10) : 0;
}

static size_t mimalloc_truth(void)
{
	size_t other, commit;

	mi_process_info(&other, &other, &other, &other, &other, &commit, &other, &other);
	return commit;
}

static size_t libc_truth(int threads)
{
#ifdef __GLIBC__
	struct mallinfo2 info = mallinfo2();

	(void)threads;
	return info.arena + info.hblkhd;
#else
	size_t total = 0;

	for (int i = 0; i < threads; i++)
		total += usable[i];
	return total;
#endif
}

/* The library's own word, or what the blocks take if it has none. */
static size_t truth(int threads)
{
	if (mallctl)
		return jemalloc_truth();
	if (tcmalloc_get_stats)
		return tcmalloc_truth();
	if (mi_process_info)
		return mimalloc_truth();
	if (__sanitizer_get_heap_size)
		return __sanitizer_get_heap_size();
	return libc_truth(threads);
}

static void run_threads(void *(*work)(void *), int threads)
{
	pthread_t thread[64];

	pthread_barrier_init(&held, NULL, threads + 1);
	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)i)) {
			fprintf(stderr, "out of memory for thread %d\n", i + 1);
			exit(1);
		}
	if (work == hold)
		pthread_barrier_wait(&held);
	else
		for (int i = 0; i < threads; i++)
			pthread_join(thread[i], NULL);
}

int main(int argc, char **argv)
{
	size_t total = 0;
	int threads;

	if (argc != 4)
		return 2;
	threads = atoi(argv[3]);
	share = atoi(argv[2]) * MIB / threads;
	setvbuf(stdout, NULL, _IOLBF, 0);

	if (!strcmp(argv[1], "hold")) {
		/* The main thread has an arena of its own kind. */
		if (threads == 1)
			fill(0);
		else
			run_threads(hold, threads);
		printf("ready %d %zu\n", getpid(), truth(threads));
		pause();
	}
	if (threads == 1)
		leak(NULL);
	else
		run_threads(leak, threads);
	for (int i = 0; i < threads; i++)
		total += usable[i];
	printf("got %zu\n", total / MIB);
	if (total < threads * share)
		printf("caught NULL\n");
	return 0;
}
