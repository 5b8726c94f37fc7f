// SPDX-License-Identifier: GPL-2.0-only

//! The page of keys.

pub(crate) const HELP: &str = "\
q           quit                        space     look again now
up, down    select a line; k, j         d         change the delay
PgUp, PgDn  select one a page away      +, -      a longer delay, a shorter one
Home, End   select the first, the last  Esc       select nothing; leave a group

P, M, N     sort by share of the soft limit, by use, by pid or name
<, >        sort by the key before, the key after:
            share, used, rss, peak, refused, pid
R           what came last comes first
g           one line a process, unit, user, command
C           cgroups and their limits, or processes
c           names of commands, or whole command lines
u           only a user; nothing is all
/           only names with a part; nothing is all

Enter       details and history of the process; those of a group or cgroup
l           change the limits of the process
x, F9       send it a signal
h, ?        this

A line is bold above the threshold of the kernel, 90 % of the soft limit
if nobody has changed it. Any key goes back.";
