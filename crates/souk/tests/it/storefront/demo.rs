//! `souk demo`, as somebody starts it who wants to have a look, with a small part of the history.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testkit::engines::ports;
use tokio::process::{Child, Command};

use crate::api::Api;

/// A demo that runs; ended when dropped.
pub struct Demo {
    pub api: Api,
    pub url: String,
    _process: Child,
    _folder: TempDir,
}

/// Short streams, so that coming back to one is seen too. Tests ask for more in a minute than people do.
const CONFIG: &str = "[sync]\nstream_s = 10\n\
                      [gateway]\nrequests = { quota = 100000, window_seconds = 60 }\n\
                      authentication = { quota = 100000, window_seconds = 60 }\n";

impl Demo {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = || format!("127.0.0.1:{}", ports::free());
        let (listen, ops) = (address(), address());
        let (config, log) = (folder.path().join("souk.toml"), folder.path().join("demo.log"));
        std::fs::write(&config, CONFIG).unwrap();
        let mut process = Command::new(crate::shop::BINARY)
            .args(["demo", "--orders", "400", "--listen", &listen, "--ops-listen", &ops, "--config"])
            .arg(&config)
            .arg("--data")
            .arg(folder.path().join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let url = format!("http://{listen}");
        let mut api = Api::new(url.clone());
        let deadline = Instant::now() + Duration::from_secs(120);
        let ready = format!("http://{ops}/readyz");
        while !api.http().get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
            let logged = || std::fs::read_to_string(&log).unwrap();
            assert!(process.try_wait().unwrap().is_none(), "the demo ended:\n{}", logged());
            assert!(Instant::now() < deadline, "the demo was not ready in time:\n{}", logged());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        api.read_document().await;
        Self { api, url, _process: process, _folder: folder }
    }
}
