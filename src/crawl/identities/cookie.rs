//! Cookies as people have them: a `Cookie` header, or the file that browser extensions write.

use chrono::{DateTime, Utc};

use crate::error::{Code, Error, Result};

/// The longest `Cookie` header, in bytes: twice what servers usually take.
const MAX_HEADER: usize = 16 * 1024;
/// The longest text that is looked at, in bytes: a file may hold the cookies of a whole browser.
const MAX_TEXT: usize = 512 * 1024;
/// The longest user agent, in bytes.
const MAX_AGENT: usize = 512;

/// The `Cookie` header that a text stands for. `site` is the platform's domain: of a file, only its cookies are taken.
/// No error holds anything of the text.
pub(super) fn parse(text: &str, site: &str, now: DateTime<Utc>) -> Result<String> {
    if text.len() > MAX_TEXT {
        return Err(wrong(&format!("is longer than {MAX_TEXT} bytes")));
    }
    let text = text.trim();
    let pairs = if text.contains('\t') { from_file(text, site, now)? } else { from_header(text)? };
    let mut kept: Vec<(&str, &str)> = Vec::new();
    for (name, value) in pairs {
        // Of two with one name the later one counts.
        kept.retain(|(other, _)| *other != name);
        kept.push((name, value));
    }
    let header = kept.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
    match header.len() {
        0 => Err(wrong("holds no cookie for this platform")),
        1..=MAX_HEADER => Ok(header),
        _ => Err(wrong(&format!("comes to more than {MAX_HEADER} bytes"))),
    }
}

/// The names of the cookies in a header.
pub(super) fn names(header: &str) -> Vec<String> {
    header.split(';').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name.trim().to_owned()).collect()
}

/// Checks a user agent.
pub(in crate::crawl) fn check_agent(agent: &str) -> Result<()> {
    if agent.len() <= MAX_AGENT && agent.bytes().all(|byte| (0x20..0x7F).contains(&byte)) {
        return Ok(());
    }
    let detail = format!("The user agent must be at most {MAX_AGENT} printable ASCII characters");
    Err(Error::new(Code::InvalidValue, detail)
        .with_hint("Take the one of the browser that the cookie comes from.")
        .with_field("user_agent"))
}

fn from_header(text: &str) -> Result<Vec<(&str, &str)>> {
    let bare = text.get(..7).filter(|start| start.eq_ignore_ascii_case("cookie:")).map_or(text, |_| &text[7..]);
    let mut found = Vec::new();
    for part in bare.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').ok_or_else(|| wrong("is no list of name=value with semicolons"))?;
        found.push(check(name.trim(), value.trim())?);
    }
    Ok(found)
}

/// Lines of seven fields with tabs: domain, whether below it too, path, whether https only, expiry, name, value.
fn from_file<'a>(text: &'a str, site: &str, now: DateTime<Utc>) -> Result<Vec<(&'a str, &'a str)>> {
    let mut found = Vec::new();
    for line in text.lines().map(|line| line.trim_end_matches('\r')) {
        let line = line.strip_prefix("#HttpOnly_").unwrap_or(line);
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let [domain, _, _, _, expires, name, value] = fields[..] else {
            return Err(wrong("has a line that is none of a Netscape cookie file"));
        };
        let domain = domain.trim_start_matches('.').to_ascii_lowercase();
        let is_ours = site.is_empty() || domain == site || domain.ends_with(&format!(".{site}"));
        // 0 stands for "until the browser is closed".
        let is_over = expires.parse().is_ok_and(|at: i64| at > 0 && at < now.timestamp());
        if is_ours && !is_over {
            found.push(check(name.trim(), value.trim())?);
        }
    }
    Ok(found)
}

fn check<'a>(name: &'a str, value: &'a str) -> Result<(&'a str, &'a str)> {
    let is_name = |byte: u8| byte.is_ascii_graphic() && !b"=;,\"".contains(&byte);
    let is_value = |byte: u8| (0x20..0x7F).contains(&byte) && byte != b';';
    if name.is_empty() || !name.bytes().all(is_name) || !value.bytes().all(is_value) {
        return Err(wrong("holds characters that a Cookie header cannot"));
    }
    Ok((name, value))
}

fn wrong(what: &str) -> Error {
    Error::new(Code::InvalidValue, format!("The cookie {what}"))
        .with_hint("Send the value of a Cookie header (a=1; b=2), or the text of a Netscape cookie file.")
        .with_field("cookie")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String> {
        parse(text, "douyin.com", DateTime::from_timestamp(1_000, 0).unwrap())
    }

    #[test]
    fn headers_are_taken_as_browsers_send_them() {
        for (text, header) in [
            ("a=1; b=2", "a=1; b=2"),
            ("Cookie: a=1;b=x=y==; ", "a=1; b=x=y=="),
            ("  cookie:a=\"q r\"\n", "a=\"q r\""),
            ("a=1; b=2; a=3", "b=2; a=3"),
            ("a=", "a="),
        ] {
            assert_eq!(read(text).unwrap(), header, "{text}");
        }
        assert_eq!(names("a=1; b=x=y"), ["a", "b"]);
    }

    #[test]
    fn of_a_file_the_platform_s_own_cookies_are_taken() {
        let file = "# Netscape HTTP Cookie File\n\n\
            .douyin.com\tTRUE\t/\tTRUE\t0\tsession\tone\r\n\
            #HttpOnly_www.douyin.com\tFALSE\t/\tTRUE\t2000\tid\ttwo\n\
            .douyin.com\tTRUE\t/\tTRUE\t999\told\tthree\n\
            .notdouyin.com\tTRUE\t/\tTRUE\t0\tother\tfour\n\
            .bank.example\tTRUE\t/\tTRUE\t0\taccount\tfive\n";
        assert_eq!(read(file).unwrap(), "session=one; id=two");
        assert_eq!(parse(file, "", DateTime::from_timestamp(0, 0).unwrap()).unwrap().matches('=').count(), 5);
    }

    #[test]
    fn nonsense_is_refused_without_being_repeated() {
        for text in [
            "",
            " ; ; ",
            "hush",
            "hush=1\r\nX-Evil: 1",
            "hush=\u{7}",
            "hush=é",
            "=hush",
            "hu sh=1",
            "hush\tis\tno\tfile",
            ".other.example\tTRUE\t/\tTRUE\t0\thush\thush",
            &format!("hush={}", "x".repeat(MAX_HEADER)),
            &"hush=1;".repeat(MAX_TEXT / 7 + 1),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some("cookie")), "{text:.60}");
            assert!(!error.chain().contains("hush") && !error.hint.contains("hush"));
        }
        assert!(check_agent("Mozilla/5.0 (X11)").is_ok());
        assert!(check_agent("a\nb").is_err() && check_agent(&"a".repeat(513)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_out_fits_into_a_header(text in "[ -9;-~\t\n;=é]{0,200}") {
            if let Ok(header) = read(&text) {
                assert!(header.bytes().all(|byte| (0x20..0x7F).contains(&byte)));
                assert_eq!(parse(&header, "", Utc::now()).unwrap(), header);
            }
        }
    }
}
