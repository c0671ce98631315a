use proptest::prelude::*;

use super::*;
use crate::signatures::a_bogus::rc4;

const VECTORS: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/abogus_vectors.json"));

#[test]
fn every_known_signature_is_computed() {
    let checked = check_vectors(VECTORS).unwrap();
    assert_eq!(checked.len(), 12);
    let wrong: Vec<_> = checked.iter().filter(|case| !case.matches).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let broken = VECTORS.replace("\"POST\"", "\"GET\"");
    let wrong: Vec<_> = check_vectors(&broken).unwrap().into_iter().filter(|case| !case.matches).collect();
    assert_eq!(wrong.len(), 1, "a wrong file is noticed");
    assert!(check_vectors("{}").is_err());
}

#[test]
fn the_stream_cipher_is_the_known_one() {
    let keystream = [69, 132, 164, 66, 132, 231, 73, 53, 233, 160, 170, 115, 55, 196, 129, 61];
    assert_eq!(rc4(b"y", &[0; 16]), keystream);
    // A vector of RFC 6229: 40 bits of key.
    assert_eq!(rc4(&[1, 2, 3, 4, 5], &[0; 8]), [0xb2, 0x39, 0x63, 0x05, 0xf0, 0x3d, 0xc0, 0x27]);
}

#[test]
fn the_second_signature_covers_id_time_and_query() {
    // Computed with md5sum over "u1_1793600000_<salt>_aid=6383&uifid=u1&timestamp=1793600000".
    let query = query([("aid", "6383"), ("uifid", "u1"), ("timestamp", "1793600000")]);
    assert_eq!(web_signature::sign(&query, "u1", "1793600000"), "296f9843aad3387fa1205b8273d766d2");
    assert!(web_signature::applies_to("/aweme/v1/web/aweme/detail/"));
    assert!(!web_signature::applies_to("/aweme/v1/web/user/profile/other/"));
    assert!(!web_signature::applies_to("/aweme/v1/web/comment/list/"));
}

proptest! {
    #[test]
    fn anything_can_be_signed_and_what_is_signed_is_what_is_sent(
        name in ".*", value in ".*", user_agent in ".*", browser in ".*", start_ms: u64, noise: [u16; 3],
    ) {
        let query = query([(name.as_str(), value.as_str()), ("aweme_id", "1")]);
        let url = url::Url::parse(&format!("https://www.douyin.com/aweme/?{query}")).unwrap();
        prop_assert_eq!(url.query(), Some(query.as_str()));
        let signed = ABogus {
            query: &query, method: "GET", user_agent: &user_agent, browser: &browser,
            start_ms, end_ms: start_ms.wrapping_add(5), noise,
        }.sign();
        let (time, digests) = a_bogus::opened(&signed).unwrap();
        prop_assert_eq!(time, start_ms.wrapping_add(5) & 0xFF_FFFF_FFFF);
        prop_assert_eq!(digests, a_bogus::digests(&query, "GET", &user_agent));
    }
}
