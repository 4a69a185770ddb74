//! The outside engine: a server reached over SMTP (RFC 5321) with TLS.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::transport::smtp::{AsyncSmtpTransportBuilder, Error, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use tokio::sync::Semaphore;

use crate::MailError;
use crate::config::{Encryption, SmtpConfig};

type Transport = AsyncSmtpTransport<Tokio1Executor>;

const STARTTLS_PORT: u16 = 587;
const IMPLICIT_PORT: u16 = 465;
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A pool of connections to one server.
pub(crate) struct Smtp {
    builder: AsyncSmtpTransportBuilder,
    transport: ArcSwap<Transport>,
    permits: Semaphore,
    timeout: Duration,
    /// How the last delivery ended.
    away: AtomicBool,
}

impl Smtp {
    pub(crate) fn new(config: &SmtpConfig) -> Result<Self, MailError> {
        let timeout = Duration::from_millis(config.timeout_ms);
        let connections = config.connections;
        if timeout.is_zero() || connections == 0 {
            let field = if connections == 0 { "smtp.connections" } else { "smtp.timeout_ms" };
            return Err(MailError::Config { field, reason: "must be more than zero", source: None });
        }
        let (default_port, tls) = match config.encryption {
            Encryption::Starttls => (STARTTLS_PORT, Tls::Required(tls_parameters(config)?)),
            Encryption::Implicit => (IMPLICIT_PORT, Tls::Wrapper(tls_parameters(config)?)),
            Encryption::None if is_loopback(&config.host) => (STARTTLS_PORT, Tls::None),
            Encryption::None => {
                let reason = "a server that is not on loopback needs TLS";
                return Err(MailError::Config { field: "smtp.encryption", reason, source: None });
            }
        };
        let mut builder = Transport::builder_dangerous(config.host.clone())
            .port(config.port.unwrap_or(default_port))
            .tls(tls)
            .timeout(Some(timeout))
            .pool_config(PoolConfig::new().max_size(connections.into()).idle_timeout(IDLE_TIMEOUT));
        match (&config.username, &config.password) {
            (Some(username), Some(password)) => {
                builder = builder.credentials(Credentials::new(username.clone(), password.expose().clone()));
            }
            (None, None) => {}
            _ => {
                let reason = "user name and password come together";
                return Err(MailError::Config { field: "smtp.password", reason, source: None });
            }
        }
        let transport = ArcSwap::from_pointee(builder.clone().build());
        Ok(Self {
            builder,
            transport,
            permits: Semaphore::new(connections.into()),
            timeout,
            away: AtomicBool::new(false),
        })
    }

    pub(crate) async fn deliver(
        &self,
        envelope: &lettre::address::Envelope,
        mail: &[u8],
    ) -> Result<(), MailError> {
        let late = |_| MailError::Timeout {
            timeout_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX),
        };
        let sent = tokio::time::timeout(self.timeout, self.send(envelope, mail)).await;
        let sent = sent.map_err(late).and_then(|sent| sent);
        self.away.store(sent.as_ref().is_err_and(MailError::is_away), Ordering::Relaxed);
        sent
    }

    pub(crate) fn is_away(&self) -> bool {
        self.away.load(Ordering::Relaxed)
    }

    async fn send(&self, envelope: &lettre::address::Envelope, mail: &[u8]) -> Result<(), MailError> {
        let _permit = self.permits.acquire().await.map_err(|error| MailError::Unavailable(error.into()))?;
        let transport = self.transport.load_full();
        let mut unfinished = Unfinished { smtp: self, finished: false };
        let result = transport.send_raw(envelope, mail).await;
        unfinished.finished = true;
        result.map(|_| ()).map_err(classify)
    }
}

/// A transmission that was cut short by a time-out leaves its connection in the middle of a
/// mail, and the pool would hand it out again: the next command would become part of that mail.
/// So the whole pool is replaced.
struct Unfinished<'a> {
    smtp: &'a Smtp,
    finished: bool,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let fresh = Arc::new(self.smtp.builder.clone().build());
        let old = self.smtp.transport.swap(fresh);
        tokio::spawn(async move { old.shutdown().await });
    }
}

fn tls_parameters(config: &SmtpConfig) -> Result<TlsParameters, MailError> {
    let unusable = |source: Box<dyn std::error::Error + Send + Sync>| MailError::Config {
        field: "smtp.ca_file",
        reason: "not a readable PEM file of certificates",
        source: Some(source),
    };
    let mut parameters = TlsParameters::builder(config.host.clone());
    if let Some(path) = &config.ca_file {
        let pem = std::fs::read(path).map_err(|error| unusable(error.into()))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| unusable(error.into()))?;
        parameters = parameters.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    parameters.build_rustls().map_err(|error| unusable(error.into()))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// The server is about to close the connection, whatever we send (RFC 5321, 3.8).
const CLOSING: u16 = 421;

/// Whose fault it is decides whether to try again. Only a reply about the recipient or the mail
/// ends it; a server that does not let us in, or wants TLS first, is the operator's to mend.
fn classify(error: Error) -> MailError {
    const CREDENTIALS: [u16; 4] = [530, 534, 535, 538];
    if let Some(code) = error.status().map(u16::from) {
        return match code {
            code if CREDENTIALS.contains(&code) => MailError::Credentials { code, source: error.into() },
            code if error.is_permanent() => MailError::Refused { code, source: error.into() },
            CLOSING => MailError::Unavailable(error.into()),
            code => MailError::Deferred { code, source: error.into() },
        };
    }
    if error.is_tls() || is_handshake_failure(&error) {
        return MailError::Untrusted(error.into());
    }
    MailError::Unavailable(error.into())
}

/// A failed handshake arrives as an I/O error of malformed data around the TLS library's own.
fn is_handshake_failure(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData) {
            return true;
        }
        source = error.source();
    }
    false
}
