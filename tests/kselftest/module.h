/* SPDX-License-Identifier: GPL-2.0-only */
/* Modules of the working directory come and go. */

#ifndef MODULE_H
#define MODULE_H

#include "heap.h"

static inline int load(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? fd : syscall(SYS_finit_module, fd, "", 0);
	int saved = errno;

	close(fd);
	errno = saved;
	return ret;
}

static inline int unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK);
}

/* A test that failed may have left it otherwise. */
static inline bool begin_anew(const char *policy)
{
	load("rlimit_heap.ko");
	return set_policy(policy) && set_mode("enforce");
}

#endif	/* MODULE_H */
