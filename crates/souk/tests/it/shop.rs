//! Shops to test: the real binary, on the embedded stack, on the full stack, and as a fleet.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use database::{Database, DatabaseConfig};
use kernel::{Clock, Rng};
use tempfile::TempDir;
use testkit::engines::{Nats, Postgres, PostgresOptions, Redis, Replica, S3, Smtp, ports};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

use crate::api::Api;
use crate::mailbox::Mailbox;

pub const BINARY: &str = env!("CARGO_BIN_EXE_souk");
const SERVICES: [&str; 8] =
    ["identity", "customers", "catalog", "payments", "orders", "analytics", "sync", "feedback"];

/// The write key that analytics takes events with.
pub const WRITE_KEY: &str = "test-write-key-0001";

/// Who looks after the shop under test.
pub const STAFF: (&str, &str) = ("staff@example.com", "correct horse battery staple");

/// A shop that runs, with a small catalogue and one administrator.
pub struct Shop {
    pub api: Api,
    pub mailbox: Mailbox,
    config: PathBuf,
    folder: TempDir,
    processes: Vec<Process>,
    engines: Option<Engines>,
}

/// One process of the binary; ended when dropped.
struct Process {
    arguments: Vec<String>,
    child: Child,
    ops: String,
    log: PathBuf,
}

/// The engines of the full stack.
pub struct Engines {
    pub postgres: Postgres,
    pub nats: Nats,
    pub redis: Redis,
    pub smtp: Arc<Smtp>,
    /// The shop's own; else the one that all tests share.
    own_s3: Option<S3>,
    bucket: String,
}

impl Engines {
    async fn start() -> Self {
        let (postgres, nats, redis, smtp) =
            tokio::join!(Postgres::start_with_replica(), Nats::start(), Redis::start(), Smtp::start());
        Self::with(postgres, nats, redis, smtp, None).await
    }

    /// All of the shop's own, and nothing acknowledged that only one PostgreSQL server has.
    async fn that_may_fail() -> Self {
        let options = PostgresOptions { replica: Replica::Synchronous, ..PostgresOptions::default() };
        let (postgres, nats, redis, smtp, s3) = tokio::join!(
            Postgres::start_with(options),
            Nats::start(),
            Redis::start(),
            Smtp::start(),
            S3::start()
        );
        Self::with(postgres, nats, redis, smtp, Some(s3)).await
    }

    async fn with(postgres: Postgres, nats: Nats, redis: Redis, smtp: Smtp, own_s3: Option<S3>) -> Self {
        static BUCKETS: AtomicU32 = AtomicU32::new(0);
        let bucket = format!("souk-{}", BUCKETS.fetch_add(1, Ordering::Relaxed));
        let engines = Self { postgres, nats, redis, smtp: Arc::new(smtp), own_s3, bucket };
        engines.s3().await.create_bucket(&engines.bucket).await;
        engines
    }

    pub async fn s3(&self) -> &S3 {
        match &self.own_s3 {
            Some(s3) => s3,
            None => S3::shared().await,
        }
    }

    async fn config(&self) -> String {
        let s3 = self.s3().await;
        let url = self.postgres.create_database("souk").await;
        format!(
            "[database.postgres]\nurl = {both:?}\nreplica_url = {replica:?}\npool = 6\nreplica_pool = 4\n\
             [bus]\nengine = 'nats'\nnats = {{ url = {nats:?} }}\n\
             [cache]\nengine = 'redis'\nurl = {redis:?}\n\
             [objects]\nengine = 's3'\nendpoint = {endpoint:?}\nbucket = {bucket:?}\nregion = {region:?}\n\
             access_key_id = {key:?}\nsecret_access_key = {secret:?}\nallow_http = true\n\
             [mail.smtp]\nhost = 'localhost'\nport = {port}\nca_file = {ca:?}\n",
            both = self.postgres.on_both(&url),
            replica = self.postgres.on_replica(&url),
            nats = self.nats.url(),
            redis = self.redis.url(),
            endpoint = s3.endpoint(),
            bucket = self.bucket,
            region = s3.region(),
            key = s3.access_key_id(),
            secret = s3.secret_access_key(),
            port = self.smtp.port(),
            ca = self.smtp.ca_file(),
        )
    }
}

impl Shop {
    /// One process with nothing but a folder.
    pub async fn embedded() -> Self {
        Self::embedded_with("").await
    }

    /// The same with these sections in its configuration.
    pub async fn embedded_with(sections: &str) -> Self {
        Self::start(None, false, sections).await
    }

    /// One process on PostgreSQL with a replica, NATS, Redis, S3 and a mail server.
    pub async fn full() -> Self {
        Self::start(Some(Engines::start().await), false, "").await
    }

    /// The same on engines of its own, each of which may be stopped; see [`Self::engines`].
    pub async fn on_engines_that_may_fail() -> Self {
        Self::start(Some(Engines::that_may_fail().await), false, "").await
    }

    /// A process for each service and one for the gateway, on the engines of the full stack.
    pub async fn fleet() -> Self {
        Self::start(Some(Engines::start().await), true, "").await
    }

