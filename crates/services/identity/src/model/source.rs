use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where requests come from, as far as one household, office or host can be told from another: an
/// IPv4 address, or the /64 of an IPv6 address, within which a host may take any address it likes.
///
/// This is what limits are counted by. It is never stored.
pub(crate) fn counted(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{}/64", masked_v6(address, 64)),
    }
}

/// The network that a request came from, coarse enough not to point at one person: the /24 of an
/// IPv4 address, the /48 of an IPv6 address. This is what is stored and shown.
pub(crate) fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("{}/24", Ipv4Addr::from_bits(address.to_bits() & !0xff)),
        IpAddr::V6(address) => format!("{}/48", masked_v6(address, 48)),
    }
}

fn masked_v6(address: Ipv6Addr, prefix: u32) -> Ipv6Addr {
    Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << (128 - prefix)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_cannot_look_like_many_by_changing_its_ipv6_address() {
        let counted = |text: &str| counted(text.parse().unwrap());
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), counted("2001:db8:1:2:ffff::1"));
        assert_ne!(counted("2001:db8:1:2::1"), counted("2001:db8:1:3::1"));
        assert_eq!(counted("::ffff:192.0.2.7"), "192.0.2.7");
    }

    #[test]
    fn what_is_stored_is_coarse() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("192.0.2.7"), "192.0.2.0/24");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.0/24");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1::/48");
    }
}
