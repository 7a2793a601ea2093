//! What is rendered for DNS servers, judged by the servers' own checkers.
//!
//! The programs come from `setup.sh` beside this file, which unpacks them on first use. A checker that is missing, or
//! cannot start, fails the test that needs it; none is passed over.
//!
//! Each test of a server shows both: the rendering is accepted, and something that is wrong with it is refused, by the
//! checker or, where that lets it pass, by the provider.

mod powershell;
mod servers;
mod terraform;

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use studio::dns::{
    name::ZoneName,
    render::{Forwarding, Kind, render},
};
use tempfile::TempDir;

const ZONES: [&str; 2] = ["studio.us-east-1.sagemaker.aws", "studio.sagemaker.us-east-1.app.aws"];

/// Addresses of one family, of the other, and of both.
const ADDRESSES: [&[&str]; 3] =
    [&["10.0.1.10", "10.0.2.10"], &["2001:db8::10", "fd00:1:2::10"], &["10.0.1.10", "2001:db8::10"]];

/// What a checker said.
struct Verdict {
    accepted: bool,
    text: String,
}

impl Verdict {
    #[track_caller]
    fn assert_accepted(&self) {
        assert!(self.accepted, "refused: {}", self.text);
    }

    /// Refused, and for this reason: not because the test itself is wrong.
    #[track_caller]
    fn assert_refused(&self, reason: &str) {
        assert!(!self.accepted, "accepted: {}", self.text);
        assert!(self.text.contains(reason), "{reason:?} is not why: {}", self.text);
    }
}

/// A folder with files, which the servers' programs see as `/run/studio`.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Folder(TempDir::new().unwrap())
    }

    /// Writes a file, also into a folder below.
    fn with(self, name: &str, text: &str) -> Self {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a server's program.
    fn run(&self, program: &str, arguments: &[&str]) -> Verdict {
        let folder = self.path().to_str().unwrap();
        let output = setup(&[&["run", folder, program], arguments].concat());
        let text = both(&output);
        // chroot and unshare end so when there is nothing to run.
        let started = output.status.code().is_some_and(|code| !(125..=127).contains(&code));
        assert!(started && !text.contains("setup.sh: error:"), "{program} does not start: {text}");
        Verdict { accepted: output.status.success(), text }
    }
}

fn setup(arguments: &[&str]) -> Output {
    let script = here().join("setup.sh");
    Command::new("bash").arg(script).args(arguments).output().expect("bash is there")
}

/// Folder of this file.
fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/forwarders")
}

fn both(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// What the provider renders.
fn rendering(kind: Kind, addresses: &[&str]) -> String {
    let zones = ZONES.map(|zone| ZoneName::parse(zone).unwrap());
    let addresses = addresses.iter().map(|address| address.parse::<IpAddr>().unwrap());
    render(kind, &Forwarding::new(zones, addresses).unwrap()).unwrap()
}

/// The text with one part replaced, which must be there.
#[track_caller]
fn broken(text: &str, part: &str, by: &str) -> String {
    assert!(text.contains(part), "{part:?} is not in: {text}");
    text.replacen(part, by, 1)
}

#[test]
#[should_panic(expected = "no-such-server does not start")]
fn a_checker_that_is_missing_is_not_taken_for_one_that_refuses() {
    Folder::new().run("no-such-server", &[]);
}
