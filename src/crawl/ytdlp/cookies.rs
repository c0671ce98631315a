//! An identity's cookies as the file that yt-dlp reads.

use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use crawlers::Identity;
use url::Url;

use crate::error::Result;

/// Writes them into `folder`, for the link's site.
pub(super) fn write(folder: &Path, link: &Url, identity: &Identity) -> Result<PathBuf> {
    let path = folder.join("cookies.txt");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(netscape(link, &identity.cookie).as_bytes())?;
    Ok(path)
}

/// The `Cookie` header as lines of Netscape's format.
fn netscape(link: &Url, cookie: &str) -> String {
    let host = link.host_str().unwrap_or_default();
    let site = host.strip_prefix("www.").unwrap_or(host);
    let secure = if link.scheme() == "https" { "TRUE" } else { "FALSE" };
    let pairs = cookie.split(';').filter_map(|pair| pair.trim().split_once('='));
    let clean = pairs.filter(|(name, value)| !name.is_empty() && !format!("{name}{value}").contains(char::is_control));
    let lines = clean.map(|(name, value)| format!(".{site}\tTRUE\t/\t{secure}\t2147483647\t{name}\t{value}\n"));
    format!("# Netscape HTTP Cookie File\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cookie_is_a_line_for_the_whole_site() {
        let link = Url::parse("https://www.a.example/v").unwrap();
        assert_eq!(
            netscape(&link, "a=1; b=x=y; broken; c=2\t3"),
            "# Netscape HTTP Cookie File\n.a.example\tTRUE\t/\tTRUE\t2147483647\ta\t1\n\
             .a.example\tTRUE\t/\tTRUE\t2147483647\tb\tx=y\n"
        );
    }
}
