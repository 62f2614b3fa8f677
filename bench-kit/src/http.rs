//! A connection that posts one request after the other, with as little work of its own as possible: it shares the
//! processor with what it measures.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A connection to one server.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// A request, ready to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    head: String,
    body: String,
}

impl Request {
    /// Posts a JSON body to `path`.
    pub fn post(path: &str, body: &str) -> Self {
        Self::new("POST", path, body)
    }

    /// Puts a JSON body at `path`.
    pub fn put(path: &str, body: &str) -> Self {
        Self::new("PUT", path, body)
    }

    fn new(method: &str, path: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n"
        );
        Self { head, body: body.to_owned() }
    }

    /// The same with a bearer's token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.head = format!("{}authorization: Bearer {token}\r\n", self.head);
        self
    }
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    ///
    /// If nobody listens.
    pub async fn to(addr: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Status and body of the answer.
    ///
    /// # Errors
    ///
    /// If the connection breaks, or the answer has no length.
    pub async fn send(&mut self, request: &Request) -> anyhow::Result<(u16, Vec<u8>)> {
        let bytes = [request.head.as_bytes(), b"\r\n", request.body.as_bytes()].concat();
        self.stream.get_mut().write_all(&bytes).await?;
        let (mut line, mut status, mut length) = (String::new(), None, None);
        loop {
            line.clear();
            self.stream.read_line(&mut line).await?;
            let header = line.trim_end();
            if let Some(value) = header.strip_prefix("HTTP/1.1 ") {
                status = value.split(' ').next().and_then(|code| code.parse().ok());
            } else if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.parse().ok();
            } else if header.is_empty() {
                break;
            }
        }
        let (status, length): (u16, usize) =
            status.zip(length).context("no answer, or one without a length")?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok((status, body))
    }
}
