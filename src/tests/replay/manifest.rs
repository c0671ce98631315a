//! A folder of captures: `manifest.json` says what was asked, what was answered, and what a correct resolver makes of it;
//! `links.json` says how links are read.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use url::Url;

/// `manifest.json`. Its entries are read one by one, so that one that is wrong leaves the others.
#[derive(Deserialize)]
struct Manifest {
    fixtures: Vec<Value>,
}

#[derive(Deserialize)]
struct Raw {
    file: Option<String>,
    name: Option<String>,
    answers: Asked,
    #[serde(default = "fine")]
    status: u16,
    #[serde(default)]
    headers: Words,
    #[serde(default)]
    expect: Value,
}

/// The request that a capture answers.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub host: Option<String>,
    #[serde(default)]
    pub path: String,
    #[serde(default, deserialize_with = "texts")]
    pub query: BTreeMap<String, String>,
    /// A word about the cookie that the request must or must not carry.
    #[serde(default)]
    pub cookie: Option<Value>,
    /// A command line instead of a request.
    #[serde(default)]
    pub command: Option<String>,
    #[serde(default)]
    pub exit_code: i32,
}

/// Names with whatever people write beside them: a text, a number, or several.
type Words = BTreeMap<String, Value>;

/// One capture.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Its name or file, or what it answers when it has neither.
    pub name: String,
    pub asked: Asked,
    /// The host that the request goes to.
    pub host: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub expect: Value,
}

/// An entry that cannot be played: what it calls itself, and why.
pub type Unplayable = (String, String);

/// Reads the manifest and the bodies. `stub` (host:port) takes the place of the media and page hosts.
pub fn read(folder: &Path, stub: &str) -> Result<Vec<Result<Capture, Unplayable>>, String> {
    let text = file(&folder.join("manifest.json"))?;
    let text = fill(&String::from_utf8_lossy(&text), stub);
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| format!("manifest.json: {error}"))?;
    Ok(manifest.fixtures.into_iter().enumerate().map(|(index, entry)| capture(folder, stub, index, entry)).collect())
}

fn capture(folder: &Path, stub: &str, index: usize, entry: Value) -> Result<Capture, Unplayable> {
    let named = ["name", "file"].iter().find_map(|name| entry[*name].as_str()).map(str::to_owned);
    let broken = |why: String| (named.clone().unwrap_or_else(|| format!("entry {}", index + 1)), why);
    let raw: Raw = serde_json::from_value(entry.clone()).map_err(|error| broken(error.to_string()))?;
    let body = match &raw.file {
        Some(name) => fill_bytes(file(&folder.join(name)).map_err(broken)?, stub),
        None => stand_in(&raw.headers),
    };
    let host = raw.answers.host.clone().unwrap_or_else(|| host_of(&raw.answers.path, stub).to_owned());
    let name = raw.file.or(raw.name).unwrap_or_else(|| format!("{host}{}", raw.answers.path));
    let headers = raw.headers.iter().flat_map(|(name, value)| listed(value).map(|value| (name.clone(), value)));
    let headers = headers.collect();
    Ok(Capture { name, host, asked: raw.answers, status: raw.status, headers, body, expect: raw.expect })
}

fn fine() -> u16 {
    200
}

/// A value as text; of several each.
fn listed(value: &Value) -> impl Iterator<Item = String> {
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    values.iter().map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn texts<'a, D: Deserializer<'a>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(maybe_texts(from)?.unwrap_or_default())
}

fn maybe_texts<'a, D: Deserializer<'a>>(from: D) -> Result<Option<BTreeMap<String, String>>, D::Error> {
    let text = |(name, value)| (name, listed(&value).collect::<Vec<_>>().join(","));
    Ok(Option::<Words>::deserialize(from)?.map(|values| values.into_iter().map(text).collect()))
}

/// As many bytes as a capture without a file announces, up to a few: who looks at it reads no more.
fn stand_in(headers: &Words) -> Vec<u8> {
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|(_, length)| listed(length).next()?.parse().ok());
    vec![0; length.unwrap_or(0).min(64 * 1024)]
}

/// The host of a request whose capture does not name it.
fn host_of<'a>(path: &str, stub: &'a str) -> &'a str {
    match path {
        _ if path.starts_with("/aweme/v1/web/") => "www.douyin.com",
        _ if path.starts_with("/web/api/v2/aweme/") || path.starts_with("/share/") => "www.iesdouyin.com",
        _ if path.starts_with("/ttwid/") => "ttwid.bytedance.com",
        _ if path.starts_with("/aweme/v1/feed/") => "api22-normal-c-alisg.tiktokv.com",
        _ if path.starts_with("/api/v1/") => "api.tikhub.io",
        _ if path.starts_with("/api/") || path.starts_with("/@") || path.starts_with("/oembed") => "www.tiktok.com",
        _ => stub,
    }
}

fn file(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn fill(text: &str, stub: &str) -> String {
    text.replace("MEDIA_HOST", stub).replace("PAGE_HOST", stub)
}

fn fill_bytes(bytes: Vec<u8>, stub: &str) -> Vec<u8> {
    match String::from_utf8(bytes) {
        Ok(text) => fill(&text, stub).into_bytes(),
        Err(error) => error.into_bytes(),
    }
}

impl Capture {
    /// A number of the query, or of the path, that names the post or the list.
    pub fn id(&self) -> Option<String> {
        let named =
            ["aweme_id", "aweme_ids", "itemId", "mix_id", "mixId", "collectionId", "music_id", "item_id", "url"];
        let in_query = named.iter().filter_map(|name| self.asked.query.get(*name)).find_map(|text| digits(text));
        in_query.or_else(|| digits(&self.asked.path))
    }

    /// The address that was asked for, without its query.
    pub fn url(&self) -> Result<Url, String> {
        let scheme = if self.host.contains(':') { "http" } else { "https" };
        Url::parse(&format!("{scheme}://{}{}", self.host, self.asked.path)).map_err(|error| error.to_string())
    }
}

/// The last number of a text that is long enough to be an id.
fn digits(text: &str) -> Option<String> {
    let numbers = text.rsplit(|c: char| !c.is_ascii_digit());
    numbers.into_iter().find(|number| number.len() >= 15).map(str::to_owned)
}

/// One case of `links.json`.
#[derive(Deserialize)]
pub struct LinkCase {
    pub input: String,
    /// What the link is; null when it belongs to no platform.
    #[serde(deserialize_with = "maybe_texts")]
    pub expect: Option<BTreeMap<String, String>>,
}

/// The cases of `links.json`; none when there is no such file.
pub fn links(folder: &Path) -> Result<Vec<LinkCase>, String> {
    #[derive(Deserialize)]
    struct File {
        cases: Vec<LinkCase>,
    }
    let path = folder.join("links.json");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let file: File = serde_json::from_slice(&file(&path)?).map_err(|error| format!("links.json: {error}"))?;
    Ok(file.cases)
}
