//! The same bytes written to as many connections, by something that does nothing else.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, Result};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::mpsc::{Receiver, channel};

use crate::load::Spread;
use crate::rows::listeners::wait;
use crate::wire::Connection;

/// Microseconds until the last of `listeners` has read a message of `length` bytes; the median of `rounds`.
pub(crate) async fn time(listeners: usize, length: usize, rounds: usize) -> Result<f64> {
    let (messages, receiver) = channel(1);
    let address = start(listeners, receiver)?;
    let mut connections = Vec::with_capacity(listeners);
    for _ in 0..listeners {
        connections.push(Connection::open_small(address).await?);
    }
    let mut times = Vec::with_capacity(rounds);
    for round in 0..rounds {
        let mark = format!("<{round:06}>");
        let message = format!("{:.<length$}{mark}", "", length = length.saturating_sub(mark.len()));
        let waiting = wait(connections, mark);
        let begun = Instant::now();
        let (told, sent) = tokio::join!(waiting, messages.send(message));
        sent.context("the bare sender ended")?;
        let told = told?;
        let last = told.iter().map(|(_, at, _)| at.saturating_duration_since(begun)).max();
        times.push(last.unwrap_or_default().as_secs_f64() * 1e6);
        connections = told.into_iter().map(|(connection, ..)| connection).collect();
    }
    Ok(Spread::of(times).median)
}

/// Starts the sender, on a thread of its own; it ends when nobody has messages for it any more.
fn start(listeners: usize, mut messages: Receiver<String>) -> Result<SocketAddr> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || -> std::io::Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            // Whoever asked for it waits for the address.
            let _ = sender.send(listener.local_addr()?);
            let mut streams = Vec::with_capacity(listeners);
            for _ in 0..listeners {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                streams.push(stream);
            }
            while let Some(message) = messages.recv().await {
                for stream in &streams {
                    stream.writable().await?;
                    stream.try_write(message.as_bytes())?;
                }
            }
            Ok(())
        })
    });
    receiver.recv().context("the bare sender did not start")
}
