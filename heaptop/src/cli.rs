// SPDX-License-Identifier: GPL-2.0-only

//! The command line, from which man page and completions are made, too.

use crate::limit::Change;
use crate::sort::Key;
use clap::{value_parser, Args, Parser, Subcommand};
use std::ffi::OsString;
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
pub const SECTIONS: [(&str, &str); 5] = [
    (
        "Columns",
        "\
USED is the heap, PEAK the most there ever was, %SOFT the share of the soft limit,
REFUSED how often growth was refused, WOULD-BE how often audit mode let growth pass.
Sizes have units of 1024 bytes (Ki, Mi, Gi). A ? is what this user may not know.
What is no text in a name is escaped: \\n, \\u{1b}.",
    ),
    (
        "JSON",
        "\
Sizes are exact, in bytes. A limit is a number, \"unlimited\", or null if it is
unknown. share_percent is null if there is no limit, policy if there is none.",
    ),
    (
        "OpenMetrics",
        "\
No limit is infinite, and one that is unknown is left out. The textfile collector of
node_exporter reads all of it, but knows counters by another name: they are untyped
there. Write to a file aside, and rename it to NAME.prom.",
    ),
    (
        "Limits",
        "\
SOFT:HARD, SOFT: or :HARD, or one for both: a number of bytes, unlimited, or a number
with K, M, G, T, P or E, also as KiB and so on (1024), or KB and so on (1000).",
    ),
    (
        "Exit status",
        "\
0; 1 for failure, and if -p, -u, -c or -l select no process; 2 for a wrong command
line. With --watch, 0 after --count events, by a signal, or after --timeout if there
was an event and no --count; 124 after --timeout otherwise. With run, that of the
command; 126 if it cannot be run, 127 if it is not found.",
    ),
];

/// Command lines, one a line.
pub const EXAMPLES: &str = "\
heaptop -l -d 2                          those with a limit, live
heaptop -u www-data -s used              of one user, most use first
heaptop --watch --json -c nginx          a line for each event
heaptop --watch -n 1 -t 60 || echo calm  wait a minute for an event
heaptop run --heap=64M:1G -- make        a command under a limit
heaptop set 4711 --heap=1G:              the soft limit of a process";

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
pub struct View {
    /// Only these processes
    #[arg(short, long, value_name = "PID,...", value_delimiter = ',', value_parser = value_parser!(i32).range(1..))]
    pub pid: Vec<i32>,

    /// Only processes of this effective user, by name or number
    #[arg(short, long)]
    pub user: Option<String>,

    /// Only processes whose name has this part
    #[arg(short, long, value_name = "PART")]
    pub command: Option<String>,

    /// Only processes that have a soft limit
    #[arg(short, long, conflicts_with = "watch")]
    pub limited: bool,

    /// What comes first
    #[arg(short, long, value_name = "KEY", value_enum, default_value_t = Key::Share)]
    pub sort: Key,

    /// Live view, anew every so many seconds; h shows the keys
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds, conflicts_with_all = ["json", "openmetrics", "watch"])]
    pub delay: Option<Duration>,

    /// One JSON object; with --watch, one a line for each event
    #[arg(long, conflicts_with = "openmetrics")]
    pub json: bool,

    /// Metrics for Prometheus, as node_exporter's textfile collector reads them
    #[arg(long, conflicts_with = "watch")]
    pub openmetrics: bool,

    /// Print growth that is refused, would be refused, or crosses the threshold, as it happens
    #[arg(short, long)]
    pub watch: bool,

    /// End after so many events
    #[arg(short = 'n', long, value_name = "N", requires = "watch", value_parser = value_parser!(u64).range(1..))]
    pub count: Option<u64>,

    /// End after so much time
    #[arg(short, long, value_name = "SECONDS", requires = "watch", value_parser = seconds)]
    pub timeout: Option<Duration>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a command under a limit
    Run {
        /// SOFT:HARD, SOFT:, :HARD, or one for both, as 64M or unlimited; see heaptop --help
        #[arg(long, value_name = "LIMITS")]
        heap: Change,

        /// The command and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<OsString>,
    },
    /// Set the limit of a process
    Set {
        /// The process
        #[arg(value_parser = value_parser!(i32).range(1..))]
        pid: i32,

        /// SOFT:HARD, SOFT:, :HARD, or one for both, as 64M or unlimited; see heaptop --help
        #[arg(long, value_name = "LIMITS")]
        heap: Change,
    },
}

/// Not so long that clocks would overflow.
fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=1e9).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("use a number of seconds, 0.1 or more".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split(' '))
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
            "heaptop -d 1 --watch",
            "heaptop --openmetrics --watch",
            "heaptop --count 1",
            "heaptop --json run --heap=1M true",
            "heaptop run true",
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
    fn options_of_a_command_are_its_own() {
        for line in [
            "heaptop run --heap=1M ls -l --help",
            "heaptop run --heap=1M -- ls -l --help",
        ] {
            match parse(line).unwrap().command {
                Some(Command::Run { command, .. }) => assert_eq!(command, ["ls", "-l", "--help"]),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn delays() {
        assert_eq!(
            parse("heaptop -d 0.5").unwrap().view.delay,
            Some(Duration::from_millis(500))
        );
        assert!(parse("heaptop -d 1e30").is_err());
    }
}
