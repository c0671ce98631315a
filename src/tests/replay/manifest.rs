//! A folder of captures: `manifest.json` says what was asked, what was answered, and what a correct resolver makes of it;
//! `links.json` says how links are read.

use std::{collections::BTreeMap, path::Path};

use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// `manifest.json`.
#[derive(Deserialize)]
struct Manifest {
    fixtures: Vec<Raw>,
}

#[derive(Deserialize)]
struct Raw {
    file: Option<String>,
    answers: Asked,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    expect: Value,
}

/// The request that a capture answers.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    pub host: Option<String>,
    #[serde(default)]
    pub path: String,
    #[serde(default)]
    pub query: BTreeMap<String, String>,
    /// A word about the cookie that the request must or must not carry.
    #[serde(default)]
    pub cookie: Option<String>,
    /// A command line instead of a request.
    #[serde(default)]
    pub command: Option<String>,
    #[serde(default)]
    pub exit_code: i32,
}

/// One capture.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Its file, or what it answers when it has none.
    pub name: String,
    pub asked: Asked,
    /// The host that the request goes to.
    pub host: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub expect: Value,
}

/// Reads the manifest and the bodies. `stub` (host:port) takes the place of the media and page hosts.
pub fn read(folder: &Path, stub: &str) -> Result<Vec<Capture>, String> {
    let text = file(&folder.join("manifest.json"))?;
    let text = fill(&String::from_utf8_lossy(&text), stub);
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| format!("manifest.json: {error}"))?;
    let capture = |raw: Raw| {
        let body = match &raw.file {
            Some(name) => fill_bytes(file(&folder.join(name))?, stub),
            None => stand_in(&raw.headers),
        };
        let host = raw.answers.host.clone().unwrap_or_else(|| host_of(&raw.answers.path, stub).to_owned());
        Ok(Capture {
            name: raw.file.unwrap_or_else(|| format!("{host}{}", raw.answers.path)),
            host,
            asked: raw.answers,
            status: raw.status,
            headers: raw.headers.into_iter().collect(),
            body,
            expect: raw.expect,
        })
    };
    manifest.fixtures.into_iter().map(capture).collect()
}

/// As many bytes as a capture without a file announces.
fn stand_in(headers: &BTreeMap<String, String>) -> Vec<u8> {
    let length = headers.get("Content-Length").and_then(|length| length.parse().ok());
    vec![0; length.unwrap_or(0)]
}

/// The host of a request whose capture does not name it.
fn host_of<'a>(path: &str, stub: &'a str) -> &'a str {
    match path {
        _ if path.starts_with("/aweme/v1/web/") => "www.douyin.com",
        _ if path.starts_with("/api/v1/") => "api.tikhub.io",
        _ if path.starts_with("/api/") => "www.tiktok.com",
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
        let named = ["aweme_id", "aweme_ids", "itemId", "mix_id", "item_id"];
        let in_query = named.iter().find_map(|name| self.asked.query.get(*name));
        let digits = |text: &str| {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            Some(digits).filter(|digits| digits.len() >= 15)
        };
        in_query.and_then(|text| digits(text)).or_else(|| self.asked.path.split('/').rev().find_map(digits))
    }

    /// The address that was asked for, without its query.
    pub fn url(&self) -> Result<Url, String> {
        let scheme = if self.host.contains(':') { "http" } else { "https" };
        Url::parse(&format!("{scheme}://{}{}", self.host, self.asked.path)).map_err(|error| error.to_string())
    }
}

/// One case of `links.json`.
#[derive(Deserialize)]
pub struct LinkCase {
    pub input: String,
    /// What the link is; null when it belongs to no platform.
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
