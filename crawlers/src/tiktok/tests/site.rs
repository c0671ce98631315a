//! TikTok in memory, as strict as the real one, out of the fixtures.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    Request, Response,
    stub::{header, said},
    tiktok::jar::Jar,
};

pub(super) const ID: &str = "7611111111111111111";
pub(super) const LINK: &str = "https://www.tiktok.com/@weekly.wren/video/7611111111111111111";
pub(super) const SEC_UID: &str = "MS4wLjABAAAAinventedweekly.wrenSecUid0123456789abcdef";

/// A fixture's text; media are at `media.example`.
pub(super) fn fixture(name: &str) -> String {
    let path = format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap().replace("MEDIA_HOST", "media.example")
}

/// The manifest's entries about TikTok.
pub(super) fn entries() -> Vec<Value> {
    let manifest: Value = serde_json::from_str(&fixture("manifest.json")).unwrap();
    let all = manifest["fixtures"].as_array().unwrap().iter();
    let is_ours = |entry: &&Value| {
        let file = entry["file"].as_str().unwrap_or_default();
        file.starts_with("tiktok/") || entry["answers"]["host"].as_str().is_some_and(|host| host.contains("tiktok"))
    };
    all.filter(is_ours).cloned().collect()
}

/// The entry with this file.
pub(super) fn entry(file: &str) -> Value {
    let is_it = |entry: &Value| entry["file"] == format!("tiktok/{file}");
    entries().into_iter().find(is_it).unwrap_or_else(|| panic!("{file}"))
}

/// What an entry answers.
pub(super) fn answer(entry: &Value) -> Response {
    let headers = entry["headers"].as_object().unwrap().iter();
    let headers: Vec<_> = headers.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    let body = entry["file"].as_str().map(fixture).unwrap_or_default();
    said(u16::try_from(entry["status"].as_u64().unwrap()).unwrap(), &headers, body)
}

/// Whether an entry is for this request.
pub(super) fn matches(entry: &Value, request: &Request) -> bool {
    let (asked, url) = (&entry["answers"], &request.url);
    let fits = |(name, wanted): (&String, &Value)| match wanted.as_str().unwrap() {
        "…" => query(request, name).is_some(),
        "absent" => query(request, name).is_none(),
        "19 digits" => is_device(query(request, name)),
        "now in ms" => query(request, name).is_some_and(|ms| ms.len() == 13 && ms.starts_with('1')),
        exactly => query(request, name).as_deref() == Some(exactly),
    };
    asked["host"].as_str().is_none_or(|host| url.host_str() == Some(host))
        && asked["path"] == url.path()
        && asked["query"].as_object().is_none_or(|query| query.iter().all(fits))
}

/// The platform, on a good day.
pub(super) fn platform(request: &Request) -> Response {
    let host = request.url.host_str().unwrap();
    assert!(!request.follow, "redirects may lead anywhere: {}", request.url);
    assert!(matches!(
        host,
        "www.tiktok.com" | "vm.tiktok.com" | "vt.tiktok.com" | "api22-normal-c-alisg.tiktokv.com" | "api.tikhub.io"
    ));
    let invented = query(request, "msToken").is_some_and(|token| !matches!(&*token, "" | "realToken"));
    if request.url.path() == "/api/item/detail/" && (invented || !is_device(query(request, "device_id"))) {
        return answer(&entry("item_detail_empty.txt"));
    }
    let fitting = entries().into_iter().rev().filter(|entry| matches(entry, request));
    // What an entry asks for word by word counts more than what it describes.
    let literal =
        |entry: &Value| entry["answers"]["query"]["cursor"].as_str().is_some_and(|cursor| !cursor.contains(' '));
    fitting.max_by_key(literal).map_or_else(|| said(404, &[], ""), |entry| answer(&entry))
}

/// Whether a request brings the answer to a challenge.
pub(super) fn is_solved(expected: &Value, request: &Request) -> bool {
    let cookies = Jar::of(header(request, "Cookie").unwrap_or_default());
    let decoded = |cookie: &str| serde_json::from_slice::<Value>(&STANDARD.decode(cookie).unwrap()).unwrap();
    expected["_wafchallengeid"].as_str().zip(cookies.get("_wafchallengeid")).is_some_and(|(expected, given)| {
        assert_eq!(decoded(given), decoded(expected));
        true
    }) && expected["waforiginalreid"].as_str() == cookies.get("waforiginalreid")
}

/// A parameter of a request.
pub(super) fn query(request: &Request, name: &str) -> Option<String> {
    request.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn is_device(id: Option<String>) -> bool {
    id.is_some_and(|id| id.len() == 19 && id.bytes().all(|byte| byte.is_ascii_digit()))
}
