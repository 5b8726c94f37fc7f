// SPDX-License-Identifier: GPL-2.0-only

//! The program, on a copy of /proc and /sys that is made here: no kernel is needed.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A machine with two processes of a service, one of a user, and a thread of the kernel.
fn machine(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&root);
    let write = |file: &str, text: &str| {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/:/bin/sh\n",
    );
    write(
        "proc/vmstat",
        "nr_free_pages 1\nheap_refused 67\nheap_would_refuse 2\n",
    );
    write("sys/kernel/mm/heap_limit/policy", "addr0 [commit]\n");
    write("sys/kernel/mm/heap_limit/mode", "[enforce] audit\n");
    write("sys/kernel/mm/heap_limit/threshold", "90\n");
    write("proc/self/status", &status(0, 1));
    write("proc/2/status", "Name:\tkthreadd\nUid:\t0\t0\t0\t0\n");
    for (pid, uid, used, unit) in [
        (101, 0, 60, "/system.slice/web.service"),
        (102, 0, 30, "/system.slice/web.service/worker"),
        (103, 1000, 10, "/user.slice/user-1000.slice/session-1.scope"),
    ] {
        let file = |name: &str| format!("proc/{pid}/{name}");
        write(&file("status"), &status(uid, used));
        write(&file("comm"), &format!("command{pid}\n"));
        write(&file("cmdline"), &format!("/bin/command{pid}\0--all\0"));
        write(&file("cgroup"), &format!("0::{unit}\n"));
        write(&file("limits"), LIMITS);
    }
    root
}

/// What a machine has beside it: a cgroup with a limit, one below it, and one without any.
fn with_cgroups(root: &Path) {
    let write = |file: &str, text: &str| {
        let path = root.join("sys/fs/cgroup").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let mounts = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
    fs::write(root.join("proc/self/mountinfo"), mounts).unwrap();
    write("cgroup.controllers", "cpu memory pids\n");
    write("cgroup.procs", "2\n");
    for (path, pids, used, max, refused) in [
        ("system.slice", "", 100, "max", 3),
        ("system.slice/web.service", "101\n", 90, "134217728", 3),
        ("system.slice/web.service/worker", "102\n", 5, "max", 0),
        ("user.slice", "103\n", 10, "10485760", 9),
    ] {
        let file = |name: &str| format!("{path}/{name}");
        write(&file("cgroup.procs"), pids);
        write(&file("memory.current"), "1\n");
        write(&file("memory.heap.current"), &format!("{}\n", used << 20));
        write(&file("memory.heap.resident"), &format!("{}\n", used << 19));
        write(&file("memory.heap.peak"), &format!("{}\n", 120 << 20));
        write(&file("memory.heap.max"), &format!("{max}\n"));
        let events = format!("max {refused}\nwould_refuse 1\n");
        write(&file("memory.heap.events"), &events);
    }
    fs::create_dir(root.join("sys/fs/cgroup/without-a-controller")).unwrap();
}

const LIMITS: &str = "\
Limit                     Soft Limit           Hard Limit           Units
Max heap size             67108864             unlimited            bytes
";

/// Of a process that uses so many MiB, half of which are there.
fn status(uid: u32, used: u32) -> String {
    let kilobytes = used * 1024;
    format!(
        "Name:\tx\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nVmRSS:\t{kilobytes} kB\n\
         VmHeapPeak:\t{kilobytes} kB\nVmHeap:\t{kilobytes} kB\nVmHeapResident:\t{} kB\n\
         HeapRefused:\t1\nHeapWouldRefuse:\t0\n",
        kilobytes / 2
    )
}

/// Makes it a machine whose limits are of what is resident.
fn with_policy_resident(root: &Path) {
    let policy = root.join("sys/kernel/mm/heap_limit/policy");
    fs::write(policy, "addr0 commit [resident]\n").unwrap();
}

/// Makes it one whose kernel does not say what is resident.
fn without_resident(root: &Path) {
    for pid in ["101", "102", "103", "self"] {
        let path = root.join("proc").join(pid).join("status");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace("VmHeapResident:", "VmOther:")).unwrap();
    }
    for path in ["system.slice", "user.slice"] {
        let cgroup = root.join("sys/fs/cgroup").join(path);
        fs::remove_file(cgroup.join("memory.heap.resident")).unwrap();
    }
}

fn heaptop(root: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_heaptop"))
        .arg("--sysroot")
        .arg(root)
        .args(options)
        .output()
        .unwrap()
}

