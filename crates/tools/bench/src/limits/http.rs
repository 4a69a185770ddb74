//! A responder that does nothing but send the bytes that the server would have sent.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime;

use crate::load::{Client, Plan, Spread, alone};
use crate::process::Server;
use crate::table::Limit;
use crate::wire::Connection;

/// The answers of such a responder, on a thread of its own, to `request`: the same requests, answers,
/// clients and cores, and nothing in between.
pub(crate) async fn limit(server: &Server, request: &[u8], clients: usize, plan: Plan) -> Result<Limit> {
    let mut connection = Connection::open(server.address).await?;
    let answer = connection.send(request).await?.require(200)?.whole.to_vec();
    let address = respond(answer)?;
    let mut asking = Vec::with_capacity(clients);
    for _ in 0..clients {
        asking.push(Asking { connection: Connection::open(address).await?, request: request.to_vec() });
    }
    let mut rates = Vec::with_capacity(plan.runs);
    for _ in 0..plan.runs {
        let rate;
        (asking, rate) = alone(asking, plan.run).await?;
        rates.push(rate);
    }
    Ok(Limit { rate: Spread::of(rates).median, cpu: None })
}

struct Asking {
    connection: Connection,
    request: Vec<u8>,
}

impl Client for Asking {
    async fn operate(&mut self) -> Result<u64> {
        self.connection.send(&self.request).await?.require(200)?;
        Ok(1)
    }
}

/// Starts the responder; it ends with this program.
fn respond(answer: Vec<u8>) -> Result<SocketAddr> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || -> std::io::Result<()> {
        let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            // Whoever asked for it waits for the address.
            let _ = sender.send(listener.local_addr()?);
            let answer: &'static [u8] = answer.leak();
            loop {
                let (stream, _) = listener.accept().await?;
                tokio::spawn(serve(stream, answer));
            }
        })
    });
    receiver.recv().context("the bare responder did not start")
}

/// One read is one request: these are small, and a client waits for its answer before it asks again.
async fn serve(mut stream: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = vec![0; 8_192];
    while stream.read(&mut request).await? > 0 {
        stream.write_all(answer).await?;
    }
    Ok(())
}
