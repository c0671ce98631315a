//! Expressions and scopes that mean harm: each ends in an `expression` error, soon and small.

use serde_json::{Value, json};

use super::super::evaluate;

#[track_caller]
fn refused(source: &str, scope: &Value, because: &str) {
    let shown: String = source.chars().take(80).collect();
    match evaluate(source, scope) {
        Ok(_) => panic!("{shown} has a value"),
        Err(error) => {
            assert_eq!(error.code, crate::error::Code::Expression, "{shown}");
            assert!(error.detail.contains(because), "{shown}: {}", error.detail);
        }
    }
}

#[test]
fn deep_text_is_refused() {
    let nothing = json!({});
    for (text, because) in
        [("(", "nested"), ("[", "nested"), ("{", "nested"), ("a(", "nested"), ("a[", "nested"), ("a?", "nested")]
    {
        refused(&text.repeat(400), &nothing, because);
    }
    refused(&format!("{}1{}", "(".repeat(400), ")".repeat(400)), &nothing, "nested");
    refused(&format!("{}1", "1?1:".repeat(200)), &nothing, "nested");
    refused(&"!".repeat(1000), &nothing, "col");
    refused(&format!("{}true", "!-".repeat(400)), &nothing, "col");
    refused(&format!("{}a", "-".repeat(999)), &nothing, "missing");
    refused(&format!("a{}", ".a".repeat(400)).replace("a.a.a", "a .a.a"), &nothing, "deeper");
    refused(&format!("a{}", "[a]".repeat(300)), &nothing, "deeper");
    refused(&format!("1{}", "+1".repeat(500)), &nothing, "deeper");
    refused(&format!("1{}", "<1".repeat(500)), &nothing, "deeper");
    refused(&format!("a{}", "&&a".repeat(300)), &nothing, "more than 200 parts");
    refused(&format!("[{}]", "1,".repeat(400)), &nothing, "more than 200 parts");
    refused(&format!("1{}", "+1".repeat(8000)), &nothing, "longer than 1024 bytes");
}

#[test]
fn a_long_plain_path_is_only_missing() {
    refused(&format!("a{}", ".a".repeat(100_000)), &json!({"a": {"a": 1}}), "missing");
    refused(&format!("a{}", "[0]".repeat(100_000)), &json!({"a": [[1]]}), "missing");
}

#[test]
fn doublings_are_refused() {
    let scope = json!({"t": "x".repeat(1 << 20), "l": vec![0; 10_000]});
    refused(&["t"; 60].join(" + "), &scope, "16 MiB");
    refused(&["l"; 60].join(" + "), &scope, "16 MiB");
    refused("l.map(x, t)", &scope, "16 MiB");
    refused("l.map(x, t + t)", &scope, "16 MiB");
    refused("l.map(x, upper(t))", &scope, "16 MiB");
    refused("l.map(x, l)", &scope, "16 MiB");
    refused("l.map(x, [l, l, l])", &scope, "16 MiB");
    refused("l.map(x, {'a': l})", &scope, "16 MiB");
    refused("l.map(x, string(l))", &scope, "16 MiB");
    refused("l.filter(x, size(split(t, 'x')) > 0)", &scope, "16 MiB");
    refused("join(l, t)", &scope, "16 MiB");
    refused("[t, t]", &scope, "1 MiB");
    refused("l.map(x, l[0] + 1).map(y, y)", &scope, "cannot stand");
    let doubling = format!("{}l{}", "(".repeat(20), ".map(x, [x, x]))".repeat(20));
    refused(&doubling, &scope, "cannot stand");
}

#[test]
fn endless_work_is_refused() {
    let scope = json!({"t": "x".repeat(8 << 20), "l": vec!["a"; 10_000], "m": vec![vec![1; 100]; 10_000], "s": "a".repeat(5_000)});
    refused("l.all(x, size(t) > 0)", &scope, "too much work");
    refused("l.all(x, !(x in l) || !('b' in l))", &scope, "too much work");
    refused("l.all(x, m == m)", &scope, "too much work");
    refused("l.all(x, !contains(t, 'y'))", &scope, "too much work");
    refused("l.all(x, t == t)", &scope, "too much work");
    refused("l.all(x, t <= t)", &scope, "too much work");
    refused("l.all(x, !matches(s, 'b'))", &scope, "too much work");
    refused("matches(t, '(a*)*b')", &scope, "too much work");
    let sums = format!("l.map(x, {})", ["1"; 60].join("+"));
    refused(&sums, &scope, "too much work");
}

#[test]
fn patterns_are_bounded() {
    let scope = json!({"s": "a".repeat(30_000), "l": (0..10_000).map(|n| format!("a{n}")).collect::<Vec<_>>()});
    refused("matches(s, '((a{100}){100}){100}')", &scope, "the pattern is too large");
    refused("matches(s, '(' + 'a{1000}){1000}')", &scope, "the pattern is too large");
    refused("matches(s, '\\\\pL{1000}')", &scope, "the pattern is too large");
    refused("l.all(x, matches(x, x))", &scope, "too much work");
    // What makes other engines go back and forth for ever has an answer here.
    for pattern in ["(a*)*b", "(a|aa)+$b", "(x+x+)+y", "(a?){20}a{20}b"] {
        let found = evaluate(&format!("matches(s, '{pattern}')"), &scope);
        assert_eq!(found.unwrap(), json!(false), "{pattern}");
    }
}

#[test]
fn long_lists_are_refused() {
    let scope = json!({"l": vec![0; 10_001], "t": ",".repeat(600_000)});
    refused("l.map(x, x)", &scope, "a list has 10001 items; expressions go through 10000 at most");
    refused("split(t, ',')", &scope, "16 MiB");
    assert_eq!(evaluate("size(l)", &scope).unwrap(), json!(10_001));
}

#[test]
fn json_text_is_bounded() {
    let scope = json!({"t": "[1,".repeat(1 << 20), "d": "[".repeat(100_000), "n": "9".repeat(100_000)});
    refused("json(t)", &scope, "16 MiB");
    refused("json(d)", &scope, "recursion limit");
    refused("json(n)", &scope, "json(text) is given something else");
    refused("int(n)", &scope, "no whole number");
}

#[test]
fn ordinary_work_on_much_data_is_done() {
    let segments: Vec<Value> =
        (0..10_000).map(|n| json!({"id": n, "text": format!("segment number {n}"), "start": n})).collect();
    let scope = json!({ "s": segments });
    let value = |source: &str| evaluate(source, &scope).unwrap_or_else(|error| panic!("{source}: {}", error.detail));
    assert_eq!(value("size(s.filter(x, x.start > 5 && x.text.contains('9')))"), json!(3439));
    assert_eq!(value("size(join(s.map(x, trim(x.text)), '\\n'))"), json!(198_889));
    assert_eq!(value("s.exists(x, x.id == 9999)"), json!(true));
    assert_eq!(value("s.all(x, matches(x.text, '^segment'))"), json!(true));
}
