//! TLS, HTTP/2, slow clients, and the end.

use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use gateway::{Server, ServerConfig, TlsConfig};
use testkit::certificates::Authority;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::door::{Door, client};

fn tls(folder: &Path) -> ServerConfig {
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    ServerConfig { tls: Some(TlsConfig { certificate, key, reload_ms: 100 }), ..ServerConfig::default() }
}

/// Issues a certificate under `authority` into `folder`.
fn issue(authority: &Authority, folder: &Path) {
    let certificate = authority.issue(&["localhost", "127.0.0.1"]);
    std::fs::write(folder.join("key.pem"), &certificate.private_key).unwrap();
    std::fs::write(folder.join("cert.pem"), &certificate.certificate).unwrap();
}

/// A client that trusts `authority` and nobody else.
fn trusting(authority: &Authority) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = reqwest::Certificate::from_pem(authority.certificate().as_bytes()).unwrap();
    reqwest::Client::builder().tls_certs_only([root]).pool_max_idle_per_host(0).build().unwrap()
}

fn hello() -> Router {
    Router::new().route("/", get(async || "hello"))
}

#[tokio::test]
async fn tls_speaks_http_2_and_takes_new_certificates_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Authority::new(), Authority::new());
    issue(&old, folder.path());
    let door = Door::serve(hello(), tls(folder.path())).await;
    let url = format!("https://localhost:{}/", door.address.port());
    let answer = trusting(&old).get(&url).send().await.unwrap();
    assert_eq!(answer.version(), reqwest::Version::HTTP_2);
    assert!(trusting(&new).get(&url).send().await.is_err());

    // A pair that does not fit is not served.
    std::fs::write(folder.path().join("key.pem"), "nonsense").unwrap();
    for _ in 0..5 {
        assert!(trusting(&old).get(&url).send().await.is_ok());
    }
    issue(&new, folder.path());
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while trusting(&new).get(&url).send().await.is_err() {
        assert!(tokio::time::Instant::now() < deadline, "the new certificate was never served");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(trusting(&old).get(&url).send().await.is_err());
}

#[tokio::test]
async fn what_is_older_than_tls_1_2_and_files_that_are_missing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = Server::bind("127.0.0.1:0", &tls(folder.path())).await.err().unwrap();
    assert!(error.to_string().contains("cert.pem"), "{error}");

    issue(&Authority::new(), folder.path());
    let door = Door::serve(hello(), tls(folder.path())).await;
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    // A TLS 1.1 ClientHello: the record and the handshake both say 3.2.
    let hello: &[u8] = &[
        0x16, 0x03, 0x02, 0x00, 0x2d, 0x01, 0x00, 0x00, 0x29, 0x03, 0x02, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
        11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 0, 0, 2, 0x00,
        0x2f, 1, 0,
    ];
    stream.write_all(hello).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer.first(), Some(&0x15), "an alert and nothing else: {answer:?}");
}

#[tokio::test]
async fn a_client_that_does_not_get_on_with_its_header_is_let_go() {
    let config = ServerConfig { header_timeout_ms: 200, ..ServerConfig::default() };
    let door = Door::serve(hello(), config).await;
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow:").await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn a_request_with_two_lengths_is_refused() {
    let door = Door::serve(hello(), ServerConfig::default()).await;
    let mut stream = TcpStream::connect(door.address).await.unwrap();
    let smuggled = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\nabc";
    stream.write_all(smuggled.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_their_turn() {
    let config = ServerConfig { max_connections: 1, ..ServerConfig::default() };
    let door = Door::serve(hello(), config).await;
    let holding = TcpStream::connect(door.address).await.unwrap();
    // The held connection is the one place; it is taken once it is answered on.
    let mut held = holding;
    held.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    held.read_u8().await.unwrap();
    let waiting = client().get(door.url("/")).timeout(Duration::from_millis(300)).send().await;
    assert!(waiting.is_err_and(|error| error.is_timeout()));
    drop(held);
    assert_eq!(client().get(door.url("/")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_end_lets_requests_finish() {
    static BEGUN: Notify = Notify::const_new();
    static FINISH: Notify = Notify::const_new();
    let slow = async || {
        BEGUN.notify_one();
        FINISH.notified().await;
        "done"
    };
    let door = Door::serve(Router::new().route("/", get(slow)), ServerConfig::default()).await;
    let request = tokio::spawn(client().get(door.url("/")).send());
    BEGUN.notified().await;
    let address = door.address;
    door.end();
    let closing = tokio::spawn(door.close());
    // No new connection is taken while the old one is being worked on.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(address).await.is_ok() {
        assert!(tokio::time::Instant::now() < deadline, "connections are still taken");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    FINISH.notify_one();
    assert_eq!(request.await.unwrap().unwrap().text().await.unwrap(), "done");
    closing.await.unwrap();
}
