//! Which addresses may be dialled: those of the public internet, for a provider's host has no other.
//!
//! A name may lead anywhere, and whoever answers for it may change the answer. So each address that a name leads to is
//! looked at before anything is sent. This module opens no socket and resolves no name.
//!
//! The ranges are those of IANA's registries of special-purpose addresses (RFC 6890 and its updates).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not of the public internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Special {
    /// `0.0.0.0/8` and `::`, which lead to this machine on many systems.
    Unspecified,
    /// `127.0.0.0/8` and `::1`.
    Loopback,
    /// `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`.
    Private,
    /// `fc00::/7`, and `fec0::/10` of old.
    UniqueLocal,
    /// `100.64.0.0/10`: between a network's carrier and its customers.
    Shared,
    /// `169.254.0.0/16` and `fe80::/10`.
    LinkLocal,
    /// Where clouds hand out the credentials of their machines: `169.254.169.254` (most), `100.100.100.200` (Alibaba),
    /// `192.0.0.192` (Oracle), `fd00:ec2::254` (AWS), `fd20:ce::254` (Google).
    Metadata,
    /// `224.0.0.0/4` and `ff00::/8`.
    Multicast,
    /// `255.255.255.255`.
    Broadcast,
    /// `192.0.2.0/24`, `198.51.100.0/24`, `203.0.113.0/24`, `2001:db8::/32`, `3fff::/20`.
    Documentation,
    /// `198.18.0.0/15` and `2001:2::/48`.
    Benchmarking,
    /// `192.0.0.0/24`, `192.31.196.0/24`, `192.52.193.0/24`, `192.88.99.0/24`, `192.175.48.0/24`, the rest of
    /// `2001::/23`, `100::/64`, `5f00::/16`: kept for protocols.
    Protocol,
    /// An address of IPv4 in one of IPv6: `::ffff:0:0/96`, `::/96`, `2002::/16`, `2001::/32`, `64:ff9b:1::/48`.
    Embedded,
    /// `240.0.0.0/4`, and of IPv6 all that is not `2000::/3`.
    Reserved,
}

impl Special {
    /// Returns what the address is, as the end of a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::UniqueLocal => "a unique local address",
            Self::Shared => "an address shared by a carrier",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "where a cloud hands out credentials",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "a broadcast address",
            Self::Documentation => "an address of documentation",
            Self::Benchmarking => "an address of benchmarks",
            Self::Protocol => "an address of a protocol",
            Self::Embedded => "an IPv4 address written as one of IPv6",
            Self::Reserved => "a reserved address",
        }
    }

    /// Whether a gateway of one's own may have it. Where clouds hand out credentials, or where nobody answers, none is.
    pub fn may_be_a_gateway(self) -> bool {
        matches!(self, Self::Loopback | Self::Private | Self::UniqueLocal | Self::Shared)
    }
}

/// Says why an address is not of the public internet; nothing where it is.
pub fn special(address: IpAddr) -> Option<Special> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<Special> {
    let within = |network: [u8; 4], bits: u32| {
        let shift = 32 - bits;
        u32::from(address) >> shift == u32::from_be_bytes(network) >> shift
    };
    let ranges = [
        (Special::Metadata, [169, 254, 169, 254], 32),
        (Special::Metadata, [100, 100, 100, 200], 32),
        (Special::Metadata, [192, 0, 0, 192], 32),
        (Special::Unspecified, [0, 0, 0, 0], 8),
        (Special::Private, [10, 0, 0, 0], 8),
        (Special::Shared, [100, 64, 0, 0], 10),
        (Special::Loopback, [127, 0, 0, 0], 8),
        (Special::LinkLocal, [169, 254, 0, 0], 16),
        (Special::Private, [172, 16, 0, 0], 12),
        (Special::Protocol, [192, 0, 0, 0], 24),
        (Special::Documentation, [192, 0, 2, 0], 24),
        (Special::Protocol, [192, 31, 196, 0], 24),
        (Special::Protocol, [192, 52, 193, 0], 24),
        (Special::Protocol, [192, 88, 99, 0], 24),
        (Special::Private, [192, 168, 0, 0], 16),
        (Special::Protocol, [192, 175, 48, 0], 24),
        (Special::Benchmarking, [198, 18, 0, 0], 15),
        (Special::Documentation, [198, 51, 100, 0], 24),
        (Special::Documentation, [203, 0, 113, 0], 24),
        (Special::Multicast, [224, 0, 0, 0], 4),
        (Special::Broadcast, [255, 255, 255, 255], 32),
        (Special::Reserved, [240, 0, 0, 0], 4),
    ];
    ranges.into_iter().find(|(_, network, bits)| within(*network, *bits)).map(|(kind, ..)| kind)
}

