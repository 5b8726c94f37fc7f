// SPDX-License-Identifier: GPL-2.0-only

//! The command line, from which man page and completions are made, too.

use crate::model::delay;
use crate::model::group::By;
use crate::model::limit::Change;
use crate::model::sort::Key;
use crate::run;
use crate::ui::live::help::HELP;
use clap::error::ErrorKind;
use clap::{value_parser, ArgGroup, Args, CommandFactory, Parser, Subcommand};
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Show the heaps of processes, their limits (RLIMIT_HEAP), and what was refused
///
/// Prints a table of all processes that have memory of their own, those that use most of
/// their soft limit first. With -d it is a live view, with --watch a list of what happens.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, disable_help_subcommand = true, after_long_help = details())]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,

    #[command(flatten)]
    pub view: View,
}

/// What else there is to say, by title; the lines of a section are one paragraph.
pub const SECTIONS: [(&str, &str); 9] = [
    (
        "Columns",
        "\
USED is the heap, RESIDENT what of it is there, in memory or swapped out, RSS all memory that
is there of whatever kind, PEAK the most heap there ever was, %SOFT the share of the soft
limit, REFUSED how often growth was refused, WOULD-BE how often audit mode let growth pass,
UNIT the unit of systemd, or the cgroup where there is none. Shares are those of USED, under
the policy resident of RESIDENT. USAGE, with --watch, is the one that was compared. Sizes have
units of 1024 bytes (Ki, Mi, Gi). A ? is what this user may not know, or the kernel does not
say. What is no text in a name is escaped: \\n, \\u{1b}. A terminal that is too narrow for
all columns does without UNIT, HARD, WOULD-BE, RSS and RESIDENT, in this order.",
    ),
    (
        "Groups",
        "\
With --group-by, a line is the sum over the processes of a unit, user or command, PROCS of
them. %SOFT is that of its fullest process, PEAK the sum of peaks, which were not at
the same time. A unit of a user's manager is user@UID.service/NAME.",
    ),
    (
        "Cgroups",
        "\
With --cgroups, a line is a cgroup (v2) and all that is below it, PROCS of processes. USED,
RESIDENT, PEAK, MAX, REFUSED and WOULD-BE are what the kernel says in its files
memory.heap.current, .resident, .peak, .max and .events. REFUSED and WOULD-BE are by its limit
and those of cgroups below it. %MAX is the share of MAX. The root has no such files.",
    ),
    (
        "JSON",
        "\
Sizes are exact, in bytes. A limit is a number, \"unlimited\", or null if it is
unknown. share_percent is null if there is no limit, policy if there is none, resident_bytes
if the kernel does not say, unit if there are no cgroups or, of an event, if the process had
ended. Times of events are the kernel's. An event has soft_bytes if the limit was the
process's own. Otherwise it has max_bytes, limit_cgroup and limit_cgroup_id: the limit of the
cgroup, its path, which is null if it is gone, and its id, the inode number of its directory.
used_bytes is of whom the limit is. What the policy resident refuses, or audit mode lets pass
under it, has resident_bytes instead.",
    ),
    (
        "OpenMetrics",
        "\
Metrics are of units, unless --group-by says otherwise: those of processes have new labels
with each process. No limit is infinite, and what is unknown is left out. The textfile
collector of node_exporter reads all of it, but knows counters by another name: they are
untyped there. Write to a file aside, and rename it to NAME.prom.",
    ),
    (
        "Limits",
        "\
SOFT:HARD, SOFT: or :HARD, or one for both: a number of bytes, unlimited, or a number
with K, M, G, T, P or E, also as Ki or KiB and so on (1024), or KB and so on (1000).",
    ),
    (
        "Jobs",
        "\
run --job makes a cgroup below the one that heaptop is in, writes LIMIT to its
memory.heap.max, and starts the command in it. Growth that would bring all of its processes
above LIMIT together is refused. heaptop waits for the command and passes on to it the
signals HUP, INT, QUIT, ALRM, TERM, USR1 and USR2 that others send. When the command ends,
the job is over: what it left behind is killed, and the cgroup is removed. Was heaptop
itself killed, the job goes on, and the next run --job removes the cgroup if it is empty.
heaptop's own cgroup must be delegated to it, as systemd calls it, or be the root. Other
processes in it are moved to the cgroup heaptop-rest below it, until the last job is over.
With --report, heaptop says at the end, on stderr, what the job used at most and how often
growth was refused. To root, it says to whom.",
    ),
    (
        "Users",
        "\
Names are those of /etc/passwd and, by getent(1), of the name services of the machine.
-u takes any name that a user has.",
    ),
    (
        "Exit status",
        "\
0; 1 for failure, and if -p, -u, -c or -l select no process; 2 for a wrong command
line. With --watch, 0 after --count events, by a signal, or after --timeout if there
was an event and no --count; 124 after --timeout otherwise. With run, that of the
command, whose signal ends heaptop, too; 125 if heaptop itself fails, 126 if the command cannot be run, 127 if it is
not found, as with env(1).",
    ),
];

