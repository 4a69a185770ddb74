//! S3, by SeaweedFS.

use std::sync::Arc;

use super::server::{self, Launch, Server};
use super::{blocking, ports, programs};

const ACCESS_KEY_ID: &str = "souk-tests";
const SECRET_ACCESS_KEY: &str = "not-a-secret-4a1b7c";
const REGION: &str = "us-east-1";

/// An S3 server that checks signatures, and knows versions and conditional writes.
pub struct S3 {
    server: Arc<Server>,
    ports: Ports,
}

#[derive(Clone, Copy)]
struct Ports {
    s3: u16,
    filer: u16,
}

impl S3 {
    /// Starts a server without buckets. It takes about three seconds: prefer [`S3::shared`].
    pub async fn start() -> Self {
        let s3 = blocking(|| {
            let folder = server::folder("s3");
            std::fs::write(folder.path().join("s3.json"), identities()).unwrap();
            let ports = Ports { s3: ports::free(), filer: ports::free() };
            Self { server: Arc::new(Server::new(folder, launch(ports))), ports }
        })
        .await;
        s3.start_again().await;
        s3
    }

    /// The test process's own server, started by whoever asks first. Use a bucket of your own.
    pub async fn shared() -> &'static Self {
        static SHARED: tokio::sync::OnceCell<S3> = tokio::sync::OnceCell::const_new();
        SHARED.get_or_init(Self::start).await
    }

    /// Where clients connect, with the bucket in the path: `http://127.0.0.1:port`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports.s3)
    }

    /// The region that requests are signed for.
    pub fn region(&self) -> &'static str {
        REGION
    }

    /// The only access key.
    pub fn access_key_id(&self) -> &'static str {
        ACCESS_KEY_ID
    }

    /// The secret of the access key.
    pub fn secret_access_key(&self) -> &'static str {
        SECRET_ACCESS_KEY
    }

    /// Makes an empty bucket.
    pub async fn create_bucket(&self, name: &str) {
        // A bucket is a folder of the file server under S3, which needs no signature.
        let request = format!(
            "POST /buckets/{name}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        );
        let port = self.ports.filer;
        let answer = blocking(move || server::ask(port, request.as_bytes())).await.unwrap_or_default();
        assert!(answer.starts_with("HTTP/1.1 201"), "the bucket was not made: {answer}");
    }

    /// Ends the server. Its objects stay.
    pub async fn stop(&self) {
        let server = Arc::clone(&self.server);
        blocking(move || server.stop()).await;
    }

    /// Starts the stopped server again, at the same address with the same objects.
    pub async fn start_again(&self) {
        let (server, port) = (Arc::clone(&self.server), self.ports.s3);
        blocking(move || server.start(|| refuses(port))).await;
    }

    /// Stops the server and starts it again.
    pub async fn restart(&self) {
        self.stop().await;
        self.start_again().await;
    }
}

/// A server that is ready refuses a request without signature; before, it fails or nobody answers.
fn refuses(port: u16) -> bool {
    let request = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    server::ask(port, request).is_some_and(|answer| answer.starts_with("HTTP/1.1 403"))
}

fn identities() -> String {
    format!(
        r#"{{"identities": [{{"name": "tests", "actions": ["Admin", "Read", "List", "Tagging", "Write"],
            "credentials": [{{"accessKey": "{ACCESS_KEY_ID}", "secretKey": "{SECRET_ACCESS_KEY}"}}]}}]}}"#
    )
}

fn launch(Ports { s3, filer }: Ports) -> Launch {
    let program = programs::find("weed").display().to_string();
    let grpc: Vec<u16> = std::iter::repeat_with(ports::free).take(4).collect();
    let (master, volume) = (ports::free(), ports::free());
    let mut command = vec![program, "server".to_owned(), "-s3".to_owned()];
    command.extend(
        [
            "ip=127.0.0.1",
            "ip.bind=127.0.0.1",
            "dir=.",
            "s3.config=s3.json",
            "s3.iam=false",
            "s3.port.iceberg=0",
            "s3.port.lance=0",
            "master.electionTimeout=500ms",
            "master.telemetry=false",
            "master.volumeSizeLimitMB=64",
            "volume.max=200",
            "volume.minFreeSpace=0",
        ]
        .map(|option| format!("-{option}")),
    );
    for (name, http, grpc) in [
        ("master", master, grpc[0]),
        ("volume", volume, grpc[1]),
        ("filer", filer, grpc[2]),
        ("s3", s3, grpc[3]),
    ] {
        command.push(format!("-{name}.port={http}"));
        command.push(format!("-{name}.port.grpc={grpc}"));
    }
    command.extend(["filer", "s3"].map(|name| format!("-{name}.localSocket={name}.sock")));
    let socket = |(name, port)| format!("/tmp/seaweedfs-{name}-grpc-{port}.sock");
    // It takes ten seconds and more to stop in good order, and loses nothing that it confirmed when killed.
    Launch {
        command,
        user: None,
        orderly: "KILL",
        at_once: "KILL",
        leftovers: ["master", "volume", "filer", "s3"].into_iter().zip(grpc).map(socket).collect(),
    }
}
