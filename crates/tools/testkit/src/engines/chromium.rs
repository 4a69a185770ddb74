//! Chromium, driven through chromedriver.

use std::path::Path;
use std::sync::Arc;

use super::server::{self, Launch, Server};
use super::{blocking, ports, programs};

/// A chromedriver. Each of its sessions is a Chromium with a profile of its own, which is gone afterwards.
pub struct Chromium {
    // Ends the driver, and the browsers that it started with it, when dropped.
    _server: Arc<Server>,
    port: u16,
    browser: String,
}

const DRIVE: &str = include_str!("chromium.sh");

/// Headless, and quiet on the network: whatever it asks for is what the page asked for.
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-search-engine-choice-screen",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
];

impl Chromium {
    /// Starts a chromedriver without a session.
    pub async fn start() -> Self {
        blocking(|| {
            let port = ports::free();
            let folder = server::folder("chromium");
            let launch = launch(port, folder.path());
            let server = Arc::new(Server::new(folder, launch));
            server.start(|| answers(port));
            Self { _server: server, port, browser: programs::find("chromium").display().to_string() }
        })
        .await
    }

    /// Where a WebDriver client connects: `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The capabilities of a session whose window is so large, as WebDriver has them. What the browser
    /// logs can be asked for at `se/log`.
    pub fn capabilities(&self, width: u32, height: u32) -> serde_json::Map<String, serde_json::Value> {
        let size = format!("--window-size={width},{height}");
        let flags: Vec<&str> = FLAGS.iter().copied().chain([size.as_str()]).collect();
        let capabilities = serde_json::json!({
            "browserName": "chrome",
            "goog:chromeOptions": { "binary": self.browser, "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        capabilities.as_object().cloned().unwrap()
    }
}

fn answers(port: u16) -> bool {
    server::ask(port, b"GET /status HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
        .is_some_and(|answer| answer.contains("\"ready\":true"))
}

fn launch(port: u16, folder: &Path) -> Launch {
    let program = programs::find("chromedriver").display().to_string();
    let folder = folder.display().to_string();
    let command = ["/bin/sh", "-c", DRIVE, "chromium", &folder, &program, &format!("--port={port}")];
    Launch {
        command: command.map(str::to_owned).into(),
        user: None,
        orderly: "TERM",
        at_once: "TERM",
        leftovers: Vec::new(),
    }
}
