//! Keys that stand in a definition, where everybody who may read it sees them.

use serde_json::Value;

use super::{Problem, below, draft::Draft};
use crate::workflow::kinds;

/// What keys of well-known services begin with, and how many characters follow at least.
const PREFIXES: [(&str, usize); 12] = [
    ("sk-", 16),
    ("sk_live_", 16),
    ("whsec_", 16),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("AIza", 30),
    ("AKIA", 16),
];
/// A text of so many characters may be a key.
const LONG: usize = 20;
/// In bits for each character: words have less, keys more.
const ENTROPY: f64 = 3.3;

/// Looks for keys: well-known ones everywhere, anything that looks random where a secret is taken.
pub(super) fn check(value: &Value, draft: &Draft, problems: &mut Vec<Problem>) {
    let mut found = Vec::new();
    each(value, "", &mut |text, pointer| {
        if is_known(text) {
            found.push(pointer.to_owned());
        }
    });
    for (group, steps) in draft.groups() {
        for (name, step) in steps {
            let fields = kinds::of(&step.kind).map_or(&[][..], |kind| kind.secrets);
            for (field, value) in step.with.iter().filter(|(field, _)| fields.contains(&field.as_str())) {
                each(value, &below(&format!("/{group}/{name}/with"), field), &mut |text, pointer| {
                    if is_random(text) && !found.iter().any(|known| known == pointer) {
                        found.push(pointer.to_owned());
                    }
                });
            }
        }
    }
    problems.extend(
        found.into_iter().map(|at| Problem::new("E_SECRET_LITERAL", at, "looks like a key; store it as a secret")),
    );
}

fn each(value: &Value, pointer: &str, look: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => look(text, pointer),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each(item, &format!("{pointer}/{index}"), look);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                each(field, &below(pointer, name), look);
            }
        }
        _ => {}
    }
}

fn is_key_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_+/=.".contains(c)
}

fn is_known(text: &str) -> bool {
    PREFIXES.iter().any(|(prefix, least)| {
        text.match_indices(prefix).any(|(at, _)| {
            let begins = !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let rest: String = text[at + prefix.len()..].chars().take_while(|c| is_key_char(*c)).collect();
            // Keys have digits or capitals; a name such as `sk-some-long-word` has not.
            begins && rest.len() >= *least && rest.chars().any(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
        })
    })
}

fn is_random(text: &str) -> bool {
    text.split_whitespace().any(|word| {
        let is_key = word.chars().count() >= LONG && word.chars().all(is_key_char);
        let mixed = word.chars().any(|c| c.is_ascii_digit()) && word.chars().any(|c| c.is_ascii_alphabetic());
        is_key && mixed && !word.contains("://") && entropy(word) >= ENTROPY
    })
}

fn entropy(word: &str) -> f64 {
    let mut counts = [0u32; 256];
    word.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let all = word.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / all)
        .map(|share| -share * share.log2())
        .sum()
}
