//! The HTTP request that opens a connection. Read by hand: refusals are answers with status 200, which no WebSocket
//! library writes.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Bytes of a request head; tokens are long, but not this long.
const HEAD_LIMIT: usize = 32 * 1024;

/// Header fields of a request at most.
const FIELD_LIMIT: usize = 100;

/// What matters of a request head.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Decoded key and value pairs of the query.
    pub(super) query: Vec<(String, String)>,
    /// Answer to the client's key, if the request asks for a WebSocket.
    pub(super) accept: Option<String>,
    /// The `compression` header.
    pub(super) compression: String,
    /// Bytes that came after the head.
    pub(super) rest: Vec<u8>,
}

impl Head {
    /// Reads from a connection.
    pub(super) async fn read(stream: &mut TcpStream) -> Result<Self> {
        let mut bytes = Vec::with_capacity(1024);
        loop {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = Self::parse(&bytes)? {
                return Ok(head);
            }
            if bytes.len() > HEAD_LIMIT {
                return Err(Error::new(ErrorKind::InvalidData, "request head is too long"));
            }
        }
    }

    fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let mut fields = [httparse::EMPTY_HEADER; FIELD_LIMIT];
        let mut request = httparse::Request::new(&mut fields);
        let status = request.parse(bytes).map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
        let httparse::Status::Complete(length) = status else { return Ok(None) };
        let field = |name: &str| {
            let found = request.headers.iter().find(|field| field.name.eq_ignore_ascii_case(name));
            found.map_or("", |field| std::str::from_utf8(field.value).unwrap_or_default())
        };
        let has_token =
            |name: &str, token: &str| field(name).split(',').any(|it| it.trim().eq_ignore_ascii_case(token));
        let upgrades = request.method == Some("GET")
            && has_token("Connection", "upgrade")
            && has_token("Upgrade", "websocket")
            && field("Sec-WebSocket-Version") == "13"
            && !field("Sec-WebSocket-Key").is_empty();
        let key = field("Sec-WebSocket-Key").as_bytes();
        let query = request.path.unwrap_or_default().split_once('?').map_or("", |(_, query)| query);
        Ok(Some(Self {
            query: parse_query(query),
            accept: upgrades.then(|| tokio_tungstenite::tungstenite::handshake::derive_accept_key(key)),
            compression: field("compression").into(),
            rest: bytes.get(length..).unwrap_or_default().to_vec(),
        }))
    }

    /// A parameter; the first one counts, absent ones are empty.
    pub(super) fn parameter(&self, name: &str) -> &str {
        self.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// Writes a whole answer and says that it was the last one.
pub(super) async fn answer(stream: &mut TcpStream, status: &str, fields: &str, body: &str) -> Result<()> {
    let head = format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// Switches to WebSocket.
pub(super) async fn switch(stream: &mut TcpStream, accept: &str) -> Result<()> {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect()
}

/// Undoes percent-encoding; `+` is a space. What is no valid escape stays.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped =
            (*first == b'%').then(|| tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok())).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn parameters_are_decoded_and_the_path_does_not_matter() {
        let text = b"GET /msg_gateway?sendID=a%5Fb+c&token=%zz&x HTTP/1.1\r\nHost: h\r\nCompression: gzip\r\n\r\nrest";
        let head = Head::parse(text).unwrap().unwrap();
        assert_eq!((head.parameter("sendID"), head.parameter("token"), head.parameter("none")), ("a_b c", "%zz", ""));
        assert_eq!((head.accept, head.compression.as_str(), head.rest.as_slice()), (None, "gzip", b"rest".as_slice()));
        assert_eq!(Head::parse(b"GET / HTTP/1.1\r\n").unwrap(), None);
        assert!(Head::parse(b"\x00\x01\r\n\r\n").is_err());
    }
}
