//! Pages that ask for proof of being human instead of giving what was asked for.

/// How much of a body is looked at: such pages say it early, and titles of posts may hold the same words further down.
const LOOK: usize = 4 * 1024;
/// Words of the verification pages of Douyin and TikTok, in lower case; the last is of the page that wants work done.
const MARKS: [&str; 6] = ["verify_center", "ttgcaptcha", "byted_acrawler", "captcha", "验证码", "_wafchallengeid"];

/// Whether a body, which is not what was asked for, is such a page.
pub(crate) fn is_in(body: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&body[..body.len().min(LOOK)]).to_ascii_lowercase();
    MARKS.iter().any(|mark| head.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_beginning_counts() {
        assert!(is_in(b"<title>x</title><div id=TTGCaptcha>"));
        assert!(is_in("<title>验证码中间页".as_bytes()));
        assert!(!is_in(&[&[b' '; LOOK][..], b"captcha"].concat()));
        assert!(!is_in(b""));
    }
}
