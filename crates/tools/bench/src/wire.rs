//! HTTP/1.1 over one connection that stays open, with as little work as a client can do: the load
//! generator shares its cores with the server that it measures.

use std::net::SocketAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One connection. One request is under way at a time.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
    used_at: Instant,
}

/// A connection that was unused for longer is replaced, because the server closes it before long.
const IDLE: Duration = Duration::from_secs(4);

/// An answer, as it lies in the connection's buffer.
#[derive(Clone, Copy)]
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    /// Head and body, byte for byte.
    pub(crate) whole: &'a [u8],
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    /// # Errors
    /// When the status is another; the body says why.
    pub(crate) fn require(self, status: u16) -> Result<Self> {
        if self.status != status {
            bail!("{} instead of {status}: {}", self.status, String::from_utf8_lossy(self.body));
        }
        Ok(self)
    }

    /// # Errors
    /// When the body is not JSON.
    pub(crate) fn json(self) -> Result<serde_json::Value> {
        Ok(serde_json::from_slice(self.body)?)
    }

    /// Whether `wanted` stands anywhere in the body.
    pub(crate) fn holds(&self, wanted: &str) -> bool {
        self.body.windows(wanted.len()).any(|window| window == wanted.as_bytes())
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        Self::with_buffer(address, 8 * 1_024).await
    }

    /// For one of thousands, which are told little.
    pub(crate) async fn open_small(address: SocketAddr) -> Result<Self> {
        Self::with_buffer(address, 1_024).await
    }

    async fn with_buffer(address: SocketAddr, capacity: usize) -> Result<Self> {
        let stream = connect(address).await?;
        Ok(Self { address, stream, buffer: Vec::with_capacity(capacity), used_at: Instant::now() })
    }

    /// Sends one request and reads its answer whole.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        self.buffer.clear();
        if self.used_at.elapsed() > IDLE {
            self.stream = connect(self.address).await?;
        }
        self.stream.write_all(request).await?;
        let (status, body) = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(head) = find(&self.buffer, b"\r\n\r\n") {
                break parse(&self.buffer[..head], head + 4)?;
            }
        };
        while self.buffer.len() < body.end {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection within an answer");
            }
        }
        if self.buffer.len() != body.end {
            bail!("the server sent more than it announced");
        }
        self.used_at = Instant::now();
        Ok(Answer { status, whole: &self.buffer, body: &self.buffer[body] })
    }

    /// Sends a request whose answer does not end, and reads as far as the end of its head.
    pub(crate) async fn begin(&mut self, request: &[u8]) -> Result<u16> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server closed the connection");
            }
            if let Some(head) = find(&self.buffer, b"\r\n\r\n") {
                let status = status(&self.buffer[..head])?;
                self.buffer.drain(..head + 4);
                return Ok(status);
            }
        }
    }

    /// Reads on until `wanted` has come; forgets everything up to its end. Answers with how much that was.
    pub(crate) async fn read_past(&mut self, wanted: &[u8]) -> Result<usize> {
        loop {
            if let Some(at) = find(&self.buffer, wanted) {
                self.buffer.drain(..at + wanted.len());
                return Ok(at + wanted.len());
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                bail!("the server ended the stream");
            }
        }
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await.context("cannot connect to the server")?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Status and where the body lies.
fn parse(head: &[u8], begin: usize) -> Result<(u16, Range<usize>)> {
    let mut length = 0;
    for line in head.split(|byte| *byte == b'\n').skip(1) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"content-length") {
            length = std::str::from_utf8(value)?.parse().context("content-length")?;
        }
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            bail!("an answer in chunks is not read here");
        }
    }
    Ok((status(head)?, begin..begin + length))
}

fn status(head: &[u8]) -> Result<u16> {
    let digits = head.get(9..12).context("an answer without a status")?;
    Ok(std::str::from_utf8(digits)?.parse()?)
}

/// A request that is put together once and sent many times.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    /// The access token of who asks.
    pub(crate) bearer: Option<&'a str>,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: Option<&'a str>,
}

impl<'a> Request<'a> {
    pub(crate) fn get(path: &'a str) -> Self {
        Self { method: "GET", path, bearer: None, headers: &[], body: None }
    }

    pub(crate) fn post(path: &'a str, body: &'a str) -> Self {
        Self { method: "POST", path, bearer: None, headers: &[], body: Some(body) }
    }

    pub(crate) fn bearer(self, token: &'a str) -> Self {
        Self { bearer: Some(token), ..self }
    }

    /// The bytes on the wire.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nhost: shop.example\r\n", self.method, self.path);
        if let Some(token) = self.bearer {
            text += &format!("authorization: Bearer {token}\r\n");
        }
        for (name, value) in self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = self.body {
            text +=
                &format!("content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        } else {
            text += "\r\n";
        }
        text.into_bytes()
    }
}

/// A number of fixed width within a request, so that each sending differs where it must.
pub(crate) struct Numbered {
    bytes: Vec<u8>,
    slots: Vec<usize>,
}

/// What stands for the number in a request that is not numbered yet.
pub(crate) const NUMBER: &str = "################";

impl Numbered {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        let starts = 0..bytes.len().saturating_sub(NUMBER.len() - 1);
        let is_slot = |start: &usize| &bytes[*start..*start + NUMBER.len()] == NUMBER.as_bytes();
        let mut slots: Vec<usize> = starts.filter(is_slot).collect();
        slots.dedup_by(|next, kept| *next - *kept < NUMBER.len());
        Self { bytes, slots }
    }

    /// The request with numbers from `first` on, one for each place.
    pub(crate) fn with(&mut self, first: u64) -> &[u8] {
        for (slot, number) in self.slots.iter().zip(first..) {
            let mut rest = number;
            for digit in self.bytes[*slot..*slot + NUMBER.len()].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
        }
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_place_of_their_marks() {
        let body = format!("{{\"a\":\"{NUMBER}\",\"b\":\"{NUMBER}\"}}");
        let mut request = Numbered::new(Request::post("/v1/x", &body).bytes());
        let text = String::from_utf8(request.with(41).to_vec()).unwrap();
        assert!(text.ends_with("{\"a\":\"0000000000000041\",\"b\":\"0000000000000042\"}"), "{text}");
        assert!(request.with(7).ends_with(b"0000000000000008\"}"));
    }

    #[test]
    fn a_head_says_how_long_its_body_is() {
        let head = b"HTTP/1.1 201 Created\r\nContent-Length: 12\r\netag: \"1\"";
        assert_eq!(parse(head, 60).unwrap(), (201, 60..72));
        assert!(parse(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked", 60).is_err());
    }
}
