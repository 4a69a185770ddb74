//! One PostgreSQL server.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::engines::ports;
use crate::engines::programs;
use crate::engines::server::{self, Launch, Server};
use crate::engines::user::User;

const ROLE: &str = "souk";
const SETTINGS: [&str; 7] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    "shared_buffers=64MB",
    "max_wal_size=1GB",
    "timezone=UTC",
    "log_timezone=UTC",
];

pub(super) struct Node {
    server: Server,
    port: u16,
}

impl Node {
    /// An empty cluster, not yet started.
    pub(super) fn primary(settings: &[&str]) -> Self {
        let folder = server::folder("postgres");
        initialise(folder.path());
        Self::new(folder, settings)
    }

    /// A server with nothing in it, to follow another.
    pub(super) fn empty(settings: &[&str]) -> Self {
        Self::new(server::folder("postgres-replica"), settings)
    }

    /// Starts the stopped server as a replica of the running `primary`, with a fresh copy of its data.
    pub(super) fn follow(&self, primary: &Self) {
        let folder = self.server.folder();
        let _ = std::fs::remove_dir_all(folder.join("data"));
        primary.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots");
        let mut copy = as_user("pg_basebackup", folder);
        copy.args(["--write-recovery-conf", "--create-slot", "--slot=replica", "--wal-method=stream"]);
        copy.args(["--checkpoint=fast", "--no-sync", "--pgdata=data", "--dbname"])
            .arg(primary.url("postgres"));
        server::run(copy);
        self.start();
    }

    fn new(folder: TempDir, settings: &[&str]) -> Self {
        let port = ports::free();
        let program = programs::find_postgres("postgres").display().to_string();
        let mut command = vec![program, "-D".to_owned(), "data".to_owned(), format!("--port={port}")];
        command.extend(SETTINGS.iter().chain(settings).map(|setting| format!("--{setting}")));
        let launch = Launch {
            command,
            user: User::unprivileged(),
            orderly: "INT",
            at_once: "QUIT",
            leftovers: Vec::new(),
        };
        Self { server: Server::new(folder, launch), port }
    }

    pub(super) fn start(&self) {
        // The server says in this file's last line when it takes connections; `pg_ctl` waits for the same.
        let status = self.server.folder().join("data/postmaster.pid");
        let ready = || std::fs::read_to_string(&status).is_ok_and(|text| text.trim_end().ends_with("ready"));
        self.server.start(ready);
    }

    pub(super) fn stop(&self) {
        self.server.stop();
    }

    pub(super) fn kill(&self) {
        self.server.kill();
    }

    pub(super) fn url(&self, database: &str) -> String {
        format!("postgres://{ROLE}:{ROLE}@127.0.0.1:{}/{database}", self.port)
    }

    pub(super) fn execute(&self, sql: &str) {
        self.query(sql);
    }

    /// Runs one statement and returns its first row, columns separated by `|`.
    pub(super) fn query(&self, sql: &str) -> String {
        let mut psql = Command::new(programs::find_postgres("psql"));
        psql.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]);
        psql.args(["--dbname", &self.url("postgres"), "--command", sql]);
        server::run(psql).trim().to_owned()
    }
}

/// Fills `folder/data` with an empty cluster. Making one takes seconds, so the first is kept beside the
/// engines' programs and copied from then on.
fn initialise(folder: &Path) {
    let template = template();
    if let Some(template) = template.as_ref().filter(|template| template.is_dir()) {
        return copy(template, &folder.join("data"));
    }
    let password = folder.join("password");
    std::fs::write(&password, ROLE).unwrap();
    let mut initdb = as_user("initdb", folder);
    initdb.args(["--pgdata=data", "--auth=scram-sha-256", "--pwfile=password", "--username", ROLE]);
    initdb.args(["--encoding=UTF8", "--locale=C.UTF-8", "--wal-segsize=1", "--no-sync", "--no-instructions"]);
    server::run(initdb);
    if let Some(template) = template {
        let unfinished = template.with_extension(std::process::id().to_string());
        copy(&folder.join("data"), &unfinished);
        // Another test process may have been faster, and its template is as good as ours.
        if std::fs::rename(&unfinished, &template).is_err() {
            std::fs::remove_dir_all(&unfinished).unwrap();
        }
    }
}

/// Where the empty cluster is kept: one for each version and each user that tests run as.
fn template() -> Option<PathBuf> {
    let mut version = Command::new(programs::find_postgres("postgres"));
    version.arg("--version");
    let version: String = server::run(version).chars().filter(char::is_ascii_digit).collect();
    let user = std::fs::metadata("/proc/self").ok()?.uid();
    Some(programs::engines()?.join(format!("postgres-{version}-{user}")))
}

fn copy(from: &Path, to: &Path) {
    let mut copy = Command::new("cp");
    copy.args(["--archive", "--reflink=auto", "--no-target-directory"]).arg(from).arg(to);
    server::run(copy);
}

/// One of PostgreSQL's programs, to be run in `folder` as the user that the server will run as.
fn as_user(program: &str, folder: &Path) -> Command {
    let user = User::unprivileged();
    User::own(user, folder);
    let mut command = User::command(user, &programs::find_postgres(program));
    command.current_dir(folder);
    command
}
