/* SPDX-License-Identifier: GPL-2.0-only */
/* What tracers see of the heap limit: an instance of tracefs of our own. */

#ifndef TRACE_H
#define TRACE_H

#include <sys/mount.h>
#include <sys/stat.h>

#include "heap.h"

#define TRACEFS "/sys/kernel/tracing"
#define INSTANCE TRACEFS "/instances/heap_limit_test"

static inline bool trace_start(void)
{
	mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	rmdir(INSTANCE);
	return mkdir(INSTANCE, 0700) == 0 &&
		write_file(INSTANCE "/events/heap_limit/enable", "1");
}

static inline void trace_stop(void)
{
	write_file(INSTANCE "/events/heap_limit/enable", "0");
	rmdir(INSTANCE);
}

/* Forgets what was seen. */
static inline void trace_clear(void)
{
	close(open(INSTANCE "/trace", O_WRONLY | O_TRUNC));
}

/* How often an event, or those whose names begin so, was seen with @fields. */
static inline int traced(const char *event, const char *fields)
{
	char what[64], *p = read_proc(INSTANCE "/trace");
	int n = 0;

	snprintf(what, sizeof(what), " %s", event);
	while (p && *p) {
		char *end = strchrnul(p, '\n');
		char *at = memmem(p, end - p, what, strlen(what));

		if (at && memmem(at, end - at, fields, strlen(fields)))
			n++;
		p = *end ? end + 1 : end;
	}
	return n;
}

/* The fields of an event about this process. */
static inline const char *fields(const char *what, long request, long usage,
				 long limit, const char *policy)
{
	static char text[256];
	long kb = page_size / 1024;

	snprintf(text, sizeof(text),
		 "comm=%s pid=%d uid=%d what=%s request=%ldkB usage=%ldkB limit=%ldkB policy=%s",
		 program_invocation_short_name, getpid(), getuid(), what, request * kb,
		 usage * kb, limit * kb, policy);
	return text;
}

#endif	/* TRACE_H */
