//! How a client reaches its server: through which proxy, and whose certificates it accepts. The socket and the REST API
//! share one, and so do all clients of a process with the same settings.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::OnceCell;

use super::proxy::Proxy;
use super::resolve::Resolver;
use crate::config::Config;
use crate::error::{Error, Result};

/// For a whole REST call (gateway.md 8.4, http.md 1.6).
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// For reaching the server, its proxy and its TLS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// Connections of the REST API that are kept for the next call, and for how long.
const IDLE_CONNECTIONS: usize = 16;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Transports in use, for clients with the same settings.
static IN_USE: Mutex<Vec<Weak<Transport>>> = Mutex::new(Vec::new());

/// Proxy and trust of a client.
#[derive(Debug)]
pub(crate) struct Transport {
    proxy: Option<Proxy>,
    /// Authorities of the configuration.
    authorities: Vec<CertificateDer<'static>>,
    /// Made at the first TLS connection: reading the system's authorities takes milliseconds.
    tls: OnceCell<Arc<ClientConfig>>,
    /// HTTP clients for `http://` and `https://`, each made at its first call: that costs milliseconds which an offline
    /// start does not need.
    plain: OnceCell<reqwest::Client>,
    secure: OnceCell<reqwest::Client>,
}

impl Transport {
    /// The transport of a configuration: the one of another client, if one with the same settings is in use.
    pub(crate) fn shared(config: &Config) -> Result<Arc<Self>> {
        let new = Self::new(config)?;
        let mut known = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|transport| transport.strong_count() > 0);
        let same = |old: &Arc<Self>| old.proxy == new.proxy && old.authorities == new.authorities;
        if let Some(shared) = known.iter().filter_map(Weak::upgrade).find(same) {
            return Ok(shared);
        }
        let new = Arc::new(new);
        known.push(Arc::downgrade(&new));
        Ok(new)
    }

    /// Reads the proxy and the certificates of a configuration; an error names the field.
    pub(super) fn new(config: &Config) -> Result<Self> {
        let proxy = config.proxy.as_ref().map(|proxy| Proxy::parse(proxy.reveal())).transpose()?;
        let mut authorities = Vec::new();
        for (index, given) in config.ca_certificates.iter().enumerate() {
            read(given, &mut authorities).map_err(|reason| Error::args(format!("caCertificates[{index}]"), reason))?;
        }
        if !authorities.is_empty() {
            tracing::debug!(count = authorities.len(), "certificate authorities of the configuration");
        }
        Ok(Self { proxy, authorities, tls: OnceCell::new(), plain: OnceCell::new(), secure: OnceCell::new() })
    }

    /// The proxy's address without credentials; empty without one.
    pub(crate) fn proxy_name(&self) -> &str {
        self.proxy.as_ref().map_or("", Proxy::name)
    }

    pub(super) fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// The TLS configuration: built-in authorities, the system's, and the client's own.
    pub(super) async fn tls(&self) -> Result<Arc<ClientConfig>> {
        let made = self.tls.get_or_try_init(|| async {
            let system = system_authorities().await;
            let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
            roots.add_parsable_certificates(system.iter().chain(&self.authorities).cloned());
            client_config(roots)
        });
        made.await.cloned()
    }

    /// The HTTP client for an address; all accounts share its connections.
    pub(super) async fn http(&self, address: &str) -> Result<&reqwest::Client> {
        if address.starts_with("https://") {
            self.secure.get_or_try_init(|| async { self.build(&*self.tls().await?) }).await
        } else {
            // a configuration that accepts nobody, for a client that never uses it
            self.plain.get_or_try_init(|| async { self.build(&*client_config(RootCertStore::empty())?) }).await
        }
    }

    fn build(&self, tls: &ClientConfig) -> Result<reqwest::Client> {
        let builder = reqwest::Client::builder()
            .timeout(CALL_TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .dns_resolver(Resolver)
            // the token goes to the configured address only
            .redirect(reqwest::redirect::Policy::none())
            .tls_backend_preconfigured(tls.clone())
            // without this the environment's proxies would count
            .no_proxy();
        let builder = match self.proxy() {
            Some(proxy) => builder.proxy(proxy.for_rest()?),
            None => builder,
        };
        builder.build().map_err(|error| Error::Internal(format!("cannot build the HTTP client: {error}")))
    }
}

fn client_config(roots: RootCertStore) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Internal(format!("TLS: {error}")))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// The operating system's authorities, read once per process. A system without any is no error: others are built in.
async fn system_authorities() -> &'static [CertificateDer<'static>] {
    static SYSTEM: OnceCell<Vec<CertificateDer<'static>>> = OnceCell::const_new();
    let load = || async {
        let loaded = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
        let Ok(loaded) = loaded else { return Vec::new() };
        for error in &loaded.errors {
            tracing::warn!(%error, "an authority of the system cannot be read");
        }
        loaded.certs
    };
    SYSTEM.get_or_init(load).await
}

/// The certificates of a PEM text, or of the file that a path names.
fn read(given: &str, into: &mut Vec<CertificateDer<'static>>) -> std::result::Result<(), String> {
    let file;
    let pem = if given.contains("-----BEGIN ") {
        given.as_bytes()
    } else {
        file =
            std::fs::read(Path::new(given)).map_err(|error| format!("is no PEM text and no readable file: {error}"))?;
        &file
    };
    let before = into.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| format!("is damaged: {error}"))?;
        RootCertStore::empty()
            .add(certificate.clone())
            .map_err(|error| format!("holds no certificate authority: {error}"))?;
        into.push(certificate);
    }
    if into.len() == before { Err("holds no certificate".to_owned()) } else { Ok(()) }
}

/// What TLS says against a connection; `None` if the failure is not TLS's.
pub(super) fn tls_failure(host: &str, error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        match error.downcast_ref::<rustls::Error>() {
            Some(rustls::Error::InvalidCertificate(reason)) => {
                return Some(Error::Certificate { host: host.to_owned(), reason: reason.to_string() });
            }
            Some(other) => return Some(Error::Network(format!("TLS with {host} failed: {other}"))),
            None => {
                // the source of an I/O error is its content's source: the content itself must be asked for
                let content = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
                next = content.map_or_else(|| error.source(), |content| Some(content));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(proxy: Option<&str>) -> Config {
        let config = serde_json::json!({
            "apiAddr": "http://127.0.0.1:1", "wsAddr": "ws://127.0.0.1:1", "platformID": 7, "proxy": proxy,
        });
        serde_json::from_value(config).unwrap()
    }

    #[test]
    fn clients_with_the_same_settings_share_a_transport_as_long_as_one_of_them_lives() {
        // settings that no other test has
        let one = Transport::shared(&config(Some("http://alice:one@shared.example:1"))).unwrap();
        let other = Transport::shared(&config(Some("http://alice:other@shared.example:1"))).unwrap();
        let again = Transport::shared(&config(Some("http://alice:one@shared.example:1"))).unwrap();
        assert!(Arc::ptr_eq(&one, &again));
        assert!(!Arc::ptr_eq(&one, &other), "another password is another way");
        let gone = Arc::downgrade(&one);
        drop((one, again));
        assert!(gone.upgrade().is_none(), "nothing outlives its clients");
    }
}
