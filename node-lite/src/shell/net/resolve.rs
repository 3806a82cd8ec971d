//! Names in addresses, resolved by the system: `/dns4/node.example/udp/4600/quic-v1` becomes numbers before it is dialled.

use libp2p::{Multiaddr, multiaddr::Protocol};
use std::net::IpAddr;
use tokio::net::lookup_host;

/// Addresses that one name may stand for. Chosen here.
const MAX_NUMBERS: usize = 4;

/// Returns whether an address begins with a name.
pub(super) fn has_name(address: &Multiaddr) -> bool {
    matches!(address.iter().next(), Some(Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_)))
}

/// Returns the address with its name replaced by what it stands for; nothing if nobody knows.
pub(super) async fn resolve(address: &Multiaddr) -> Vec<Multiaddr> {
    let mut parts = address.iter();
    let (name, wanted): (_, fn(&IpAddr) -> bool) = match parts.next() {
        Some(Protocol::Dns(name)) => (name, |_| true),
        Some(Protocol::Dns4(name)) => (name, IpAddr::is_ipv4),
        Some(Protocol::Dns6(name)) => (name, IpAddr::is_ipv6),
        _ => return vec![address.clone()],
    };
    let rest: Vec<_> = parts.collect();
    let Ok(found) = lookup_host((name.as_ref(), 0)).await else { return Vec::new() };
    found
        .map(|found| found.ip())
        .filter(wanted)
        .take(MAX_NUMBERS)
        .map(|ip| rest.iter().cloned().fold(Multiaddr::from(ip), Multiaddr::with))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn numbers_stay_and_a_name_becomes_numbers_of_the_kind_asked_for() {
        let numbers: Multiaddr = "/ip4/10.0.0.1/tcp/4600".parse().unwrap();
        assert!(!has_name(&numbers));
        assert_eq!(resolve(&numbers).await, [numbers]);
        let name: Multiaddr = "/dns4/localhost/udp/4600/quic-v1".parse().unwrap();
        assert!(has_name(&name));
        let found = resolve(&name).await;
        assert_eq!(found, ["/ip4/127.0.0.1/udp/4600/quic-v1".parse().unwrap()]);
    }
}
