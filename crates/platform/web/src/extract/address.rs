use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use http::{Extensions, HeaderMap};

/// The network address that a request came from, as far as it can be believed: the peer's own, or
/// what a trusted proxy in front of us says about it. `0.0.0.0` when there is no peer, as in a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let found = parts.extensions.get::<Self>().copied();
        // Without the layer (a router under test, say) the peer is all there is.
        let peer = || parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| Self(info.0.ip()));
        Ok(found.or_else(peer).unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// A range of addresses: `10.0.0.0/8`, `::1`, `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// A text that is neither an address nor a range in CIDR form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an IP address or a range such as 10.0.0.0/8")]
pub struct NetworkError;

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base, Some(prefix)),
            None => (text, None),
        };
        let base: IpAddr = base.parse().map_err(|_| NetworkError)?;
        let longest = if base.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), str::parse).map_err(|_| NetworkError)?;
        if prefix > longest { Err(NetworkError) } else { Ok(Self { base, prefix }) }
    }
}

impl Network {
    /// Whether `address` lies within. An IPv4 address in IPv6 form counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, width: u32| {
            let shift = width - u32::from(self.prefix);
            // A shift by the whole width is no shift at all in Rust, and a prefix of zero matches all.
            shift == width || (a >> shift) == (b >> shift)
        };
        match (self.base.to_canonical(), address.to_canonical()) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
            _ => false,
        }
    }
}

/// The proxies whose word about the client's address is taken. None by default.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[Network]>);

impl FromIterator<Network> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = Network>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

/// Entries of `X-Forwarded-For` that are looked at, from the nearest.
const MAX_HOPS: usize = 16;

impl TrustedProxies {
    /// Who the client is: from the peer backwards through `X-Forwarded-For`, the first address
    /// that is not a trusted proxy. What stands before it may be invented and is not read.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let mut address = peer.to_canonical();
        let fields: Vec<&str> =
            headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
        let hops = fields.iter().rev().flat_map(|field| field.rsplit(',')).take(MAX_HOPS);
        for hop in hops {
            if !self.trusts(address) {
                break;
            }
            match hop.trim().parse::<IpAddr>() {
                Ok(before) => address = before.to_canonical(),
                Err(_) => break,
            }
        }
        ClientAddress(address)
    }

    /// Puts the client's address into the request's extensions unless it is there already.
    pub(crate) fn resolve(&self, headers: &HeaderMap, extensions: &mut Extensions) {
        if extensions.get::<ClientAddress>().is_none()
            && let Some(ConnectInfo(peer)) = extensions.get::<ConnectInfo<SocketAddr>>()
        {
            let client = self.client(peer.ip(), headers);
            extensions.insert(client);
        }
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(trusted: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let trusted: TrustedProxies = trusted.iter().map(|text| text.parse::<Network>().unwrap()).collect();
        let mut headers = HeaderMap::new();
        for field in forwarded {
            headers.append("x-forwarded-for", field.parse().unwrap());
        }
        trusted.client(peer.parse().unwrap(), &headers).0.to_string()
    }

    #[test]
    fn nobody_is_believed_by_default() {
        assert_eq!(client(&[], "203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
    }

    #[test]
    fn the_first_untrusted_hop_is_the_client() {
        let trusted = ["10.0.0.0/8", "::1"];
        assert_eq!(client(&trusted, "10.1.2.3", &["6.6.6.6, 198.51.100.1, 10.9.9.9"]), "198.51.100.1");
        assert_eq!(client(&trusted, "::ffff:10.1.2.3", &["6.6.6.6", "198.51.100.1"]), "198.51.100.1");
        assert_eq!(client(&trusted, "::1", &["nonsense"]), "::1");
        assert_eq!(client(&trusted, "10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn ranges() {
        let within =
            |range: &str, address: &str| range.parse::<Network>().unwrap().contains(address.parse().unwrap());
        assert!(within("0.0.0.0/0", "1.2.3.4"));
        assert!(!within("0.0.0.0/0", "::1"));
        assert!(within("2001:db8::/32", "2001:db8:1::1"));
        assert!(!within("192.0.2.0/25", "192.0.2.128"));
        for bad in ["10.0.0.0/33", "::/129", "10.0.0/8", "x", "", "10.0.0.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