/// Command lines, one a line.
pub const EXAMPLES: &str = "\
heaptop -l -d 2                          those with a limit, live
heaptop -u www-data -s used              of one user, most use first
heaptop --group-by unit -s used          sums of units
heaptop -b -n 60 -d 60 -j >hour.json     an object a minute, for an hour
heaptop --watch --json -c nginx          a line for each event
heaptop --watch -n 1 -t 60 || echo calm  wait a minute for an event
heaptop run --heap=64Mi:1Gi -- make      a command, each process under a limit
heaptop run --job=2Gi -- make -j8        all of its processes under one
heaptop --cgroups -l -d 2                cgroups with a limit, live
heaptop set 4711 --heap=1Gi:             the soft limit of a process";

/// Keys of the live view, as it shows them itself.
pub const KEYS: &str = HELP;

/// All of it, for --help.
fn details() -> String {
    [("Examples", EXAMPLES)]
        .iter()
        .chain(&SECTIONS)
        .map(|(title, text)| format!("{title}:\n  {}", text.replace('\n', "\n  ")))
        .collect::<Vec<_>>()
        .join("\n\n")
}

/// What to show, of which processes.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("repeats").args(["watch", "batch"])))]
pub struct View {
    /// Only these processes, or cgroups that have one of them
    #[arg(short, long, value_name = "PID,...", value_delimiter = ',', value_parser = value_parser!(i32).range(1..))]
    pub pid: Vec<i32>,

    /// Only processes of this effective user, by name or number, or cgroups that have one
    #[arg(short, long)]
    pub user: Option<String>,

    /// Only processes whose name has this part; with -f, whose name or command line has it;
    /// with --cgroups, cgroups whose path has it
    #[arg(short, long, value_name = "PART")]
    pub command: Option<String>,

    /// Only processes that have a soft limit, or cgroups that have a limit
    #[arg(short, long, conflicts_with = "watch")]
    pub limited: bool,

    /// Whole command lines instead of names
    #[arg(short, long, conflicts_with = "watch")]
    pub full: bool,

    /// What one line is, with sums
    #[arg(
        short,
        long,
        visible_alias = "by",
        value_name = "WHAT",
        value_enum,
        conflicts_with = "watch"
    )]
    pub group_by: Option<By>,

    /// Cgroups and their limits (memory.heap.max) instead of processes
    #[arg(long, conflicts_with_all = ["group_by", "full", "watch"])]
    pub cgroups: bool,

    /// What comes first
    #[arg(short, long, value_name = "KEY", value_enum, default_value_t = Key::Share)]
    pub sort: Key,

    /// What would come last comes first
    #[arg(short, long, conflicts_with = "watch")]
    pub reverse: bool,

    /// Live view, anew every so many seconds; h shows the keys
    #[arg(short, long, value_name = "SECONDS", value_parser = delay::parse, conflicts_with = "watch")]
    pub delay: Option<Duration>,

    /// Print again and again instead of a live view, every 2 seconds without -d
    #[arg(short, long)]
    pub batch: bool,

    /// One JSON object a time; with --watch, one a line for each event
    #[arg(short, long, conflicts_with = "openmetrics")]
    pub json: bool,

    /// Metrics for Prometheus, as node_exporter's textfile collector reads them
    #[arg(
        short = 'm',
        long,
        visible_alias = "metrics",
        conflicts_with = "repeats"
    )]
    pub openmetrics: bool,

    /// Print growth that is refused, would be refused, or crosses the threshold, as it happens
    #[arg(short, long)]
    pub watch: bool,

    /// End after so many events, or with -b, after having printed so often
    #[arg(short = 'n', long, value_name = "N", requires = "repeats", value_parser = value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// End after so much time
    #[arg(short, long, value_name = "SECONDS", requires = "watch", value_parser = delay::parse)]
    pub timeout: Option<Duration>,

    /// Look at the copy of a machine's /proc, /sys and /etc/passwd in this directory
    #[arg(long, value_name = "DIR", conflicts_with = "watch")]
    pub sysroot: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a command under a limit: of each process, of all together, or both
    #[command(visible_alias = "r")]
    Run(run::Order),
    /// Set the limit of a process
    #[command(visible_alias = "s")]
    Set {
        /// The process
        #[arg(value_parser = value_parser!(i32).range(1..))]
        pid: i32,

        /// SOFT:HARD, SOFT:, :HARD, or one for both, as 64M or unlimited; see heaptop --help
        #[arg(short = 'H', long, value_name = "LIMITS")]
        heap: Change,
    },
}

