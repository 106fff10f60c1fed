//! The proxy between this client and its server: HTTP CONNECT or SOCKS5. Host names are resolved by the proxy.

use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::net::TcpStream;
use tower_service::Service;

use crate::error::{Error, Result};
use crate::sensitive::Sensitive;

/// A proxy, as configured.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Proxy {
    /// Address without credentials, for people.
    name: String,
    /// With credentials.
    url: Sensitive<Url>,
}

impl Proxy {
    /// Reads `http://…` or `socks5://…`. No error repeats the text: it may hold a password.
    pub(super) fn parse(text: &str) -> Result<Self> {
        const FORM: &str =
            "must be http://host:port or socks5://host:port, with user:password@ before the host if needed";
        let refuse = |reason: &str| Error::args("proxy", reason);
        let mut url = Url::parse(text).map_err(|_| refuse(FORM))?;
        let socks = match url.scheme() {
            "http" => false,
            "socks5" | "socks5h" => true,
            _ => return Err(refuse(FORM)),
        };
        if url.host_str().is_none_or(str::is_empty) || !matches!(url.path(), "" | "/") || url.query().is_some() {
            return Err(refuse(FORM));
        }
        if socks && url.port().is_none() {
            url.set_port(Some(1080)).map_err(|()| refuse(FORM))?;
        }
        // RFC 1929 counts in one byte
        if socks && [url.username(), url.password().unwrap_or_default()].iter().any(|part| decoded(part).len() > 255) {
            return Err(refuse("must not have a user or password of more than 255 bytes"));
        }
        let scheme = if socks { "socks5" } else { "http" };
        let host = url.host_str().unwrap_or_default();
        let name = format!("{scheme}://{host}:{}", url.port_or_known_default().unwrap_or_default());
        Ok(Self { name, url: Sensitive::new(url) })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn host(&self) -> &str {
        self.url.reveal().host_str().unwrap_or_default()
    }

    pub(super) fn port(&self) -> u16 {
        self.url.reveal().port_or_known_default().unwrap_or_default()
    }

    pub(super) fn fails(&self, reason: impl Into<String>) -> Error {
        Error::Proxy { proxy: self.name.clone(), reason: reason.into() }
    }

    /// Whatever the proxy's library says, as a sentence about the proxy.
    pub(super) fn refused(&self, reason: &str) -> Error {
        let reason = reason.trim_start_matches("tunnel error: ").trim_start_matches("SOCKS error: ");
        self.fails(match reason {
            "proxy authorization required" => "wants credentials, or does not accept the given ones".to_owned(),
            "server does not support user/pass authentication" => "wants another way to log in".to_owned(),
            "credentials not accepted" => "does not accept the credentials".to_owned(),
            reason => format!("did not connect: {reason}"),
        })
    }

    /// The same proxy for the REST client: http addresses are forwarded by an HTTP proxy, https ones tunnelled.
    pub(super) fn for_rest(&self) -> Result<reqwest::Proxy> {
        // this spelling leaves resolving host names to the proxy
        let url = self.url.reveal().as_str().replacen("socks5://", "socks5h://", 1);
        reqwest::Proxy::all(url).map_err(|_| Error::args("proxy", "cannot be used for the REST API"))
    }

    /// Has the proxy open a way to the server over a fresh connection to it. IPv6 hosts stand in brackets.
    pub(super) async fn tunnel(&self, stream: TcpStream, host: &str, port: u16) -> Result<TcpStream> {
        let uri = |text: &str| text.parse::<Uri>().map_err(|error| Error::Internal(format!("proxy address: {error}")));
        let server = uri(&format!("https://{host}:{port}"))?;
        let own = uri(&format!("http://{}:{}", self.host(), self.port()))?;
        let established = Established(Some(TokioIo::new(stream)));
        let url = self.url.reveal();
        let user = decoded(url.username());
        let password = decoded(url.password().unwrap_or_default());
        let has_credentials = !user.is_empty() || !password.is_empty();
        let tunnelled = if url.scheme() == "http" {
            let mut tunnel = Tunnel::new(own, established);
            if has_credentials {
                tunnel = tunnel.with_auth(basic(&user, &password)?);
            }
            tunnel.call(server).await.map_err(|error| self.refused(&super::root(&error)))
        } else {
            let mut socks = SocksV5::new(own, established);
            if has_credentials {
                socks = socks.with_auth(user, password);
            }
            socks.call(server).await.map_err(|error| self.refused(&error.to_string()))
        };
        tunnelled.map(TokioIo::into_inner)
    }
}

/// RFC 7617.
fn basic(user: &str, password: &str) -> Result<HeaderValue> {
    let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    HeaderValue::from_str(&value).map_err(|_| Error::args("proxy", "has credentials that no header can carry"))
}

/// Percent-decodes a part of a URL.
fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// A connector whose connection stands already.
struct Established(Option<TokioIo<TcpStream>>);

impl Service<Uri> for Established {
    type Response = TokioIo<TcpStream>;
    type Error = std::io::Error;
    type Future = std::future::Ready<std::io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        std::future::ready(self.0.take().ok_or_else(|| std::io::ErrorKind::NotConnected.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_named_without_its_credentials() {
        let proxy = Proxy::parse("http://alice:s%40fe@proxy.example:3128").unwrap();
        assert_eq!(proxy.name(), "http://proxy.example:3128");
        assert!(!format!("{proxy:?}").contains("s%40fe"));
        assert_eq!(Proxy::parse("socks5h://[::1]").unwrap().name(), "socks5://[::1]:1080");
        assert_eq!(Proxy::parse("http://proxy.example").unwrap().port(), 80);
        assert_eq!(decoded("s%40fe%zz%e5%bc%a0%"), "s@fe%zz张%");
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_repeating_it() {
        let long = format!("socks5://u:{}@p", "secret".repeat(50));
        for text in [
            "",
            "proxy:3128",
            "https://u:secret@p:1",
            "ftp://u:secret@p",
            "http://u:secret@/",
            "http://u:secret@p/path",
            "socks5://u:secret@p?x",
            "http://u:secret@p:99999",
            &long,
        ] {
            let error = Proxy::parse(text).unwrap_err();
            assert!(matches!(&error, Error::Args { field, .. } if field == "proxy"), "{text}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
