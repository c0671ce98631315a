//! What an operator may change without a new binary: which ways are tried and in which order, hosts, user agents,
//! parameters, pace. The defaults are the `[crawlers]` part of `config/default.toml`.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

/// All settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Douyin.
    pub douyin: Platform,
    /// TikTok.
    pub tiktok: Platform,
    /// The paid service that knows both.
    pub tikhub: TikHub,
    /// The program that knows everything else.
    pub ytdlp: YtDlp,
    /// How often we ask.
    pub pace: PaceSettings,
}

/// One platform.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// The strategies in the order in which they are tried. One that is not named here is switched off.
    pub strategies: Vec<String>,
    /// What we call a host of the platform → the host, or a base URL such as `http://127.0.0.1:9`.
    pub hosts: BTreeMap<String, String>,
    /// User agents of desktop browsers, the preferred one first; the next is taken when a page refuses it.
    pub user_agents: Vec<String>,
    /// The user agent for pages that are made for phones.
    pub mobile_user_agent: String,
    /// Query parameters of the web API which replace ours or are sent in addition. An empty value leaves one out.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
    /// How requests to the web API are signed: a scheme's name, or `none`.
    pub signature: String,
    /// The window of the browser that we claim to be, as `a_bogus` wants it; empty where nobody asks.
    pub browser: String,
    /// A link that should always work, for `trawl doctor`; empty: none.
    pub canary: String,
}

/// The paid service.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TikHub {
    /// Where its API is.
    pub base_url: String,
    /// The key; empty switches it off.
    pub key: String,
}

impl std::fmt::Debug for TikHub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TikHub").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// yt-dlp.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct YtDlp {
    /// The program; empty switches it off. One that is not installed is as good as switched off.
    pub program: String,
    /// Hosts (and all below them) whose links go to yt-dlp without looking at the page first.
    pub hosts: Vec<String>,
    /// Arguments in addition to ours.
    pub arguments: Vec<String>,
    /// The longest that one run may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

/// How often we ask one platform, and when we stop asking for a while.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PaceSettings {
    /// Time between two requests about posts, of one identity to one endpoint.
    #[serde(with = "humantime_serde")]
    pub post_every: Duration,
    /// How many of them may be made at once after a rest.
    pub post_burst: u32,
    /// Time between two requests for lists.
    #[serde(with = "humantime_serde")]
    pub list_every: Duration,
    /// How many of them may be made at once after a rest.
    pub list_burst: u32,
    /// After so many failures of one strategy in a row it rests.
    pub breaker_failures: u32,
    /// For so long.
    #[serde(with = "humantime_serde")]
    pub breaker_rest: Duration,
}

impl Platform {
    /// The URL of `path_and_query` (which begins with a slash) at the host that we call `name`.
    pub(crate) fn url(&self, name: &str, path_and_query: &str) -> Result<url::Url, url::ParseError> {
        let host = self.hosts.get(name).map_or("", String::as_str);
        let base = if host.contains("://") { host.trim_end_matches('/').to_owned() } else { format!("https://{host}") };
        url::Url::parse(&format!("{base}{path_and_query}"))
    }

    /// The user agent of the `turn`th try, counted from 0; it starts again after the last.
    pub(crate) fn user_agent(&self, turn: usize) -> &str {
        match self.user_agents.len() {
            0 => "",
            count => &self.user_agents[turn % count],
        }
    }
}

impl Settings {
    /// The platforms that have settings of their own, by name: those with strategies, a canary and identities.
    pub fn platforms(&self) -> [(&'static str, &Platform); 2] {
        [("douyin", &self.douyin), ("tiktok", &self.tiktok)]
    }

    /// The settings that trawl ships.
    pub fn shipped() -> Self {
        #[derive(Deserialize)]
        struct File {
            crawlers: Settings,
        }
        // The file is part of the program, and every test reads it.
        let file: File =
            toml::from_str(include_str!("../../config/default.toml")).expect("config/default.toml fits its types");
        file.crawlers
    }
}
