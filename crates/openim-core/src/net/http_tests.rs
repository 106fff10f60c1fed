use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};

use super::http::{Api, data};
use super::test_servers::{
    Authority, HOST, closed_port, direct, http_proxy, request, serve, silence, socks_proxy, token, transport,
};
use super::transport::Transport;
use crate::clock::Clock;
use crate::error::{Error, Result};

fn api(base: &str, transport: Arc<Transport>) -> Api {
    Api::new(base, token(), Clock::system(), transport)
}

async fn ask(base: &str, transport: Arc<Transport>) -> Result<i32> {
    data("/number", api(base, transport).call("/number", "{}".into()).await?)
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &[u8]) {
    request(&mut stream).await;
    // a client that has seen enough breaks off
    let _ = stream.write_all(answer).await;
    let _ = stream.shutdown().await;
}

fn envelope(data: &str) -> Vec<u8> {
    let body = format!(r#"{{"errCode":0,"errMsg":"","errDlt":"","data":{data}}}"#);
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

async fn plain_server(bytes: Vec<u8>) -> u16 {
    serve(move |stream| {
        let bytes = bytes.clone();
        async move { answer(stream, &bytes).await }
    })
    .await
}

async fn secure_server(authority: &Arc<Authority>) -> u16 {
    let authority = authority.clone();
    serve(move |stream| {
        let authority = authority.clone();
        async move {
            if let Ok(stream) = authority.accept(stream).await {
                answer(stream, &envelope("42")).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_private_authority_is_refused_until_it_is_configured() {
    let authority = Arc::new(Authority::new());
    let base = format!("https://localhost:{}", secure_server(&authority).await);
    let error = ask(&base, direct()).await.unwrap_err();
    assert_eq!(error.code(), "OPENIM_CERTIFICATE", "{error}");
    assert_eq!(ask(&base, transport(None, &[&authority.pem]).unwrap()).await, Ok(42));
}

#[tokio::test]
async fn proxies_lead_to_the_api_and_resolve_its_name() {
    let authority = Arc::new(Authority::new());
    let secure = secure_server(&authority).await;
    let plain = plain_server(envelope("42")).await;
    let (http, http_asked) = http_proxy(Some("Basic YWxpY2U6c0BmZQ==")).await;
    let (socks, socks_asked) = socks_proxy(Some(("alice", "s@fe"))).await;
    for proxy in [format!("http://alice:s%40fe@127.0.0.1:{http}"), format!("socks5://alice:s%40fe@127.0.0.1:{socks}")] {
        let through = transport(Some(&proxy), &[&authority.pem]).unwrap();
        for base in [format!("https://{HOST}:{secure}"), format!("http://{HOST}:{plain}/path")] {
            assert_eq!(ask(&base, through.clone()).await, Ok(42), "{proxy} {base}");
        }
    }
    let expected =
        [format!("CONNECT {HOST}:{secure} HTTP/1.1"), format!("POST http://{HOST}:{plain}/path/number HTTP/1.1")];
    assert_eq!(*http_asked.lock().unwrap(), expected);
    assert_eq!(*socks_asked.lock().unwrap(), [format!("{HOST}:{secure}"), format!("{HOST}:{plain}")]);

    let untrusting = transport(Some(&format!("socks5://alice:s%40fe@127.0.0.1:{socks}")), &[]).unwrap();
    let error = ask(&format!("https://{HOST}:{secure}"), untrusting).await.unwrap_err();
    assert_eq!(error.code(), "OPENIM_CERTIFICATE", "{error}");
}

#[tokio::test]
async fn a_proxy_in_the_way_is_named_without_its_password() {
    let (wants_login, _) = http_proxy(Some("Basic of another")).await;
    let (wants_socks_login, _) = socks_proxy(Some(("alice", "another"))).await;
    let nobody = closed_port().await;
    for (scheme, port, reason) in [
        ("http", wants_login, "does not accept the given ones"),
        ("http", nobody, "did not connect"),
        ("socks5", wants_socks_login, "does not accept the credentials"),
        ("socks5", nobody, "did not connect"),
    ] {
        for target in ["https", "http"] {
            let through = transport(Some(&format!("{scheme}://alice:pass-word@127.0.0.1:{port}")), &[]).unwrap();
            let error = ask(&format!("{target}://{HOST}:{nobody}"), through).await.unwrap_err();
            assert_eq!(error.code(), "OPENIM_PROXY", "{scheme} {target} {error}");
            let text = error.to_string();
            assert!(text.starts_with(&format!("proxy {scheme}://127.0.0.1:{port} ")), "{text}");
            assert!(text.contains(reason), "{text} lacks {reason}");
            assert!(!text.contains("pass-word"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_silent_proxy_has_its_time_limit() {
    let port = serve(|stream| silence(stream, "CONNECT ".len())).await;
    let through = transport(Some(&format!("http://127.0.0.1:{port}")), &[]).unwrap();
    let error = ask(&format!("https://{HOST}"), through).await.unwrap_err();
    assert_eq!(error, Error::Proxy { proxy: format!("http://127.0.0.1:{port}"), reason: "does not answer".to_owned() });
}

#[tokio::test]
async fn a_forwarding_proxy_that_falls_silent_is_named() {
    let port = serve(|stream| silence(stream, "POST ".len())).await;
    let through = transport(Some(&format!("http://127.0.0.1:{port}")), &[]).unwrap();
    let error = ask(&format!("http://{HOST}"), through).await.unwrap_err();
    assert_eq!(error, Error::Timeout(format!("/number through the proxy http://127.0.0.1:{port}")));
}

#[tokio::test]
async fn a_silent_server_has_its_time_limit() {
    let port = serve(|stream| silence(stream, "POST ".len())).await;
    let error = ask(&format!("http://127.0.0.1:{port}"), direct()).await.unwrap_err();
    assert_eq!(error, Error::Timeout("/number".to_owned()));
}

#[tokio::test]
async fn silent_tls_has_its_time_limit() {
    let port = serve(|stream| silence(stream, 5)).await;
    let error = ask(&format!("https://127.0.0.1:{port}"), direct()).await.unwrap_err();
    assert_eq!(error, Error::Timeout("/number".to_owned()));
}

#[tokio::test]
async fn half_an_answer_is_a_lost_connection_and_a_stalled_one_a_timeout() {
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"errCode\":0,";
    let port = plain_server(half.to_vec()).await;
    let error = ask(&format!("http://127.0.0.1:{port}"), direct()).await.unwrap_err();
    assert_eq!(error.code(), "OPENIM_NETWORK", "{error}");

    let stalls = serve(move |mut stream| async move {
        request(&mut stream).await;
        stream.write_all(half).await.unwrap();
        tokio::time::pause();
        std::future::pending::<()>().await;
    })
    .await;
    let error = ask(&format!("http://127.0.0.1:{stalls}"), direct()).await.unwrap_err();
    assert_eq!(error, Error::Timeout("/number".to_owned()));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    const LENGTH: usize = 100 << 20;
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    let (over, ended) = tokio::sync::mpsc::channel(1);
    let port = serve(move |mut stream| {
        let (count, over) = (count.clone(), over.clone());
        async move {
            request(&mut stream).await;
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let piece = vec![b' '; 1 << 20];
            while count.load(Ordering::SeqCst) < LENGTH && stream.write_all(&piece).await.is_ok() {
                count.fetch_add(piece.len(), Ordering::SeqCst);
            }
            let _ = over.send(()).await;
        }
    })
    .await;
    let error = ask(&format!("http://127.0.0.1:{port}"), direct()).await.unwrap_err();
    assert_eq!(error, Error::Protocol(format!("/number answered more than {} bytes", 16 << 20)));
    { ended }.recv().await;
    assert!(written.load(Ordering::SeqCst) < LENGTH / 2, "the client read on");
}

#[tokio::test]
async fn a_small_answer_that_decompresses_to_a_huge_one_is_cut_off() {
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..100 {
        bomb.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    let bomb = bomb.finish().unwrap();
    let mut bytes =
        format!("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n", bomb.len()).into_bytes();
    bytes.extend(bomb);
    let error = ask(&format!("http://127.0.0.1:{}", plain_server(bytes).await), direct()).await.unwrap_err();
    assert_eq!(error, Error::Protocol(format!("/number answered more than {} bytes", 16 << 20)));
}

#[tokio::test]
async fn what_is_no_envelope_is_told_without_its_content() {
    let body = r#"{"errCode":"a secret text"}"#;
    let bytes = format!("HTTP/1.1 502 Bad Gateway\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let port = plain_server(bytes.into_bytes()).await;
    let error = ask(&format!("http://127.0.0.1:{port}"), direct()).await.unwrap_err();
    assert_eq!(error.code(), "OPENIM_PROTOCOL");
    let text = error.to_string();
    assert!(text.contains("/number answered HTTP 502 without an envelope"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn a_redirection_does_not_carry_the_token_elsewhere() {
    let (heard, mut elsewhere) = tokio::sync::mpsc::channel(1);
    let other = serve(move |mut stream| {
        let heard = heard.clone();
        async move { drop(heard.send(request(&mut stream).await).await) }
    })
    .await;
    let redirection = format!("HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{other}/\r\nContent-Length: 0\r\n\r\n");
    let port = plain_server(redirection.into_bytes()).await;
    let error = ask(&format!("http://127.0.0.1:{port}"), direct()).await.unwrap_err();
    assert!(error.to_string().contains("answered HTTP 307"), "{error}");
    assert!(elsewhere.try_recv().is_err());
}
