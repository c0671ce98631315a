//! What holds for any text and any scope.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::{evaluate, references};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |double| double.is_finite()).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::btree_map("[a-z][a-z_-]{0,5}", inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Every path of a value, with what stands there.
fn paths(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    found.push((path.to_owned(), value.clone()));
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| paths(item, &format!("{path}[{index}]"), found));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| paths(field, &format!("{path}.{name}"), found));
        }
        _ => {}
    }
}

/// Text of the pieces that expressions are made of.
fn pieces() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "a", "b.c", "1", "2.5", "'x'", "\"", "'", "(", ")", "[", "]", "{", "}", "?", ":", ",", ".", "+", "-", "*", "/",
        "%", "!", "&&", "||", "==", "<", " in ", " ", "size(", ".map(x, ", "default(", "has(", "matches(", "r'", "b'",
        "//", "\n", "ä", "1u", "0x", "`", "'''", "\\", "@in", "_+_",
    ]);
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Expressions that mean the same in CEL and yield a whole number, a text or a truth. Whole numbers meet whole numbers
/// only, as CEL has it, and macros stand in no macros, as we have it.
struct Common {
    whole: BoxedStrategy<String>,
    text: BoxedStrategy<String>,
    truth: BoxedStrategy<String>,
}

fn common(depth: u32) -> Common {
    let word = |words: &'static [&'static str]| proptest::sample::select(words).prop_map(str::to_owned).boxed();
    if depth == 0 {
        let number = (0..20_i64).prop_map(|number| number.to_string());
        return Common {
            whole: prop_oneof![number, word(&["n", "list[1]", "size(list)", "list[n]"])].boxed(),
            text: word(&["'a'", "'ab'", "s", "map.k", "map['k']", "map.gone"]),
            truth: word(&["true", "false", "t", "has(map.k)", "has(map.gone)", "'k' in map"]),
        };
    }
    let inner = || common(depth - 1);
    let two = |strategy: BoxedStrategy<String>, signs: BoxedStrategy<String>| {
        (strategy.clone(), signs, strategy).prop_map(|(a, sign, b)| format!("({a} {sign} {b})"))
    };
    let order = || word(&["<", "<=", ">", ">=", "==", "!="]);
    // The macros are put around what has none.
    let leaf = common(0);
    Common {
        whole: prop_oneof![
            two(inner().whole, word(&["+", "-", "*", "/", "%"])),
            inner().whole.prop_map(|a| format!("-({a})")),
            inner().text.prop_map(|a| format!("size({a})")),
            (inner().truth, inner().whole, inner().whole).prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
            leaf.whole.clone().prop_map(|a| format!("size(list.filter(x, x > {a}))")),
            leaf.whole.clone().prop_map(|a| format!("list.map(x, x % 2 == 1, x + {a})[0]")),
        ]
        .boxed(),
        text: prop_oneof![
            two(inner().text, word(&["+"])),
            inner().whole.prop_map(|a| format!("string({a})")),
            (inner().truth, inner().text, inner().text).prop_map(|(c, a, b)| format!("({c} ? {a} : {b})")),
        ]
        .boxed(),
        truth: prop_oneof![
            two(inner().whole, order()),
            two(inner().text, order()),
            (inner().text, word(&["contains", "startsWith", "endsWith"]), inner().text)
                .prop_map(|(a, name, b)| format!("{a}.{name}({b})")),
            inner().truth.prop_map(|a| format!("!{a}")),
            inner().whole.prop_map(|a| format!("({a} in list)")),
            (leaf.whole, word(&["exists", "all", "exists_one"]))
                .prop_map(|(a, name)| format!("list.{name}(x, x <= {a})")),
        ]
        .boxed(),
    }
}

/// What the interpreter of the `cel` crate makes of an expression.
fn by_cel(source: &str) -> Option<String> {
    let env = Arc::new(cel::Env::stdlib());
    let mut context = cel::Context::with_env(env.clone());
    context.add_variable_from_value("n", 7_i64);
    context.add_variable_from_value("s", "abc");
    context.add_variable_from_value("t", true);
    context.add_variable_from_value("list", vec![3_i64, 5, 9]);
    context.add_variable_from_value("map", std::collections::HashMap::from([("k", "b")]));
    Some(match env.compile(source).ok()?.execute(&context).ok()? {
        cel::Value::Int(whole) => whole.to_string(),
        cel::Value::Bool(truth) => truth.to_string(),
        cel::Value::String(text) => json!(text.as_str()).to_string(),
        other => panic!("{source}: {other:?}"),
    })
}

proptest! {
    #[test]
    fn any_text_ends(text in "\\PC{0,80}") {
        let _ = references(&text);
        let _ = evaluate(&text, &json!({"a": [1, "x", null]}));
    }

    #[test]
    fn any_pieces_end(text in pieces()) {
        if let Ok(found) = references(&text) {
            prop_assert!(found.iter().all(|one| !one.path.is_empty()));
        }
        let _ = evaluate(&text, &json!({"a": [1, "x", null], "b": {"c": 2}}));
    }

    #[test]
    fn plain_paths_find_what_stands_there(value in any_json()) {
        let mut found = Vec::new();
        paths(&value, "params", &mut found);
        let scope = json!({ "params": value });
        for (path, expected) in found {
            prop_assert_eq!(evaluate(&path, &scope).unwrap(), expected.clone());
            // The same by way of the language, where names hold no `-` and are no words of it.
            if !path.contains('-')
                && let Ok(found) = evaluate(&format!("({path})"), &scope)
            {
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn values_are_equal_to_themselves(value in any_json()) {
        prop_assert_eq!(evaluate("[a] == [a] && a in [null, a]", &json!({ "a": value })).unwrap(), json!(true));
    }

    #[test]
    fn truncation_counts_characters(text in "\\PC{0,20}", count in 0..25_usize) {
        let expected: String = text.chars().take(count).collect();
        prop_assert_eq!(evaluate("truncate(t, n)", &json!({"t": text, "n": count})).unwrap(), json!(expected));
    }

    #[test]
    fn what_is_split_is_joined_again(text in "[a-c,]{0,20}") {
        prop_assert_eq!(evaluate("join(split(t, ','), ',')", &json!({ "t": &text })).unwrap(), json!(text));
    }

    #[test]
    fn the_crate_means_the_same(source in prop_oneof![common(2).whole, common(2).text, common(2).truth]) {
        let scope = json!({"n": 7, "s": "abc", "t": true, "list": [3, 5, 9], "map": {"k": "b"}});
        let ours = evaluate(&source, &scope).ok().map(|value| value.to_string());
        prop_assert_eq!(ours, by_cel(&source), "{}", source);
    }
}
