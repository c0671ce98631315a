use bytes::Bytes;

use super::*;

fn answer(status: u16, body: impl Into<Bytes>) -> Response {
    let url = "https://api.tikhub.io/api/v1/x".parse().unwrap();
    Response { url, status, headers: vec![("Retry-After".into(), "7".into())], body: body.into(), truncated: false }
}

macro_rules! fixture {
    ($name:literal) => {
        &include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/tikhub/", $name))[..]
    };
}

#[test]
fn the_envelope_holds_what_the_platform_said() {
    let data = data(&answer(200, fixture!("douyin_fetch_one_video.json"))).unwrap();
    assert_eq!(data["aweme_detail"]["aweme_id"], "7600000000000000101");
}

#[test]
fn errors_are_about_the_way_and_say_what_to_do() {
    for (status, body, class) in [
        (401, fixture!("error_401.json"), ErrorClass::Credentials),
        (403, b"", ErrorClass::Credentials),
        (402, b"", ErrorClass::Credentials),
        (429, fixture!("error_429.json"), ErrorClass::RateLimited),
        (400, b"{}", ErrorClass::SiteError),
        (422, b"{}", ErrorClass::SiteError),
        (404, b"", ErrorClass::SiteError),
        (302, b"", ErrorClass::SiteError),
        (503, b"<html>", ErrorClass::SiteError),
        (200, b"<html>", ErrorClass::SiteError),
        (200, b"", ErrorClass::SiteError),
        (200, br#"{"code":402,"data":null}"#, ErrorClass::Credentials),
        (200, br#"{"code":200,"data":null}"#, ErrorClass::Blocked),
        (200, b"[1]", ErrorClass::Blocked),
    ] {
        let error = data(&answer(status, body)).unwrap_err();
        assert_eq!(error.class, class, "{status} {}", String::from_utf8_lossy(body));
        let waits = (status >= 300 || body.starts_with(br#"{"code":402"#)).then_some(std::time::Duration::from_secs(7));
        assert_eq!(error.retry_after, waits);
    }
}
