//! Free ports.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the range from which the kernel takes the ports of outgoing connections, so that nobody takes a
/// server's port while it restarts.
const FIRST: u32 = 10_000;
const COUNT: u32 = 22_000;
/// Test processes run at the same time; each begins its search this far from its neighbour.
const PER_PROCESS: u32 = 97;

/// A port of 127.0.0.1 on which nobody listens. No two calls in one process return the same one until all
/// were given out.
pub fn free() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(PER_PROCESS);
    for _ in 0..COUNT {
        let offset = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = u16::try_from(FIRST + offset).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port of 127.0.0.1 between {FIRST} and {} is free", FIRST + COUNT);
}
