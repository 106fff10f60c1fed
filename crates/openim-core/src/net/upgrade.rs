//! The answer to the upgrade. A gateway that refuses says why in the body of an HTTP answer (gateway.md 1.3), and the
//! WebSocket library shows of a body what came together with its head.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Longest answer that is waited for: as much as the library takes at once.
const MOST_BYTES: usize = 4096;

/// A stream that gives out the first answer of its peer as a whole.
#[derive(Debug)]
pub(super) struct Upgrade<S> {
    stream: S,
    held: Vec<u8>,
    whole: bool,
}

impl<S> Upgrade<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, held: Vec::new(), whole: false }
    }
}

/// Whether a part of an answer is still to come. Without a length nobody can tell: then the head is enough.
fn is_partial(answer: &[u8]) -> bool {
    if answer.len() >= MOST_BYTES {
        return false;
    }
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return true };
    let (head, body) = answer.split_at(head + 4);
    length(head).is_some_and(|length| body.len() < length)
}

fn length(head: &[u8]) -> Option<usize> {
    let head = std::str::from_utf8(head).ok()?;
    let (_, value) = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case("content-length"))?;
    value.trim().parse().ok()
}

impl<S: AsyncRead + Unpin> AsyncRead for Upgrade<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, held, whole } = &mut *self;
        while !*whole {
            let mut piece = [0; MOST_BYTES];
            let mut piece = ReadBuf::new(&mut piece);
            ready!(Pin::new(&mut *stream).poll_read(cx, &mut piece))?;
            held.extend_from_slice(piece.filled());
            *whole = piece.filled().is_empty() || !is_partial(held);
        }
        if held.is_empty() {
            return Pin::new(stream).poll_read(cx, buffer);
        }
        let rest = held.split_off(held.len().min(buffer.remaining()));
        buffer.put_slice(held);
        *held = rest;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Upgrade<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// What the first read gives of an answer that comes byte by byte.
    async fn first_read(answer: &str) -> String {
        let (here, mut there) = duplex(1);
        let answer = answer.to_owned();
        tokio::spawn(async move { there.write_all(answer.as_bytes()).await });
        let mut buffer = vec![0; MOST_BYTES];
        let read = Upgrade::new(here).read(&mut buffer).await.unwrap();
        String::from_utf8(buffer.split_off(0).into_iter().take(read).collect()).unwrap()
    }

    #[tokio::test]
    async fn a_refusal_comes_with_its_body_however_it_is_cut() {
        let refusal = "HTTP/1.1 200 OK\r\ncontent-LENGTH: 16\r\n\r\n{\"errCode\":1502}";
        assert_eq!(first_read(refusal).await, refusal);
        assert_eq!(first_read(&format!("{refusal} and more")).await, refusal);
    }

    #[tokio::test]
    async fn nothing_else_is_waited_for() {
        for (answer, given) in [
            ("HTTP/1.1 101 Switching Protocols\r\n\r\nframes", "HTTP/1.1 101 Switching Protocols\r\n\r\n"),
            ("HTTP/1.1 502 Bad Gateway\r\n\r\n<html>", "HTTP/1.1 502 Bad Gateway\r\n\r\n"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut off",
                "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut off",
            ),
            ("HTTP/1.1 200 OK\r\nContent-Len", "HTTP/1.1 200 OK\r\nContent-Len"),
            ("", ""),
        ] {
            assert_eq!(first_read(answer).await, given);
        }
        let endless = format!("HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n{}", "x".repeat(9000));
        assert_eq!(first_read(&endless).await, endless[..MOST_BYTES]);
    }

    #[tokio::test]
    async fn afterwards_it_is_a_stream_like_any_other() {
        let (here, mut there) = duplex(64);
        let mut stream = Upgrade::new(here);
        there.write_all(b"HTTP/1.1 101 Switching Protocols\r\n\r\nabc").await.unwrap();
        let mut head = [0; 36];
        stream.read_exact(&mut head).await.unwrap();
        there.write_all(b"def").await.unwrap();
        let mut rest = [0; 6];
        stream.read_exact(&mut rest).await.unwrap();
        assert_eq!(&rest, b"abcdef");
        stream.write_all(b"out").await.unwrap();
        let mut out = [0; 3];
        there.read_exact(&mut out).await.unwrap();
        assert_eq!(&out, b"out");
    }
}
