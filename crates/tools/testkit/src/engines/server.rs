//! One server process in a folder of its own.

use std::fs::{File, Permissions};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::user::User;

const SUPERVISE: &str = include_str!("supervise.sh");
const READY_WITHIN: Duration = Duration::from_secs(60);
const ASK_EVERY: Duration = Duration::from_millis(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
const LOG_LINES_SHOWN: usize = 40;

/// How a server is started and ended.
pub(super) struct Launch {
    /// The program and its arguments.
    pub(super) command: Vec<String>,
    /// The user it runs as, when not the test's.
    pub(super) user: Option<User>,
    /// The signal after which it ends in good order.
    pub(super) orderly: &'static str,
    /// The signal after which it ends at once.
    pub(super) at_once: &'static str,
    /// Files it leaves outside its folder.
    pub(super) leftovers: Vec<String>,
}

/// A server that can be stopped and started again. Dropping it ends it and removes its folder.
pub(super) struct Server {
    launch: Launch,
    // Declared before the folder, so that the server has ended before its folder goes.
    running: Mutex<Option<Running>>,
    folder: TempDir,
}

struct Running {
    supervisor: Child,
}

/// A new folder for a server, which a server running as another user can enter.
pub(super) fn folder(name: &str) -> TempDir {
    tempfile::Builder::new()
        .prefix(&format!("souk-{name}-"))
        .permissions(Permissions::from_mode(0o711))
        .tempdir()
        .unwrap()
}

impl Server {
    pub(super) fn new(folder: TempDir, launch: Launch) -> Self {
        Self { launch, running: Mutex::new(None), folder }
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the server and waits until `ready` says that it serves. Nothing happens when it already runs.
    pub(super) fn start(&self, ready: impl Fn() -> bool) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return;
        }
        let mut starting = self.spawn();
        let deadline = Instant::now() + READY_WITHIN;
        while !ready() {
            if let Some(status) = starting.supervisor.try_wait().unwrap() {
                panic!("`{}` ended at once with {status}\n{}", self.launch.command.join(" "), self.log());
            }
            let waited = Instant::now() > deadline;
            assert!(!waited, "`{}` does not get ready\n{}", self.launch.command.join(" "), self.log());
            std::thread::sleep(ASK_EVERY);
        }
        *running = Some(starting);
    }

    /// Stops the server in good order and waits until it has ended. Its data stays.
    pub(super) fn stop(&self) {
        self.end(b"stop\n");
    }

    /// Ends the server at once, as a crash would, and waits until it has ended. Its data stays.
    pub(super) fn kill(&self) {
        self.end(b"kill\n");
    }

    fn end(&self, word: &[u8]) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut running) = running {
            running.supervisor.stdin.take().unwrap().write_all(word).unwrap();
            running.supervisor.wait().unwrap();
        }
    }

    fn spawn(&self) -> Running {
        let log = File::options().create(true).append(true).open(self.log_file()).unwrap();
        let (program, arguments) = self.launch.command.split_first().unwrap();
        let server = User::command(self.launch.user, Path::new(program));
        let supervisor = Command::new("/bin/sh")
            .args(["-c", SUPERVISE, "supervise"])
            .arg(self.folder())
            .args([self.launch.orderly, self.launch.at_once, &self.launch.leftovers.join(" ")])
            .arg(server.get_program())
            .args(server.get_args())
            .args(arguments)
            .current_dir(self.folder())
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            // An interrupt at the terminal is for the test; the supervisor has to live on to clean up.
            .process_group(0)
            .spawn()
            .unwrap();
        Running { supervisor }
    }

    fn log_file(&self) -> PathBuf {
        self.folder().join("server.log")
    }

    fn log(&self) -> String {
        let log = std::fs::read(self.log_file()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        // Nothing can be done about a failure here, and a second panic would hide the first.
        let _ = self.supervisor.wait();
    }
}

/// Sends `request` to a port of 127.0.0.1 and returns the first bytes of the answer, or nothing when
/// nobody answers.
pub(super) fn ask(port: u16, request: &[u8]) -> Option<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_WITHIN).ok()?;
    stream.set_read_timeout(Some(ANSWER_WITHIN)).ok()?;
    stream.write_all(request).ok()?;
    let mut answer = [0; 4096];
    let length = stream.read(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer[..length]).into_owned())
}

/// Runs a program to its end and returns what it printed. Fails the test with its errors when it fails.
pub(super) fn run(mut command: Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{errors}", output.status);
    String::from_utf8_lossy(&output.stdout).into_owned()
}
