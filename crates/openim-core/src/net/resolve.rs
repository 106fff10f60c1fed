//! Host names to addresses. The system's resolver holds a thread per question, for many seconds if the network is gone:
//! when a thousand clients connect anew at the same time, few of them ask at a time and the others wait.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::pool::Pool;

/// Asks the system.
static THREADS: Pool = Pool::new("openim-resolve", 16);

/// The addresses of a host, itself an address or a name.
pub(super) async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let host = host.to_owned();
    let asking = move || (host, port).to_socket_addrs().map(Iterator::collect);
    THREADS.run(asking).await.map_err(io::Error::other)?
}

/// The same for the REST client, which sets the ports itself.
pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses = resolve(name.as_str(), 0).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_its_own_answer_and_a_name_is_asked_for() {
        assert_eq!(resolve("127.0.0.1", 1).await.unwrap(), ["127.0.0.1:1".parse().unwrap()]);
        assert_eq!(resolve("::1", 2).await.unwrap(), ["[::1]:2".parse().unwrap()]);
        let local = resolve("localhost", 3).await.unwrap();
        assert!(!local.is_empty() && local.iter().all(|address| address.ip().is_loopback() && address.port() == 3));
        assert!(resolve("no such host", 4).await.is_err());
    }
}