impl Cli {
    /// What we were called with. If it is wrong, or a question for help, all has been said,
    /// and the status is left.
    pub fn read() -> Result<Self, ExitCode> {
        Self::checked(env::args_os()).map_err(|error| {
            let _ = error.print();
            let runs = env::args_os()
                .nth(1)
                .is_some_and(|word| word == "run" || word == "r");
            match (error.exit_code(), runs) {
                (0, _) => ExitCode::SUCCESS,
                (_, true) => ExitCode::from(run::FAILED),
                (_, false) => ExitCode::from(2),
            }
        })
    }

    fn checked(
        line: impl IntoIterator<Item = impl Into<OsString> + Clone>,
    ) -> Result<Self, clap::Error> {
        let cli = Self::try_parse_from(line)?;
        let view = &cli.view;
        if view.delay.is_some() && !view.batch && (view.json || view.openmetrics) {
            let problem = "the live view, -d, is for people: use -b with --json";
            return Err(Self::command().error(ErrorKind::ArgumentConflict, problem));
        }
        if view.cgroups && view.sort == Key::Rss {
            let problem = "the rss of a cgroup is not known: use -s used or peak with --cgroups";
            return Err(Self::command().error(ErrorKind::ArgumentConflict, problem));
        }
        Ok(cli)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::checked(line.split(' '))
    }

    #[test]
    fn consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn conflicts() {
        for line in [
            "heaptop --json --openmetrics",
            "heaptop -d 1 --json",
            "heaptop -d 1 --openmetrics",
            "heaptop -d 1 --watch",
            "heaptop -b --watch",
            "heaptop -b --openmetrics",
            "heaptop --openmetrics --watch",
            "heaptop --watch --group-by unit",
            "heaptop --watch --sysroot /",
            "heaptop --group-by pid",
            "heaptop --count 1",
            "heaptop -d 1 --count 1",
            "heaptop --json run --heap=1M true",
            "heaptop run true",
            "heaptop run --heap=1M --report true",
            "heaptop run --job=1M:2M true",
            "heaptop run --job=1M --into=/ true",
            "heaptop --cgroups --group-by unit",
            "heaptop --cgroups --watch",
            "heaptop --cgroups --full",
            "heaptop --cgroups -s rss",
            "heaptop run --heap=1M",
            "heaptop set 0 --heap=1M",
            "heaptop set --heap=1M",
            "heaptop -d 0",
            "heaptop -d NaN",
            "heaptop -d -1",
            "heaptop -p 1,x",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn allowed() {
        for line in [
            "heaptop -b -n 3 -d 1 --json",
            "heaptop -wjn1",
            "heaptop -m --by user",
            "heaptop -rfg command",
            "heaptop s 1 -H 64Mi",
            "heaptop run --job=1M true",
            "heaptop r -J1M -H1M: --report true",
            "heaptop --cgroups -bjn1 -l -s peak",
            "heaptop --cgroups -m",
            "heaptop --cgroups -d 1 -r -c slice -u root -p 1",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
    }

    #[test]
    fn options_of_a_command_are_its_own() {
        for line in [
            "heaptop run --heap=1M ls -l --help",
            "heaptop run --heap=1M -- ls -l --help",
            "heaptop r -H1M -- ls -l --help",
        ] {
            match parse(line).unwrap().command {
                Some(Command::Run(order)) => {
                    assert_eq!(order.command, "ls");
                    assert_eq!(order.arguments, ["-l", "--help"]);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
