//! Plain paths: names with dots between them, and indexes.

use serde_json::Value;

/// Words that are values or operators where a path would begin.
const WORDS: [&str; 4] = ["true", "false", "null", "in"];

/// What stands for a part that is not written out.
pub(super) const COMPUTED: &str = "…";

/// The parts of a plain path such as `steps.a.output.items[0]`; `None` for every other expression. Only here may a name
/// hold a `-`.
pub(super) fn plain(source: &str) -> Option<Vec<String>> {
    let source = source.trim();
    let mut parts = Vec::new();
    for piece in source.split('.') {
        let (name, indexes) = piece.find('[').map_or((piece, ""), |at| piece.split_at(at));
        if !is_name(name) {
            return None;
        }
        parts.push(name.to_owned());
        let mut rest = indexes;
        while !rest.is_empty() {
            let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
            parts.push(index.parse::<u32>().ok()?.to_string());
            rest = after;
        }
    }
    (!WORDS.contains(&parts[0].as_str())).then_some(parts)
}

/// Whether a name can stand in a plain path.
pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

/// What stands at a path.
pub(super) fn look_up<'a>(path: &[String], scope: &'a Value) -> Option<&'a Value> {
    path.iter().try_fold(scope, |value, part| child(value, part))
}

/// What stands at a name of an object, or at the digits of an index of a list.
pub(super) fn child<'a>(value: &'a Value, part: &str) -> Option<&'a Value> {
    match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        Value::Object(fields) => fields.get(part),
        _ => None,
    }
}

/// A path as it is written.
pub(super) fn render(path: &[String]) -> String {
    let Some((root, rest)) = path.split_first() else { return String::new() };
    let mut text = root.clone();
    for part in rest {
        if part == COMPUTED || part.bytes().all(|byte| byte.is_ascii_digit()) {
            text.push_str(&format!("[{part}]"));
        } else if is_name(part) {
            text.push_str(&format!(".{part}"));
        } else {
            text.push_str(&format!("['{part}']"));
        }
    }
    text
}
