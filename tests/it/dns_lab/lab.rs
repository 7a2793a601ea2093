//! A running lab, as a test sees it: `lab.sh` beside this file, and `dig` inside of it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::IpAddr,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::emulator::Account;

/// The corporate DNS server.
pub const CORPORATE: &str = "192.168.10.53";

/// The public DNS server.
pub const PUBLIC: &str = "198.51.100.53";

/// A lab. It ends with this, and if need be with the process that runs the tests.
pub struct Lab {
    folder: TempDir,
    process: Child,
    /// The lab ends when this closes.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    pid: String,
    /// How much of the log of public DNS was there at the last [`Lab::forget_queries`].
    forgotten: usize,
}

/// What came of a question.
#[derive(Debug)]
pub struct Reply {
    /// `NOERROR`, `SERVFAIL`, …, or nothing without an answer.
    pub status: Option<String>,
    /// In order.
    pub addresses: Vec<IpAddr>,
    /// What `dig` wrote.
    pub text: String,
}

impl Lab {
    /// A lab whose VPC answers at these addresses from the account's hosted zones.
    pub fn start(account: &Account, inbound: &[String]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        fs::write(folder.path().join("emulator.sock.account"), &account.id).expect("the folder can be written to");
        let emulator = account.url().strip_prefix("http://").expect("it serves plain HTTP");
        let mut process = Command::new("bash")
            .arg(script())
            .arg(folder.path())
            .arg(emulator)
            .args(inbound)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("bash is there");
        let input = process.stdin.take();
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("its output is text");
        let pid = line.strip_prefix("ready ").unwrap_or_else(|| panic!("no lab; what it wrote stands above: {line}"));
        let pid = pid.trim().to_owned();
        Lab { folder, process, input, output, pid, forgotten: 0 }
    }

    /// Has one of the commands of `lab.sh` carried out.
    #[track_caller]
    pub fn tell(&mut self, command: &str) {
        let mut line = String::new();
        let input = self.input.as_mut().expect("it is open until the end");
        writeln!(input, "{command}").expect("the lab reads");
        self.output.read_line(&mut line).expect("the lab answers");
        assert_eq!(line, "ok\n", "{command}:\n{}", self.logs());
    }

    /// Writes a file into the folder of the corporate server.
    pub fn install(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join("onprem").join(name), text).expect("the folder can be written to");
    }

    /// The command that runs others on the application host, in this folder.
    pub fn within(&self, folder: &Path) -> Vec<String> {
        let mut words = vec!["nsenter".to_owned(), format!("--target={}", self.pid), "--mount".to_owned()];
        let uid = fs::metadata("/proc/self").expect("this is Linux").uid();
        if uid != 0 {
            words.extend(["--user".to_owned(), "--preserve-credentials".to_owned()]);
        }
        let namespace = format!("studio-lab-{}-app", self.pid);
        words.extend([format!("--wdns={}", folder.display())]);
        words.extend(["ip", "netns", "exec", &namespace].map(str::to_owned));
        words
    }

    /// Asks the corporate server, from the application host.
    pub fn dig(&self, arguments: &[&str]) -> Reply {
        let within = self.within(Path::new("/"));
        let output = Command::new(&within[0])
            .args(&within[1..])
            .args(["chroot", "/run/lab/root", "dig", &format!("@{CORPORATE}"), "+noall", "+comments", "+answer"])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("nsenter is where unshare is");
        Reply::read(&output)
    }

    /// From now on only queries that come in later count.
    pub fn forget_queries(&mut self) {
        self.forgotten = self.log_of_queries().len();
    }

    /// The queries for Studio's names that public DNS got.
    pub fn leaked(&self) -> Vec<String> {
        let log = self.log_of_queries().split_off(self.forgotten);
        // A server that asks for parts of a name first would start with these.
        let is_studio = |line: &&str| {
            let name = line.split("query: ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
            let name = name.to_ascii_lowercase();
            name.ends_with("sagemaker.aws") || name.ends_with("app.aws")
        };
        log.lines().filter(is_studio).map(str::to_owned).collect()
    }

    fn log_of_queries(&self) -> String {
        fs::read_to_string(self.folder.path().join("public/queries.log")).unwrap_or_default()
    }

    /// The last that the lab's servers wrote.
    pub fn logs(&self) -> String {
        let tail = |name: &&str| {
            let text = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("---- {name}\n{}\n", lines[lines.len().saturating_sub(25)..].join("\n"))
        };
        ["corporate.log", "vpc.log", "public.log"].iter().map(tail).collect()
    }

    /// The number of the lab's first process.
    pub fn pid(&self) -> &str {
        &self.pid
    }

    /// The number of the process that the test started.
    pub fn outer_pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.input.take());
        self.process.wait().expect("it can be waited for");
    }
}

impl Reply {
    fn read(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
        // 9 is dig's code for no answer at all.
        assert!(matches!(output.status.code(), Some(0 | 9)), "dig does not start: {text}");
        let status = text.split("status: ").nth(1).and_then(|rest| rest.split(',').next()).map(str::to_owned);
        let records = text.lines().filter(|line| !line.starts_with(';'));
        let mut addresses: Vec<IpAddr> =
            records.filter_map(|line| line.split_whitespace().next_back()?.parse().ok()).collect();
        addresses.sort();
        Reply { status, addresses, text }
    }
}

/// `lab.sh`.
pub fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/dns_lab/lab.sh")
}
