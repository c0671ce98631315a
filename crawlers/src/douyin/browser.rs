//! The browser that we claim to be. User agent, parameters and window come from one source, because a set that
//! contradicts itself gives a visitor away.

/// The window when the settings describe none that can be read.
const SCREEN: (&str, &str) = ("1920", "1080");

/// A browser as the web API wants it described.
pub(super) struct Browser<'a> {
    /// `Chrome`, `Edge`, `Firefox` or `Safari`.
    pub(super) name: &'static str,
    /// Its version.
    pub(super) version: &'a str,
    /// What draws its pages.
    pub(super) engine: &'static str,
    /// The engine's version.
    pub(super) engine_version: &'a str,
    /// `Windows`, `Mac OS` or `Linux`.
    pub(super) system: &'static str,
    /// The system's version.
    pub(super) system_version: &'static str,
    /// The system as scripts see it.
    pub(super) platform: &'static str,
}

impl<'a> Browser<'a> {
    /// The browser that sends this user agent; what cannot be read in it is as with Chrome on Windows.
    pub(super) fn of(user_agent: &'a str) -> Self {
        let after = |mark: &str| {
            let version = user_agent.split_once(mark)?.1.split(|c: char| !(c.is_ascii_digit() || c == '.')).next()?;
            Some(version).filter(|version| !version.is_empty())
        };
        let chromium = after("Chrome/").unwrap_or("142.0.0.0");
        let (name, version, engine, engine_version) = if let Some(version) = after("Firefox/") {
            ("Firefox", version, "Gecko", version)
        } else if let Some(version) = after("Edg/") {
            ("Edge", version, "Blink", chromium)
        } else if let (None, Some(version)) = (after("Chrome/"), after("Version/")) {
            ("Safari", version, "WebKit", after("AppleWebKit/").unwrap_or("605.1.15"))
        } else {
            ("Chrome", chromium, "Blink", chromium)
        };
        let (system, system_version, platform) = if user_agent.contains("Mac OS X") {
            ("Mac OS", "10.15.7", "MacIntel")
        } else if user_agent.contains("Linux") {
            ("Linux", "x86_64", "Linux x86_64")
        } else {
            ("Windows", "10", "Win32")
        };
        Self { name, version, engine, engine_version, system, system_version, platform }
    }

    /// The window of the settings on this browser's system.
    pub(super) fn window(&self, configured: &str) -> String {
        match configured.rsplit_once('|') {
            Some((shape, _)) => format!("{shape}|{}", self.platform),
            None => configured.to_owned(),
        }
    }
}

/// Width and height of the screen in a description of a window: its ninth and tenth field.
pub(super) fn screen(window: &str) -> (&str, &str) {
    let mut fields = window.split('|').skip(8);
    fields.next().zip(fields.next()).unwrap_or(SCREEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_follows_from_the_user_agent() {
        for (user_agent, expected) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                ("Chrome", "142.0.0.0", "Blink", "142.0.0.0", "Windows", "Win32"),
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.2.3",
                ("Edge", "141.0.2.3", "Blink", "141.0.0.0", "Windows", "Win32"),
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
                ("Safari", "18.6", "WebKit", "605.1.15", "Mac OS", "MacIntel"),
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                ("Firefox", "145.0", "Gecko", "145.0", "Linux", "Linux x86_64"),
            ),
            ("", ("Chrome", "142.0.0.0", "Blink", "142.0.0.0", "Windows", "Win32")),
        ] {
            let of = Browser::of(user_agent);
            assert_eq!((of.name, of.version, of.engine, of.engine_version, of.system, of.platform), expected);
        }
        let window = Browser::of("Mac OS X").window("1536|742|1536|864|0|0|0|0|1600|900|1536|864|1536|742|24|24|Win32");
        assert!(window.ends_with("|24|24|MacIntel"));
        assert_eq!(screen(&window), ("1600", "900"));
        assert_eq!(screen(""), ("1920", "1080"));
    }
}
