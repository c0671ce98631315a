//! How many tokens a text has, about: every model counts in its own way, and none of its tables is shipped here.
//!
//! The estimate is meant to be too high rather than too low. English is some four characters to a token, and three are
//! reckoned; other letters of Europe two; of Chinese, Japanese and Korean each character is one and a half, since large
//! vocabularies take less and small ones more; other scripts and signs are two to three tokens each.

/// Sixths of a token.
const WHOLE: usize = 6;

/// About how many tokens a text has.
pub(super) fn estimate(text: &str) -> usize {
    text.chars().map(sixths).sum::<usize>().div_ceil(WHOLE)
}

fn sixths(c: char) -> usize {
    match u32::from(c) {
        _ if c.is_ascii_alphabetic() || c == ' ' => 2,
        0..0x80 => 3,
        0x80..0x590 => 4,
        0x1100..0x1200 | 0x2e80..0xa4d0 | 0xac00..0xd7b0 | 0xf900..0xfb00 | 0xff00..0xfff0 => 9,
        0x590..0x1_0000 => 12,
        _ => 18,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What well-known vocabularies make of these: 10 and 12 tokens, 14 to 22, 12 to 17, 3 to 9.
    #[test]
    fn estimates_are_rather_too_high() {
        for (text, counted, most) in [
            ("The music is near the long box, and nobody hears it.", 12, 20),
            ("我们今天要讲的是如何在家里做一碗好吃的面条。", 22, 40),
            ("Сегодня мы поговорим о том, как варить суп.", 17, 34),
            ("🎉🎉🎉", 9, 12),
            ("", 0, 0),
        ] {
            let estimate = estimate(text);
            assert!((counted..=most).contains(&estimate), "{text}: {estimate}");
        }
    }
}
