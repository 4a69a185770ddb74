//! What only a server can do: be away, be an impostor, refuse us, refuse the recipient, fall silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mail::{MailError, Mailer, SmtpConfig};
use testkit::engines::{Encryption, Smtp, SmtpOptions};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::conformance::{clock, message, sender, smtp_config};

async fn refusal(config: &SmtpConfig) -> MailError {
    Mailer::smtp(config, sender(), clock()).unwrap().send(&message("evt_1")).await.unwrap_err()
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_refused() {
    let server = Smtp::start().await;
    let impostor = Smtp::start().await;
    let strange = SmtpConfig { ca_file: Some(impostor.ca_file()), ..smtp_config(&server) };
    let unknown = SmtpConfig { ca_file: None, ..smtp_config(&server) };
    for config in [strange, unknown] {
        let error = refusal(&config).await;
        assert!(matches!(error, MailError::Untrusted(_)) && !error.is_permanent(), "{error:?}");
    }
    assert_eq!(server.messages(), []);
}

#[tokio::test]
async fn a_server_without_tls_gets_nothing() {
    let server = Smtp::start_with(SmtpOptions { encryption: Encryption::None, credentials: None }).await;
    assert!(!refusal(&smtp_config(&server)).await.is_permanent());
    assert_eq!(server.messages(), []);
    let elsewhere = SmtpConfig { encryption: mail::Encryption::None, ..SmtpConfig::new("smtp.example.com") };
    let error = Mailer::smtp(&elsewhere, sender(), clock()).unwrap_err();
    assert!(error.to_string().contains("mail.smtp.encryption"), "{error}");
}

#[tokio::test]
async fn wrong_credentials_are_not_the_recipients_fault() {
    let credentials = Some(("souk".to_owned(), "hunter2".to_owned()));
    let server = Smtp::start_with(SmtpOptions { credentials, ..SmtpOptions::default() }).await;
    let mut config = smtp_config(&server);
    config.username = Some("souk".into());
    config.password = Some("wrong".to_owned().into());
    let error = refusal(&config).await;
    assert!(matches!(error, MailError::Credentials { code: 535, .. }) && !error.is_permanent(), "{error:?}");
    assert!(!format!("{config:?}{error:?}").contains("wrong"));
}

#[tokio::test]
async fn a_server_that_is_away_is_a_temporary_failure_and_its_return_is_noticed() {
    let server = Smtp::start().await;
    let mailer = Mailer::smtp(&smtp_config(&server), sender(), clock()).unwrap();
    mailer.send(&message("evt_1")).await.unwrap();
    server.stop().await;
    let error = mailer.send(&message("evt_2")).await.unwrap_err();
    assert!(matches!(error, MailError::Unavailable(_)) && !error.is_permanent(), "{error:?}");
    server.start_again().await;
    mailer.send(&message("evt_2")).await.unwrap();
    assert_eq!(server.received(2).await.len(), 2);
}

/// A server that speaks as `reply` says, one line for each that it hears; and how often it was called.
async fn scripted(reply: fn(&str) -> Option<&'static str>) -> (SmtpConfig, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let calls = Arc::clone(&connections);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            calls.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let (reader, mut writer) = stream.into_split();
                let mut lines = BufReader::new(reader).lines();
                writer.write_all(b"220 ready\r\n").await.unwrap();
                while let Ok(Some(line)) = lines.next_line().await {
                    if let Some(reply) = reply(&line) {
                        let _ = writer.write_all(reply.as_bytes()).await;
                    }
                }
            });
        }
    });
    let encryption = mail::Encryption::None;
    let config = SmtpConfig { port: Some(port), encryption, timeout_ms: 300, ..SmtpConfig::new("127.0.0.1") };
    (config, connections)
}

#[tokio::test]
async fn a_recipient_refused_for_good_and_one_refused_for_now_are_told_apart() {
    let gone = scripted(|line| {
        Some(if line.starts_with("RCPT") { "550 5.1.1 no such mailbox\r\n" } else { "250 ok\r\n" })
    });
    let error = refusal(&gone.await.0).await;
    assert!(matches!(error, MailError::Refused { code: 550, .. }) && error.is_permanent(), "{error:?}");
    let busy = scripted(|line| {
        Some(if line.starts_with("RCPT") { "451 4.2.1 greylisted\r\n" } else { "250 ok\r\n" })
    });
    let error = refusal(&busy.await.0).await;
    assert!(matches!(error, MailError::Deferred { code: 451, .. }) && !error.is_permanent(), "{error:?}");
    assert!(!error.is_away(), "others may well be taken");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up_on_in_time_and_its_connection_with_it() {
    // It never answers the end of the mail.
    let (config, connections) = scripted(|line| match line {
        line if line.starts_with("EHLO") || line.starts_with("MAIL") || line.starts_with("RCPT") => {
            Some("250 ok\r\n")
        }
        "DATA" => Some("354 go on\r\n"),
        "NOOP" | "QUIT" => Some("250 ok\r\n"),
        _ => None,
    })
    .await;
    let mailer = Mailer::smtp(&config, sender(), clock()).unwrap();
    for _ in 0..3 {
        let begun = Instant::now();
        let error = mailer.send(&message("evt_1")).await.unwrap_err();
        assert!(
            matches!(error, MailError::Timeout { timeout_ms: 300 }) && !error.is_permanent(),
            "{error:?}"
        );
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 3, "a connection was used again in the middle of a mail");
}
