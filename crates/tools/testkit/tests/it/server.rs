//! No server outlives its test.

use std::io::Read;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testkit::engines::Redis;

fn port(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}

fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[tokio::test]
async fn a_dropped_server_has_ended() {
    let server = Redis::start().await;
    let port = port(&server.url());
    assert!(listens(port));
    drop(server);
    assert!(!listens(port));
}

/// Set for the process that the last test kills.
const WAITS_TO_BE_KILLED: &str = "SOUK_TESTKIT_WAITS_TO_BE_KILLED";

/// The last test runs this one in another process, which it kills. Run by itself it only checks that a
/// server starts.
#[tokio::test]
async fn a_server_that_waits_to_be_killed() {
    let server = Redis::start().await;
    println!("port:{}", port(&server.url()));
    assert!(listens(port(&server.url())));
    if std::env::var_os(WAITS_TO_BE_KILLED).is_some() {
        // The other process never writes.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    }
}

#[test]
fn a_killed_test_leaves_no_server() {
    let mut test = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "server::a_server_that_waits_to_be_killed", "--nocapture"])
        .env(WAITS_TO_BE_KILLED, "yes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = test.stdout.take().unwrap();
    let mut said = String::new();
    let port: u16 = loop {
        let mut bytes = [0; 256];
        let length = output.read(&mut bytes).unwrap();
        said.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
        let line = said.split("port:").nth(1).and_then(|rest| rest.split_once('\n'));
        if let Some((port, _)) = line {
            break port.parse().unwrap();
        }
        assert!(length > 0, "the other process ended early:\n{said}");
    };
    assert!(listens(port));
    test.kill().unwrap();
    test.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while listens(port) {
        assert!(Instant::now() < deadline, "the server lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}
