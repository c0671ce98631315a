//! The address rule against another way to say it, and the link check against nonsense.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::open_net;
use crate::net::is_public;

/// Octet by octet, from IANA's registries.
fn v4_is_public(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224.., ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [192, 168, ..]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [168, 63, 129, 16]
    ) && !address.is_private()
        && !address.is_loopback()
        && !address.is_link_local()
        && !address.is_multicast()
        && !address.is_broadcast()
        && !address.is_documentation()
        && !address.is_unspecified()
}

fn v6_is_public(address: Ipv6Addr) -> bool {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return v4_is_public(mapped);
    }
    let [a, b, ..] = address.segments();
    (0x2000..0x4000).contains(&a)
        && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
        && a != 0x2002
        && !(a == 0x3fff && b < 0x1000)
        && !address.is_multicast()
        && !address.is_unique_local()
        && !address.is_unicast_link_local()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn v4_rules_agree(bits: u32) {
        let address = Ipv4Addr::from(bits);
        prop_assert_eq!(is_public(IpAddr::V4(address)), v4_is_public(address));
        prop_assert_eq!(is_public(IpAddr::V6(address.to_ipv6_mapped())), v4_is_public(address));
        prop_assert!(!is_public(IpAddr::V6(address.to_ipv6_compatible())));
    }

    #[test]
    fn v4_rules_agree_near_the_special_ones(first in prop::sample::select(vec![0u8, 10, 100, 127, 168, 169, 172, 192, 198, 203, 223, 224, 255]), rest: [u8; 3]) {
        let address = Ipv4Addr::new(first, rest[0], rest[1], rest[2]);
        prop_assert_eq!(is_public(address.into()), v4_is_public(address));
    }

    #[test]
    fn v6_rules_agree(bits: u128, high in prop::option::of(prop::sample::select(vec![0u16, 0x64, 0x100, 0x2001, 0x2002, 0x2606, 0x3fff, 0x5f00, 0xfc00, 0xfe80, 0xff02])), second in 0u16..0x2000) {
        let mut segments = Ipv6Addr::from(bits).segments();
        if let Some(high) = high {
            (segments[0], segments[1]) = (high, second);
        }
        let address = Ipv6Addr::from(segments);
        prop_assert_eq!(is_public(address.into()), v6_is_public(address));
    }
}

#[test]
fn the_link_check_never_panics_and_never_lets_local_addresses_pass() {
    let mut config = super::config();
    config.allow_hosts = vec![];
    let net = super::Net::new(&config).unwrap();
    let open = open_net();
    let hosts = prop::string::string_regex("[0-9a-fx.:\\[\\]@#%/\\\\①②。]{0,24}").unwrap();
    proptest!(|(text in any::<String>(), host in hosts, bits: u32, tail: String)| {
        let links = [text.clone(), format!("http://{text}/"), format!("https://{host}"), format!("http://{}/{tail}", Ipv4Addr::from(bits)), format!("http://{bits}/")];
        for link in links {
            let _ = open.check_url(&link);
            if let Ok(url) = net.check_url(&link) {
                prop_assert!(matches!(url.scheme(), "http" | "https"));
                match url.host() {
                    Some(url::Host::Ipv4(address)) => prop_assert!(v4_is_public(address), "{}", url),
                    Some(url::Host::Ipv6(address)) => prop_assert!(v6_is_public(address), "{}", url),
                    host => prop_assert!(host.is_some()),
                }
            }
        }
    });
}
