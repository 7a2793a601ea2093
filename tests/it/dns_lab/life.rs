//! A lab comes with what it needs or not at all, and goes without a trace.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::symlink,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::lab::{Lab, script};
use crate::{emulator::Account, terraform::wait_until};

/// Every namespace that the lab's processes are in, but for those that all processes of the machine share.
fn namespaces(lab: &Lab) -> BTreeSet<PathBuf> {
    let own = fs::read_link(format!("/proc/{}/ns/pid", lab.pid())).unwrap();
    let links = |process: &Path| -> BTreeSet<PathBuf> {
        ["pid", "net", "mnt"].iter().filter_map(|kind| fs::read_link(process.join("ns").join(kind)).ok()).collect()
    };
    let of_lab = processes().into_iter().filter(|process| links(process).contains(&own));
    let machine = links(Path::new("/proc/self"));
    of_lab.flat_map(|process| links(&process)).filter(|namespace| !machine.contains(namespace)).collect()
}

fn processes() -> Vec<PathBuf> {
    let is_number = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_str().unwrap().parse::<u32>().is_ok());
    fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path()).filter(is_number).collect()
}

/// Whether any process is in one of them.
fn any_is_used(namespaces: &BTreeSet<PathBuf>) -> bool {
    processes().iter().any(|process| {
        let used = |kind| fs::read_link(process.join("ns").join(kind)).is_ok_and(|link| namespaces.contains(&link));
        ["pid", "net", "mnt"].into_iter().any(used)
    })
}

fn busy_lab() -> Lab {
    let mut lab = Lab::start(&Account::new(), &["10.0.0.53".to_owned()]);
    lab.tell("public signed");
    lab.tell("corporate bind");
    lab
}

#[test]
fn nothing_outlasts_a_lab_whose_test_panics() {
    let lab = busy_lab();
    let namespaces = namespaces(&lab);
    // The first process's own, and one each for the app host, on-prem, the VPC and public DNS.
    assert!(namespaces.len() > 4, "{namespaces:?}");
    assert!(any_is_used(&namespaces));
    let panicked = catch_unwind(AssertUnwindSafe(move || {
        let _lab = lab;
        panic!("as a failing test does");
    }));
    assert!(panicked.is_err());
    wait_until("the lab is gone", || !any_is_used(&namespaces));
    let names = fs::read_dir("/run/netns").into_iter().flatten().map(|entry| entry.unwrap().file_name());
    assert_eq!(names.filter(|name| name.to_string_lossy().starts_with("studio-lab")).count(), 0);
}

#[test]
fn nothing_outlasts_a_lab_that_is_killed() {
    let lab = busy_lab();
    let namespaces = namespaces(&lab);
    let killed = Command::new("kill").args(["-KILL", &lab.outer_pid().to_string()]).status().unwrap();
    assert!(killed.success());
    wait_until("the lab is gone", || !any_is_used(&namespaces));
}

/// Runs the script with these programs alone.
fn start_with(programs: &[(&str, &str)]) -> String {
    let bin = tempfile::tempdir().unwrap();
    for (name, program) in programs {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
        symlink(String::from_utf8_lossy(&found.stdout).trim(), bin.path().join(name)).unwrap();
    }
    let output = Command::new("/bin/bash")
        .arg(script())
        .args(["/nowhere", "127.0.0.1:1", "10.0.0.53"])
        .env("PATH", bin.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn what_the_machine_lacks_is_an_error_that_says_what_to_do() {
    let text = start_with(&[("dirname", "dirname")]);
    assert!(text.contains("there is no ip: on Debian and Ubuntu, apt-get install iproute2"), "{text}");
    let tools = [("dirname", "dirname"), ("ip", "ip"), ("python3", "python3"), ("id", "id")];
    let text = start_with(&[&tools[..], &[("unshare", "false")]].concat());
    assert!(text.contains("this user may not make namespaces") && text.contains("run it as root"), "{text}");
}
