//! What a model wrote, taken out of what it is wrapped in.

use serde_json::Value;

/// The answer without the thoughts that some models put before it and without blanks around it.
pub(super) fn clean(text: &str) -> &str {
    let text = text.trim();
    let thoughts = text.strip_prefix("<think>").and_then(|rest| rest.split_once("</think>"));
    thoughts.map_or(text, |(_, answer)| answer.trim())
}

/// The JSON in an answer: all of it, a block of code in it, or what is between its outermost brackets.
pub(super) fn json(text: &str) -> Option<Value> {
    let text = clean(text);
    let read = |text: &str| serde_json::from_str(text.trim()).ok();
    read(text).or_else(|| read(block(text)?)).or_else(|| read(bracketed(text)?))
}

/// The first block between fences of code.
fn block(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("```")?;
    // The language stands behind the opening fence.
    let (_, rest) = rest.split_once('\n')?;
    rest.split_once("```").map(|(block, _)| block)
}

fn bracketed(text: &str) -> Option<&str> {
    let (start, end) = (text.find(['{', '['])?, text.rfind(['}', ']'])?);
    text.get(start..=end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_found_in_what_models_write_around_it() {
        for text in [
            "{\"a\": 1}",
            "\n```json\n{\"a\": 1}\n```",
            "```\n{\"a\": 1}\n```\nI hope that this helps!",
            "Sure, here it is:\n\n```JSON\n{\"a\": 1}\n```",
            "Here: {\"a\": 1}.",
            "<think>Is it [2]? No.</think>\n{\"a\": 1}",
        ] {
            assert_eq!(json(text), Some(json!({"a": 1})), "{text}");
        }
        for text in ["", "no", "```", "```json\n{\"a\"", "}{", "{\"a\": NaN}", &"[".repeat(100_000)] {
            assert_eq!(json(text), None, "{text}");
        }
    }

    #[test]
    fn thoughts_are_left_out() {
        assert_eq!(clean(" <think>hm\n\nhm</think>\n\nYes. "), "Yes.");
        assert_eq!(clean("I <think> so"), "I <think> so");
    }

    proptest! {
        #[test]
        fn anything_can_be_read(text in "(\\PC|```|json|[\\[\\]{}\n]){0,60}") {
            json(&text);
        }
    }
}
