use std::sync::Arc;

use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;

use super::dial::{self, Stream};
use super::socket::SocketConfig;
use super::test_servers::{
    Authority, HOST, closed_port, direct, gateway_port, http_proxy, serve, silence, socket_config, socks_proxy,
    transport,
};
use super::transport::Transport;
use crate::error::{Error, Result};

async fn dial(config: SocketConfig) -> Result<Stream> {
    dial::dial(&config, &config.token()).await
}

async fn failure(ws_addr: String, transport: Arc<Transport>) -> Error {
    dial(socket_config(ws_addr, transport)).await.map(drop).expect_err("there is nobody to connect to")
}

#[tokio::test]
async fn a_private_authority_is_refused_until_it_is_configured() {
    let authority = Arc::new(Authority::new());
    let address = format!("wss://localhost:{}", gateway_port(Some(&authority)).await);

    let error = failure(address.clone(), direct()).await;
    assert_eq!(error.code(), "OPENIM_CERTIFICATE");
    assert!(error.is_connection_loss());
    assert!(error.to_string().contains("certificate of localhost"), "{error}");

    let other = Authority::new();
    assert_eq!(failure(address.clone(), transport(None, &[&other.pem]).unwrap()).await.code(), "OPENIM_CERTIFICATE");

    dial(socket_config(address.clone(), transport(None, &[&other.pem, &authority.pem]).unwrap())).await.unwrap();

    let file = std::env::temp_dir().join(format!("openim-authority-{}.pem", std::process::id()));
    std::fs::write(&file, &authority.pem).unwrap();
    let from_file = transport(None, &[file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    dial(socket_config(address, from_file.unwrap())).await.unwrap();
}

#[tokio::test]
async fn the_name_must_be_the_certificates() {
    let authority = Arc::new(Authority::new());
    let port = gateway_port(Some(&authority)).await;
    let error = failure(format!("wss://[::ffff:127.0.0.1]:{port}"), transport(None, &[&authority.pem]).unwrap()).await;
    assert_eq!(error.code(), "OPENIM_CERTIFICATE", "{error}");
    dial(socket_config(format!("wss://127.0.0.1:{port}"), transport(None, &[&authority.pem]).unwrap())).await.unwrap();
}

#[test]
fn what_is_no_authority_names_its_field() {
    let pem = Authority::new().pem;
    for (given, reason) in [
        ("no/such/file.pem", "is no PEM text and no readable file"),
        ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "is damaged"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds no certificate authority"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds no certificate"),
    ] {
        let error = transport(None, &[&pem, given]).expect_err(given);
        assert!(matches!(&error, Error::Args { field, .. } if field == "caCertificates[1]"), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn proxies_lead_to_the_gateway_and_resolve_its_name() {
    let authority = Arc::new(Authority::new());
    let secure = gateway_port(Some(&authority)).await;
    let plain = gateway_port(None).await;
    let (http, http_asked) = http_proxy(Some("Basic YWxpY2U6c0BmZQ==")).await;
    let (socks, socks_asked) = socks_proxy(Some(("alice", "s@fe"))).await;
    let (open, _) = http_proxy(None).await;
    let (open_socks, _) = socks_proxy(None).await;
    for proxy in [
        format!("http://alice:s%40fe@127.0.0.1:{http}"),
        format!("socks5://alice:s%40fe@127.0.0.1:{socks}"),
        format!("http://127.0.0.1:{open}"),
        format!("socks5://127.0.0.1:{open_socks}"),
    ] {
        let through = transport(Some(&proxy), &[&authority.pem]).unwrap();
        for address in [format!("wss://{HOST}:{secure}/ws"), format!("ws://{HOST}:{plain}")] {
            dial(socket_config(address, through.clone())).await.unwrap_or_else(|error| panic!("{proxy}: {error}"));
        }
    }
    let expected = [format!("CONNECT {HOST}:{secure} HTTP/1.1"), format!("CONNECT {HOST}:{plain} HTTP/1.1")];
    assert_eq!(*http_asked.lock().unwrap(), expected);
    assert_eq!(*socks_asked.lock().unwrap(), [format!("{HOST}:{secure}"), format!("{HOST}:{plain}")]);
}

#[tokio::test]
async fn behind_a_proxy_the_certificate_still_counts() {
    let authority = Arc::new(Authority::new());
    let port = gateway_port(Some(&authority)).await;
    let (proxy, _) = http_proxy(None).await;
    let through = transport(Some(&format!("http://127.0.0.1:{proxy}")), &[]).unwrap();
    assert_eq!(failure(format!("wss://{HOST}:{port}"), through).await.code(), "OPENIM_CERTIFICATE");
}

#[tokio::test]
async fn a_proxy_in_the_way_is_named_without_its_password() {
    let (wants_login, _) = http_proxy(Some("Basic of another")).await;
    let (wants_socks_login, _) = socks_proxy(Some(("alice", "another"))).await;
    let (open_socks, _) = socks_proxy(None).await;
    let refuses = serve(|mut stream| async move {
        super::test_servers::head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.unwrap();
    })
    .await;
    let hangs_up = serve(|mut stream| async move {
        super::test_servers::head(&mut stream).await;
    })
    .await;
    let nobody = closed_port().await;
    for (scheme, port, login, reason) in [
        ("http", wants_login, "", "wants credentials"),
        ("http", wants_login, "alice:pass-word@", "does not accept the given ones"),
        ("http", refuses, "alice:pass-word@", "did not connect"),
        ("http", hangs_up, "alice:pass-word@", "did not connect"),
        ("http", nobody, "alice:pass-word@", "cannot be reached"),
        ("socks5", wants_socks_login, "", "wants another way to log in"),
        ("socks5", wants_socks_login, "alice:pass-word@", "does not accept the credentials"),
        ("socks5", open_socks, "", "did not connect"),
        ("socks5", nobody, "alice:pass-word@", "cannot be reached"),
    ] {
        let through = transport(Some(&format!("{scheme}://{login}127.0.0.1:{port}")), &[]).unwrap();
        let error = failure(format!("ws://{HOST}:{nobody}"), through).await;
        assert_eq!(error.code(), "OPENIM_PROXY", "{scheme} {login} {error}");
        let text = error.to_string();
        assert!(text.starts_with(&format!("proxy {scheme}://127.0.0.1:{port} ")), "{text}");
        assert!(text.contains(reason), "{text} lacks {reason}");
        assert!(!text.contains("pass-word"), "{text}");
    }
}

#[tokio::test]
async fn a_silent_proxy_has_its_time_limit() {
    let port = serve(|stream| silence(stream, "CONNECT ".len())).await;
    let through = transport(Some(&format!("http://127.0.0.1:{port}")), &[]).unwrap();
    let error = failure(format!("wss://{HOST}:1"), through).await;
    assert_eq!(error, Error::Proxy { proxy: format!("http://127.0.0.1:{port}"), reason: "does not answer".to_owned() });
}

#[tokio::test]
async fn a_silent_socks_proxy_has_its_time_limit() {
    let port = serve(|stream| silence(stream, 3)).await;
    let through = transport(Some(&format!("socks5://127.0.0.1:{port}")), &[]).unwrap();
    let error = failure(format!("wss://{HOST}:1"), through).await;
    assert!(matches!(&error, Error::Proxy { reason, .. } if reason == "does not answer"), "{error}");
}

#[tokio::test]
async fn silent_tls_has_its_time_limit() {
    let port = serve(|stream| silence(stream, 5)).await;
    let error = failure(format!("wss://localhost:{port}"), direct()).await;
    assert_eq!(error, Error::Timeout("the TLS handshake with localhost".to_owned()));
}

#[tokio::test]
async fn a_silent_upgrade_has_its_time_limit() {
    let port = serve(|stream| silence(stream, 5)).await;
    let error = failure(format!("ws://127.0.0.1:{port}"), direct()).await;
    assert_eq!(error, Error::Timeout(format!("the upgrade by 127.0.0.1:{port}")));
}

#[tokio::test]
async fn a_gateway_that_does_not_greet_has_its_time_limit() {
    let port = serve(|stream| async move {
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        tokio::time::pause();
        socket.next().await;
    })
    .await;
    let error = failure(format!("ws://127.0.0.1:{port}"), direct()).await;
    assert_eq!(error, Error::Timeout("the gateway's handshake".to_owned()));
}

#[tokio::test]
async fn half_an_upgrade_is_a_lost_connection() {
    let port = serve(|mut stream| async move {
        super::test_servers::head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso").await.unwrap();
    })
    .await;
    assert_eq!(failure(format!("ws://127.0.0.1:{port}"), direct()).await.code(), "OPENIM_NETWORK");
}

#[tokio::test]
async fn what_does_not_speak_tls_is_no_certificate_matter() {
    let port = gateway_port(None).await;
    let error = failure(format!("wss://localhost:{port}"), direct()).await;
    assert_eq!(error.code(), "OPENIM_NETWORK", "{error}");
}

#[tokio::test]
async fn the_request_has_a_path_whatever_the_address_looks_like() {
    let (report, mut reported) = tokio::sync::mpsc::channel(8);
    let port = serve(move |mut stream| {
        let report = report.clone();
        async move { drop(report.send(super::test_servers::head(&mut stream).await).await) }
    })
    .await;
    for (path, begin) in [
        ("", "GET /?sendID=alice&token=the-token&"),
        ("/", "GET /?sendID="),
        ("/ws/", "GET /ws/?sendID="),
        ("/ws?tenant=a/b", "GET /ws?tenant=a/b&sendID="),
    ] {
        failure(format!("ws://127.0.0.1:{port}{path}"), direct()).await;
        let head = reported.recv().await.unwrap();
        assert!(head.starts_with(begin), "{path}: {head}");
    }
}