/// The one line that it says of a problem.
fn problem(root: &Path, options: &[&str]) -> String {
    let output = heaptop(root, options);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn shown(root: &Path, options: &[&str]) -> String {
    let output = heaptop(root, options);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn table() {
    let expected = "\
policy: commit, mode: enforce, refused: 67, would-be: 2
PID USER USED RESIDENT  RSS PEAK %SOFT SOFT      HARD REFUSED WOULD-BE UNIT            COMMAND
101 root 60Mi     30Mi 60Mi 60Mi  93.8 64Mi unlimited       1        0 web.service     command101
102 root 30Mi     15Mi 30Mi 30Mi  46.9 64Mi unlimited       1        0 web.service     command102
103 me   10Mi    5.0Mi 10Mi 10Mi  15.6 64Mi unlimited       1        0 session-1.scope command103
";
    assert_eq!(shown(&machine("table"), &[]), expected);
}

#[test]
fn shares_of_what_is_resident() {
    let root = cgroups("shares");
    with_policy_resident(&root);
    for (options, list, expected) in [
        (&["-j"][..], "processes", &[46.875, 23.4375, 7.8125][..]),
        (&["-j", "--cgroups", "-l"], "cgroups", &[50.0, 35.15625]),
    ] {
        let value: Value = serde_json::from_str(&shown(&root, options)).unwrap();
        let rows = value[list].as_array().unwrap().iter();
        let shares: Vec<_> = rows.map(|row| row["share_percent"].as_f64()).collect();
        let expected: Vec<_> = expected.iter().copied().map(Some).collect();
        assert_eq!(shares, expected);
    }
}

#[test]
fn unknown_what_is_resident() {
    let root = cgroups("older");
    without_resident(&root);
    for (options, list) in [
        (&["-j"][..], "processes"),
        (&["-j", "-gunit"], "groups"),
        (&["-j", "--cgroups", "-cuser"], "cgroups"),
    ] {
        let value: Value = serde_json::from_str(&shown(&root, options)).unwrap();
        let row = &value[list][0];
        assert!(row["used_bytes"].is_u64(), "{value}");
        assert_eq!(row["resident_bytes"], Value::Null, "{value}");
    }
    for options in [
        &["-m"][..],
        &["-m", "-gprocess"],
        &["-m", "--cgroups", "-cuser"],
    ] {
        let text = shown(&root, options);
        assert!(!text.contains("resident_bytes{"), "{text}");
    }
}

#[test]
fn groups() {
    let expected = "\
policy: commit, mode: enforce, refused: 67, would-be: 2
PROCS USED RESIDENT  RSS PEAK %SOFT REFUSED WOULD-BE UNIT
    1 10Mi    5.0Mi 10Mi 10Mi  15.6       1        0 session-1.scope
    2 90Mi     45Mi 90Mi 90Mi  93.8       2        0 web.service
";
    assert_eq!(shown(&machine("groups"), &["-r", "-g", "unit"]), expected);
}

#[test]
fn json() {
    let text = shown(&machine("json"), &["-j", "-u", "me"]);
    let value: Value = serde_json::from_str(&text).unwrap();
    let processes = value["processes"].as_array().unwrap();
    assert_eq!(processes.len(), 1);
    assert_eq!(processes[0]["arguments"][1], "--all");
    assert_eq!(processes[0]["used_bytes"], 10 << 20);
}

#[test]
fn metrics() {
    let text = shown(&machine("metrics"), &["-m"]);
    let line = r#"heap_limit_unit_used_bytes{unit="web.service"} 94371840.0"#;
    assert!(text.lines().any(|other| other == line), "{text}");
}

fn cgroups(name: &str) -> PathBuf {
    let root = machine(name);
    with_cgroups(&root);
    root
}

#[test]
fn table_of_cgroups() {
    let expected = "\
policy: commit, mode: enforce, refused: 67, would-be: 2
PROCS  USED RESIDENT  PEAK  %MAX       MAX REFUSED WOULD-BE PATH
    1  10Mi    5.0Mi 120Mi 100.0      10Mi       9        1 /user.slice
    2  90Mi     45Mi 120Mi  70.3     128Mi       3        1 /system.slice/web.service
    2 100Mi     50Mi 120Mi     - unlimited       3        1 /system.slice
    1 5.0Mi    2.5Mi 120Mi     - unlimited       0        1 /system.slice/web.service/worker
";
    assert_eq!(shown(&cgroups("cgroups"), &["--cgroups"]), expected);
}

#[test]
fn cgroups_by_key() {
    let root = cgroups("cgroup-order");
    for (options, expected) in [
        (["-s", "used"], ["100Mi", "90Mi", "10Mi", "5.0Mi"]),
        (["-s", "pid"], ["100Mi", "90Mi", "5.0Mi", "10Mi"]),
        (["-s", "refused"], ["10Mi", "100Mi", "90Mi", "5.0Mi"]),
        (["-r", "-sused"], ["5.0Mi", "10Mi", "90Mi", "100Mi"]),
    ] {
        let text = shown(&root, &[&["--cgroups"], &options[..]].concat());
        let lines = text.lines().skip(2);
        let used: Vec<_> = lines
            .filter_map(|line| line.split_whitespace().nth(1))
            .collect();
        assert_eq!(used, expected, "{options:?}");
    }
}

#[test]
fn some_cgroups() {
    let root = cgroups("cgroup-filters");
    for (option, expected) in [
        ("-l", &["/system.slice/web.service", "/user.slice"][..]),
        ("-cuser", &["/user.slice"]),
        ("-ume", &["/user.slice"]),
        (
            "-p102",
            &[
                "/system.slice",
                "/system.slice/web.service",
                "/system.slice/web.service/worker",
            ],
        ),
    ] {
        let text = shown(&root, &["--cgroups", "-spid", "-j", option]);
        let value: Value = serde_json::from_str(&text).unwrap();
        let jobs = value["cgroups"].as_array().unwrap();
        let paths: Vec<_> = jobs
            .iter()
            .map(|job| job["path"].as_str().unwrap())
            .collect();
        assert_eq!(paths, expected, "{option}");
    }
    let none = heaptop(&root, &["--cgroups", "-cnone"]);
    assert_eq!(none.status.code(), Some(1));
}

#[test]
fn cgroups_for_programs() {
    let root = cgroups("cgroup-json");
    let text = shown(&root, &["--cgroups", "-j", "-cuser"]);
    let value: Value = serde_json::from_str(&text).unwrap();
    let expected = serde_json::json!([{
        "path": "/user.slice",
        "processes": 1,
        "used_bytes": 10 << 20,
        "resident_bytes": 5 << 20,
        "peak_bytes": 120 << 20,
        "share_percent": 100.0,
        "max_bytes": 10 << 20,
        "refused": 9,
        "would_refuse": 1,
    }]);
    assert_eq!(value["cgroups"], expected);
    let text = shown(&root, &["--cgroups", "-m"]);
    let line = r#"heap_limit_cgroup_refused_total{cgroup="/system.slice"} 3"#;
    assert!(text.lines().any(|other| other == line), "{text}");
    assert!(!text.contains("heap_limit_unit_"), "{text}");
}

#[test]
fn no_cgroups_yet() {
    let root = cgroups("cgroup-none");
    for name in ["system.slice", "user.slice"] {
        fs::remove_dir_all(root.join("sys/fs/cgroup").join(name)).unwrap();
    }
    let text = shown(&root, &["--cgroups"]);
    assert_eq!(text.lines().count(), 2, "{text}");
}

#[test]
fn cgroups_without_our_files() {
    let root = cgroups("cgroup-files");
    let mount = root.join("sys/fs/cgroup");
    let service = mount.join("system.slice/web.service");
    fs::remove_dir_all(service.join("worker")).unwrap();
    for path in ["system.slice/web.service", "system.slice", "user.slice"] {
        fs::remove_file(mount.join(path).join("memory.heap.current")).unwrap();
    }
    let said = problem(&root, &["--cgroups"]);
    let begin = "heaptop: cannot show cgroups: no memory.heap.max in ";
    assert!(said.starts_with(begin), "{said}");
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn cgroups_of_version_1() {
    let root = cgroups("cgroup-v1");
    let begin = "heaptop: cannot show cgroups: no memory controller in ";
    fs::write(root.join("sys/fs/cgroup/cgroup.controllers"), "").unwrap();
    let said = problem(&root, &["--cgroups"]);
    assert!(said.starts_with(begin), "{said}");
    let mounts = "32 24 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
    fs::write(root.join("proc/self/mountinfo"), mounts).unwrap();
    let said = problem(&root, &["--cgroups"]);
    let begin = "heaptop: cannot show cgroups: no cgroup v2 is mounted: ";
    assert!(said.starts_with(begin), "{said}");
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn without_the_patches() {
    let root = machine("without");
    let path = root.join("proc/self/status");
    fs::write(&path, "Name:\tx\n").unwrap();
    let output = heaptop(&root, &[]);
    let expected = format!(
        "heaptop: this kernel has no RLIMIT_HEAP (no VmHeap in {}): \
         boot one with the rlimit-heap patches\n",
        path.display()
    );
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}
