//! SMTP, by aiosmtpd.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::server::{self, Launch, Server};
use super::{blocking, ports, programs};
use crate::certificates::Authority;

const RECEIVE: &str = include_str!("smtp.py");
const ARRIVES_WITHIN: Duration = Duration::from_secs(20);

/// How a connection becomes confidential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all; the server does not offer it.
    None,
    /// By the STARTTLS command, without which the server takes no mail.
    #[default]
    StartTls,
    /// From the first byte.
    Implicit,
}

/// How the server behaves.
#[derive(Clone, Debug, Default)]
pub struct SmtpOptions {
    /// How a connection becomes confidential.
    pub encryption: Encryption,
    /// The user and the password without which the server takes no mail.
    pub credentials: Option<(String, String)>,
}

/// A mail that the server took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedMail {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Headers and body, as they came.
    pub message: String,
}

/// A mail server that keeps what it takes.
pub struct Smtp {
    server: Arc<Server>,
    port: u16,
}

impl Smtp {
    /// Starts a server that demands STARTTLS and no credentials.
    pub async fn start() -> Self {
        Self::start_with(SmtpOptions::default()).await
    }

    /// Starts a server that behaves as `options` say.
    pub async fn start_with(options: SmtpOptions) -> Self {
        let smtp = blocking(move || {
            let port = ports::free();
            let folder = server::folder("smtp");
            prepare(folder.path());
            Self { server: Arc::new(Server::new(folder, launch(port, &options))), port }
        })
        .await;
        smtp.start_again().await;
        smtp
    }

    /// The port of 127.0.0.1 it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate, in PEM, of the authority that issued the server's certificate for `127.0.0.1` and
    /// `localhost`.
    pub fn ca_file(&self) -> PathBuf {
        self.server.folder().join("ca.pem")
    }

    /// The mails it took, oldest first.
    pub fn messages(&self) -> Vec<ReceivedMail> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.server.folder().join("mail"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|file| file.extension().is_some_and(|extension| extension == "mail"))
            .collect();
        files.sort();
        files.iter().map(|file| read(file)).collect()
    }

    /// Waits until the server took `count` mails and returns them, oldest first.
    pub async fn received(&self, count: usize) -> Vec<ReceivedMail> {
        let deadline = Instant::now() + ARRIVES_WITHIN;
        loop {
            let messages = self.messages();
            if messages.len() >= count {
                return messages;
            }
            assert!(Instant::now() < deadline, "{count} mails expected, {} came", messages.len());
            blocking(|| std::thread::sleep(Duration::from_millis(10))).await;
        }
    }

    /// Stops the server. Its mails stay.
    pub async fn stop(&self) {
        let server = Arc::clone(&self.server);
        blocking(move || server.stop()).await;
    }

    /// Starts the stopped server again, at the same address with the same mails.
    pub async fn start_again(&self) {
        let (server, port) = (Arc::clone(&self.server), self.port);
        // With implicit encryption the greeting needs a handshake, so an open connection has to do.
        blocking(move || server.start(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok())).await;
    }

    /// Stops the server and starts it again.
    pub async fn restart(&self) {
        self.stop().await;
        self.start_again().await;
    }
}

/// The receiving script writes the sender and the recipients, a line each, an empty line, and the message.
fn read(file: &Path) -> ReceivedMail {
    let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
    let (envelope, message) = text.split_once("\n\n").unwrap();
    let mut lines = envelope.lines().map(str::to_owned);
    ReceivedMail { from: lines.next().unwrap(), to: lines.collect(), message: message.to_owned() }
}

fn prepare(folder: &Path) {
    let authority = Authority::new();
    let certificate = authority.issue(&["127.0.0.1", "localhost"]);
    std::fs::create_dir(folder.join("mail")).unwrap();
    std::fs::write(folder.join("receive.py"), RECEIVE).unwrap();
    std::fs::write(folder.join("ca.pem"), authority.certificate()).unwrap();
    std::fs::write(folder.join("certificate.pem"), certificate.certificate).unwrap();
    std::fs::write(folder.join("key.pem"), certificate.private_key).unwrap();
}

fn launch(port: u16, options: &SmtpOptions) -> Launch {
    let encryption = match options.encryption {
        Encryption::None => "none",
        Encryption::StartTls => "starttls",
        Encryption::Implicit => "implicit",
    };
    // `aiosmtpd` is the venv's own script; the interpreter that has the library stands beside it.
    let python = programs::find("aiosmtpd").with_file_name("python3").display().to_string();
    let mut command = vec![python, "receive.py".to_owned(), port.to_string(), encryption.to_owned()];
    if let Some((user, password)) = &options.credentials {
        command.extend([user.clone(), password.clone()]);
    }
    Launch { command, user: None, orderly: "KILL", at_once: "KILL", leftovers: Vec::new() }
}
