//! What stands in a cue besides its words.

/// A longer mark is none, in characters: a text of nothing but open ones is soon read.
const LONGEST: usize = 300;

/// The text without tags (`<i>`, `<v Ann>`, `<00:01.000>`) and positions (`{\an8}`). WebVTT alone has references such as
/// `&amp;`; they become what they stand for.
pub(super) fn strip(text: &str, is_vtt: bool) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '{']) {
        let (before, mark) = rest.split_at(at);
        kept.push_str(before);
        rest = match end(mark) {
            Some(end) => &mark[end..],
            None => {
                kept.push_str(&mark[..1]);
                &mark[1..]
            }
        };
    }
    kept.push_str(rest);
    if is_vtt { htmlize::unescape(&kept).into_owned() } else { kept }
}

/// Where the mark at the start of a text ends, if it is one: a lone `<` or `{` is text.
fn end(text: &str) -> Option<usize> {
    let mut chars = text.chars();
    let (first, second) = (chars.next()?, chars.next()?);
    let close = match first {
        '<' if second.is_ascii_alphanumeric() || matches!(second, '/' | '.') => '>',
        '{' if second == '\\' => '}',
        _ => return None,
    };
    text.char_indices().take(LONGEST).find(|(_, c)| *c == close).map(|(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_words_stay() {
        for (text, vtt, srt) in [
            ("<v Ann>Hello</v> <i>you</i>", "Hello you", "Hello you"),
            ("one <00:00:01.500><c.yellow>two</c>", "one two", "one two"),
            ("<b\nclass=x>bold</b>", "bold", "bold"),
            ("{\\an8}up", "up", "up"),
            ("1 < 2 {ok} 3 > 2 <", "1 < 2 {ok} 3 > 2 <", "1 < 2 {ok} 3 > 2 <"),
            ("Tom &amp; Ann&#39;s &lt;i&gt;", "Tom & Ann's <i>", "Tom &amp; Ann&#39;s &lt;i&gt;"),
            ("<open", "<open", "<open"),
        ] {
            assert_eq!((strip(text, true).as_str(), strip(text, false).as_str()), (vtt, srt), "{text}");
        }
    }
}