    async fn start(engines: Option<Engines>, fleet: bool, sections: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listen = address();
        let mut config =
            format!("data = {data:?}\npublic_url = 'http://{listen}'\n", data = folder.path().join("data"));
        let addresses: Vec<(&str, String)> = SERVICES.map(|service| (service, address())).into();
        let mut engines_config = String::new();
        if let Some(engines) = &engines {
            engines_config = engines.config().await;
        }
        let mut remotes = String::from("[remotes]\n");
        for (service, address) in &addresses {
            writeln!(remotes, "{service} = 'http://{address}'").unwrap();
        }
        config.push_str(&remotes);
        // Tests ask for more in a minute than people do.
        config.push_str(
            "[server]\ntrusted_proxies = ['127.0.0.1']\n\
             [gateway]\nrequests = { quota = 100000, window_seconds = 60 }\n\
             authentication = { quota = 100000, window_seconds = 60 }\n\
             [payments.sandbox]\ntimeout_ms = 1000\nlate_webhook_ms = 1000\nwebhook_tries = 3\n",
        );
        writeln!(config, "[[analytics.sources]]\nname = 'web'\nwrite_key = '{WRITE_KEY}'").unwrap();
        config.push_str(&engines_config);
        config.push_str(sections);
        let path = folder.path().join("souk.toml");
        std::fs::write(&path, config).unwrap();

        let mailbox = match &engines {
            None => Mailbox::folder(folder.path().join("data/mail")),
            Some(engines) => Mailbox::server(Arc::clone(&engines.smtp)),
        };
        let mut shop = Self {
            api: Api::new(format!("http://{listen}")),
            mailbox,
            config: path,
            folder,
            processes: Vec::new(),
            engines,
        };
        shop.fill().await;
        if fleet {
            for (service, address) in &addresses {
                shop.spawn(service, address);
            }
            shop.spawn("gateway", &listen);
        } else {
            shop.spawn("", &listen);
        }
        shop.ready().await;
        shop.api.read_document().await;
        shop
    }

    /// Loads the catalogue and the administrator, as an operator would.
    async fn fill(&self) {
        let catalog = self.folder.path().join("catalog.json");
        std::fs::write(&catalog, crate::imports::CATALOG).unwrap();
        let output = self.command(&["import", "catalog", path(&catalog), "--json"], "").await;
        let summary: serde_json::Value = serde_json::from_str(&output).unwrap();
        assert_eq!(summary["refused"], 0, "{output}");
        self.command(&["staff", "add", STAFF.0, "--role", "administrator"], STAFF.1).await;
    }

    /// Runs a command of the binary with the shop's configuration; answers with what it printed.
    pub async fn command(&self, arguments: &[&str], input: &str) -> String {
        let (status, output, error) = self.try_command(arguments, input).await;
        assert_eq!(status, Some(0), "souk {arguments:?}: {output}{error}");
        output
    }

    /// The same for a command that may fail: exit status, output and errors.
    pub async fn try_command(&self, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
        let mut child = binary()
            .args(arguments)
            .args(["--config", path(&self.config)])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn spawn(&mut self, services: &str, listen: &str) {
        let ops = address();
        let name = if services.is_empty() { "shop" } else { services };
        let log = self.folder.path().join(format!("{name}.log"));
        let mut arguments: Vec<String> =
            ["serve", "--config", path(&self.config), "--listen", listen, "--ops-listen", &ops]
                .map(str::to_owned)
                .into();
        if !services.is_empty() {
            arguments.extend(["--services".to_owned(), services.to_owned()]);
        }
        let child = launch(&arguments, &log);
        self.processes.push(Process { arguments, child, ops, log });
    }

    /// Ends every process at once and without warning, as SIGKILL does.
    pub async fn kill(&mut self) {
        for process in &mut self.processes {
            process.child.start_kill().unwrap();
        }
        for process in &mut self.processes {
            process.child.wait().await.unwrap();
        }
    }

    /// Starts what [`Self::kill`] ended, on the same data and the same addresses. Does not wait.
    pub fn start_again(&mut self) {
        for process in &mut self.processes {
            process.child = launch(&process.arguments, &process.log);
        }
    }

    /// Waits until every process says that it is ready.
    pub async fn ready(&mut self) {
        for process in &mut self.processes {
            process.ready().await;
        }
    }

    /// The tables of a service, beside the shop. The shop may run meanwhile.
    pub async fn database(&self, service: &'static str) -> Database {
        let config: toml::Table = std::fs::read_to_string(&self.config).unwrap().parse().unwrap();
        let engine = match config.get("database") {
            Some(section) => section.clone().try_into().unwrap(),
            None => DatabaseConfig::default(),
        };
        let data = self.folder.path().join("data");
        Database::open(&engine, service, &data, Clock::system(), Rng::system()).await.unwrap()
    }

    /// The engines of the full stack, to be stopped and started.
    pub fn engines(&self) -> &Engines {
        self.engines.as_ref().expect("an embedded shop has no engines")
    }

    /// What the processes logged.
    pub fn logs(&self) -> String {
        self.processes
            .iter()
            .map(|process| std::fs::read_to_string(&process.log).unwrap_or_default())
            .collect()
    }

    /// Where the first process tells of its health.
    pub fn ops(&self) -> String {
        format!("http://{}", self.processes[0].ops)
    }

    /// The folder of the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Process {
    /// Waits until it says that it is ready.
    async fn ready(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let url = format!("http://{}/readyz", self.ops);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("it ended with {status}:\n{}", std::fs::read_to_string(&self.log).unwrap());
            }
            if reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
                return;
            }
            assert!(
                Instant::now() < deadline,
                "it was not ready in time:\n{}",
                std::fs::read_to_string(&self.log).unwrap()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// The binary. What proofs are told by the environment is not for it: it would take that for configuration.
fn binary() -> Command {
    let mut command = Command::new(BINARY);
    command.env_remove("SOUK_PROVE").env_remove("SOUK_PROVE_SEED");
    command
}

/// Starts a process of the binary that appends to `log`.
fn launch(arguments: &[String], log: &Path) -> Child {
    binary()
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::options().create(true).append(true).open(log).unwrap())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn address() -> String {
    format!("127.0.0.1:{}", ports::free())
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
