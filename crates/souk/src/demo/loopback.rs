//! Whether somebody sits at this machine.

use http::{HeaderMap, Uri, header};
use web::ClientAddress;

/// What the request was addressed to: host and port.
pub(super) fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    // HTTP/2 has it in the address, HTTP/1.1 in a field.
    uri.authority()
        .map(http::uri::Authority::as_str)
        .or_else(|| headers.get(header::HOST).and_then(|host| host.to_str().ok()))
}

/// Whether `authority` names this machine to itself.
pub(super) fn is_name(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether the request comes from this machine and was meant for it. The name counts as well: a page of
/// somebody else's can have its own name lead here (DNS rebinding), but then that is the name it uses.
pub(super) fn is_here(client: Option<ClientAddress>, uri: &Uri, headers: &HeaderMap) -> bool {
    client.is_some_and(|ClientAddress(address)| address.is_loopback())
        && authority(uri, headers).is_some_and(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine() {
        for name in ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "127.8.8.8", "[::1]:8080"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "shop.example:8080", "localhost.shop.example", "10.0.0.1", "[2001:db8::1]:80"] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn both_the_address_and_the_name_count() {
        let here = |client: &str, host: &str| {
            let headers = HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]);
            is_here(Some(ClientAddress(client.parse().unwrap())), &Uri::from_static("/"), &headers)
        };
        assert!(here("127.0.0.1", "127.0.0.1:8080"));
        assert!(!here("10.0.0.7", "127.0.0.1:8080"));
        assert!(!here("127.0.0.1", "rebound.example:8080"));
    }
}