fn special_v6(address: Ipv6Addr) -> Option<Special> {
    if address.is_unspecified() {
        return Some(Special::Unspecified);
    }
    if address.is_loopback() {
        return Some(Special::Loopback);
    }
    let metadata =
        [Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254), Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)];
    if metadata.contains(&address) {
        return Some(Special::Metadata);
    }
    let within = |network: [u16; 4], bits: u32| {
        let shift = 128 - bits;
        let network = Ipv6Addr::new(network[0], network[1], network[2], network[3], 0, 0, 0, 0);
        u128::from(address) >> shift == u128::from(network) >> shift
    };
    let last = Ipv4Addr::from((u128::from(address) & 0xffff_ffff) as u32);
    // No name of a provider leads to these; what they carry says better than they do why they are refused.
    let mapped = address.to_ipv4_mapped().is_some();
    if mapped || within([0, 0, 0, 0], 96) {
        return Some(special_v4(last).unwrap_or(Special::Embedded));
    }
    if within([0x2002, 0, 0, 0], 16) {
        let segments = address.segments();
        let carried = Ipv4Addr::from(u32::from(segments[1]) << 16 | u32::from(segments[2]));
        return Some(special_v4(carried).unwrap_or(Special::Embedded));
    }
    // A network without IPv4 reaches every host of IPv4 by this prefix, so the host's own address decides.
    if within([0x64, 0xff9b, 0, 0], 96) {
        return special_v4(last);
    }
    let ranges = [
        (Special::Embedded, [0x64, 0xff9b, 1, 0], 48),
        (Special::Protocol, [0x100, 0, 0, 0], 64),
        (Special::Embedded, [0x2001, 0, 0, 0], 32),
        (Special::Benchmarking, [0x2001, 2, 0, 0], 48),
        (Special::Protocol, [0x2001, 0, 0, 0], 23),
        (Special::Documentation, [0x2001, 0xdb8, 0, 0], 32),
        (Special::Documentation, [0x3fff, 0, 0, 0], 20),
        (Special::Protocol, [0x5f00, 0, 0, 0], 16),
        (Special::UniqueLocal, [0xfc00, 0, 0, 0], 7),
        (Special::LinkLocal, [0xfe80, 0, 0, 0], 10),
        (Special::UniqueLocal, [0xfec0, 0, 0, 0], 10),
        (Special::Multicast, [0xff00, 0, 0, 0], 8),
    ];
    let known = ranges.into_iter().find(|(_, network, bits)| within(*network, *bits)).map(|(kind, ..)| kind);
    // Everything that IANA has given to networks of the internet begins with the bits 001.
    known.or_else(|| (!within([0x2000, 0, 0, 0], 3)).then_some(Special::Reserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Addresses at both ends of each range, and what they are.
    const SPECIAL: [(&str, Special); 66] = [
        ("0.0.0.0", Special::Unspecified),
        ("0.1.2.3", Special::Unspecified),
        ("10.0.0.0", Special::Private),
        ("10.255.255.255", Special::Private),
        ("100.64.0.0", Special::Shared),
        ("100.127.255.255", Special::Shared),
        ("127.0.0.1", Special::Loopback),
        ("127.255.255.254", Special::Loopback),
        ("169.254.0.1", Special::LinkLocal),
        ("169.254.169.253", Special::LinkLocal),
        ("169.254.169.254", Special::Metadata),
        ("100.100.100.200", Special::Metadata),
        ("192.0.0.192", Special::Metadata),
        ("fd00:ec2::254", Special::Metadata),
        ("fd20:ce::254", Special::Metadata),
        ("172.16.0.0", Special::Private),
        ("172.31.255.255", Special::Private),
        ("192.0.0.8", Special::Protocol),
        ("192.0.2.1", Special::Documentation),
        ("192.31.196.1", Special::Protocol),
        ("192.52.193.1", Special::Protocol),
        ("192.88.99.1", Special::Protocol),
        ("192.168.0.1", Special::Private),
        ("192.168.255.255", Special::Private),
        ("192.175.48.1", Special::Protocol),
        ("198.18.0.0", Special::Benchmarking),
        ("198.19.255.255", Special::Benchmarking),
        ("198.51.100.7", Special::Documentation),
        ("203.0.113.7", Special::Documentation),
        ("224.0.0.1", Special::Multicast),
        ("239.255.255.255", Special::Multicast),
        ("240.0.0.1", Special::Reserved),
        ("255.255.255.254", Special::Reserved),
        ("255.255.255.255", Special::Broadcast),
        ("::", Special::Unspecified),
        ("::1", Special::Loopback),
        ("::2", Special::Unspecified),
        ("::127.0.0.1", Special::Loopback),
        ("::8.8.8.8", Special::Embedded),
        ("::ffff:127.0.0.1", Special::Loopback),
        ("::ffff:10.1.2.3", Special::Private),
        ("::ffff:169.254.169.254", Special::Metadata),
        ("::ffff:0.0.0.0", Special::Unspecified),
        ("::ffff:8.8.8.8", Special::Embedded),
        ("64:ff9b::7f00:1", Special::Loopback),
        ("64:ff9b::a9fe:a9fe", Special::Metadata),
        ("64:ff9b:1::808:808", Special::Embedded),
        ("100::1", Special::Protocol),
        ("2001::1", Special::Embedded),
        ("2001:2::1", Special::Benchmarking),
        ("2001:10::1", Special::Protocol),
        ("2001:1ff:ffff::1", Special::Protocol),
        ("2001:db8::1", Special::Documentation),
        ("3fff:fff::1", Special::Documentation),
        ("2002:7f00:1::1", Special::Loopback),
        ("2002:a9fe:a9fe::1", Special::Metadata),
        ("2002:808:808::1", Special::Embedded),
        ("5f00::1", Special::Protocol),
        ("fc00::1", Special::UniqueLocal),
        ("fdff::1", Special::UniqueLocal),
        ("fe80::1", Special::LinkLocal),
        ("febf::1", Special::LinkLocal),
        ("fec0::1", Special::UniqueLocal),
        ("ff02::1", Special::Multicast),
        ("4000::1", Special::Reserved),
        ("1:2::3", Special::Reserved),
    ];

    /// Addresses beside the ranges.
    const PUBLIC: [&str; 21] = [
        "1.0.0.0",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "64:ff9b::808:808",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00::1",
    ];

    #[test]
    fn every_special_address_is_named() {
        for (text, kind) in SPECIAL {
            assert_eq!(special(text.parse().expect("an address")), Some(kind), "{text}");
        }
    }

    #[test]
    fn the_neighbours_of_the_ranges_are_public() {
        for text in PUBLIC {
            assert_eq!(special(text.parse().expect("an address")), None, "{text}");
        }
    }

    #[test]
    fn a_gateway_of_ones_own_never_has_an_address_where_clouds_hand_out_credentials() {
        let allowed = |text: &str| special(text.parse().expect("an address")).is_some_and(Special::may_be_a_gateway);
        assert!(["127.0.0.1", "10.0.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "::1"].into_iter().all(allowed));
        let refused = [
            "169.254.169.254",
            "fd00:ec2::254",
            "100.100.100.200",
            "0.0.0.0",
            "224.0.0.1",
            "fe80::1",
            "::ffff:169.254.169.254",
            "192.0.2.1",
        ];
        assert!(!refused.into_iter().any(allowed));
    }
}
