//! A connection that posts claims one after the other, with as little work of its own as possible: it shares the
//! processor with what it measures.

use std::net::SocketAddr;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A connection to one server.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

/// A request, ready to be sent.
#[derive(Clone)]
pub(crate) struct Request(Vec<u8>);

impl Request {
    /// Posts `body` to the claims.
    pub(crate) fn claim(body: &str) -> Self {
        let head =
            "POST /v1/claims HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\ncontent-length: ";
        Self(format!("{head}{}\r\n\r\n{body}", body.len()).into_bytes())
    }
}

impl Connection {
    pub(crate) async fn to(addr: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Status and body of the answer.
    pub(crate) async fn send(&mut self, request: &Request) -> anyhow::Result<(u16, Vec<u8>)> {
        self.stream.get_mut().write_all(&request.0).await?;
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
