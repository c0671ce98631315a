//! Expressions that have a value, and what they refer to.

use serde_json::{Value, json};

use super::{super::references, evaluate, scope, value};

#[test]
fn expressions_have_values() {
    let table: &[(&str, Value)] = &[
        // Paths
        ("params.target", json!("zh")),
        (" params.list[1] ", json!(2)),
        ("params.callback-url", json!("https://example.com/in")),
        ("params['callback-url']", json!("https://example.com/in")),
        ("params.posts[0].url", json!("u1")),
        ("params.map", json!({"a": 1, "b-c": 2})),
        ("params.list[params.n - 1]", json!(3)),
        ("params.map['b-' + 'c']", json!(2)),
        ("params.list[2.0]", json!(3)),
        ("post.url + string(index)", json!("u30")),
        ("true", json!(true)),
        ("null", json!(null)),
        // Numbers
        ("1 + 2 * 3", json!(7)),
        ("7 / 2", json!(3)),
        ("-7 / 2", json!(-3)),
        ("-7 % 3", json!(-1)),
        ("7 / 2.0", json!(3.5)),
        ("params.n * params.half", json!(4.5)),
        ("params.n - 1", json!(2)),
        ("1 == 1.0", json!(true)),
        ("params.half < 2", json!(true)),
        ("2 >= params.half", json!(true)),
        ("params.big", json!(18446744073709551615_u64)),
        ("params.big - 1", json!(18446744073709551614_u64)),
        ("9007199254740993 == 9007199254740992.0", json!(false)),
        ("0x10", json!(16)),
        ("-(params.n)", json!(-3)),
        // Truth
        ("params.flag && params.n == 3", json!(true)),
        ("!params.flag || params.n > 5", json!(false)),
        ("false && params.gone", json!(false)),
        ("true || params.gone", json!(true)),
        ("params.flag ? 'yes' : params.gone", json!("yes")),
        ("'a' < 'b' && false < true", json!(true)),
        ("params.nothing == null", json!(true)),
        ("params.target != null && 'x' != 1", json!(true)),
        ("[1, 2.0] == [1.0, 2] && {'a': 1} == {'a': 1.0}", json!(true)),
        ("2 in params.list && !('2' in params.list)", json!(true)),
        ("'a' in params.map && !('c' in params.map)", json!(true)),
        // Strings
        ("'it\\'s \"so\"'", json!("it's \"so\"")),
        ("r'\\d' + \"\"\"a\nb\"\"\"", json!("\\da\nb")),
        ("'}' + '{' // a comment", json!("}{")),
        ("size(steps.text.output.text)", json!(11)),
        ("steps.text.output.text.size()", json!(11)),
        ("size(params.list) + size(params.map)", json!(5)),
        ("params.target.startsWith('z') && params.target.endsWith('h')", json!(true)),
        ("contains(steps.text.output.text, 'wör')", json!(true)),
        ("matches(post.url, '^u[0-9]+$')", json!(true)),
        ("params.words.filter(w, w.matches('t.*'))", json!(["two", "three"])),
        ("upper(params.target) + lower('ÄB')", json!("ZHäb")),
        ("trim('  a b ')", json!("a b")),
        ("split('a,b,,c', ',')", json!(["a", "b", "", "c"])),
        ("join(params.words, '-')", json!("one-two-three")),
        ("params.list.join('')", json!("123")),
        ("truncate(steps.text.output.text, 2)", json!("hé")),
        ("truncate('ab', 5)", json!("ab")),
        ("string(1.5) + string(true) + string('s')", json!("1.5trues")),
        ("string(params.map)", json!("{\"a\":1,\"b-c\":2}")),
        ("int('42') + int(2.9) + int(-2.9)", json!(42)),
        ("double('1.5') + double(1)", json!(2.5)),
        ("json(params.raw)", json!({"a": [1, 2.5, null]})),
        ("json(params.raw).a[1]", json!(2.5)),
        // Lists and objects
        ("params.list + [4]", json!([1, 2, 3, 4])),
        ("{'url': post.url, 'n': params.n}", json!({"url": "u3", "n": 3})),
        ("params.posts.map(p, p.url)", json!(["u1", "u2"])),
        ("params.posts.map(p, p.kind == 'video', p.url)", json!(["u1"])),
        ("params.posts.filter(p, p.likes > 6)[0].url", json!("u2")),
        ("params.posts.all(p, p.likes > 4) && params.posts.exists(p, p.likes > 7)", json!(true)),
        ("params.posts.exists_one(p, p.kind == 'photo')", json!(true)),
        ("params.posts.map(p, default(p.title, 'none'))", json!(["none", "none"])),
        ("params.posts.map(post, post.url) + [post.url]", json!(["u1", "u2", "u3"])),
        ("size(params.map.filter(k, k == 'a'))", json!(1)),
        ("split('a b', ' ').map(w, w + w)", json!(["aa", "bb"])),
        // What may be missing
        ("default(params.target, 'en')", json!("zh")),
        ("default(params.gone, 'en')", json!("en")),
        ("default(params.nothing, 'en')", json!("en")),
        ("default(params.list[7], 0)", json!(0)),
        ("default(size(steps.translated.output.list), 0)", json!(0)),
        ("default(params.gone, null)", json!(null)),
        ("default(steps.sentiment.output.label, 'unknown')", json!("unknown")),
        ("coalesce(steps.translated.output.text, steps.text.output.text)", json!("héllo wörld")),
        ("coalesce(params.nothing, params.gone, false)", json!(false)),
        ("coalesce(params.gone, params.nothing)", json!(null)),
        ("has(params.target) && !has(params.gone) && !has(gone.a.b)", json!(true)),
        ("has(params.nothing)", json!(true)),
        ("has(params.list[2]) && !has(params.list[3])", json!(true)),
        ("default(params.words.map(w, w.gone), []) + default(w, [1])", json!([1])),
        ("steps.translated.status == 'skipped'", json!(true)),
    ];
    for (source, expected) in table {
        assert_eq!(value(source), *expected, "{source}");
    }
}

#[test]
fn a_whole_number_stays_one() {
    for (source, expected) in
        [("params.n + 1", "4"), ("params.n + 1.0", "4.0"), ("double(2)", "2.0"), ("int(2.0)", "2")]
    {
        assert_eq!(value(source).to_string(), expected, "{source}");
    }
}

#[test]
fn what_is_only_picked_may_be_large() {
    let text = "x".repeat(3 << 20);
    let scope = json!({"a": {"text": text}, "c": true});
    for source in
        ["a.text", "default(a.text, '')", "c ? a.text : ''", "coalesce(b, a.text)", "[1].exists(x, true) ? a.text : c"]
    {
        assert_eq!(evaluate(source, &scope).unwrap().as_str().map(str::len), Some(3 << 20), "{source}");
    }
    assert_eq!(evaluate("truncate(a.text, 5)", &scope).unwrap(), json!("xxxxx"));
    assert!(evaluate("a.text + 'y'", &scope).unwrap_err().detail.contains("1 MiB"));
}

#[test]
fn references_are_found() {
    let table: &[(&str, &[(&str, bool)])] = &[
        ("steps.a.output.items[0].b-c", &[("steps.a.output.items.0.b-c", false)]),
        ("steps.a.output.n > 1 && params.x == ''", &[("steps.a.output.n", false), ("params.x", false)]),
        ("params['b-c'] + params.list[2]", &[("params.b-c", false), ("params.list.2", false)]),
        ("steps.a.output[params.key].z", &[("params.key", false), ("steps.a.output", false)]),
        ("default(steps.a.output.x, steps.b.output.y)", &[("steps.a.output.x", true), ("steps.b.output.y", false)]),
        ("coalesce(steps.a.x, steps.b.y)", &[("steps.a.x", true), ("steps.b.y", true)]),
        ("has(steps.a.x) ? steps.a.x : 0", &[("steps.a.x", true), ("steps.a.x", false)]),
        ("default(size(steps.a.x) + params.n, 0)", &[("steps.a.x", true), ("params.n", true)]),
        ("steps.a.items.map(x, x.url + post.url)", &[("steps.a.items", false), ("post.url", false)]),
        ("steps.a.items.filter(x, x.b).size() + x.c", &[("steps.a.items", false), ("x.c", false)]),
        ("json(params.raw).a.b", &[("params.raw", false)]),
        ("{params.k: [params.v]}", &[("params.k", false), ("params.v", false)]),
        ("params.a + params.a", &[("params.a", false)]),
        ("1 + 1", &[]),
        ("secrets.token", &[("secrets.token", false)]),
    ];
    for (source, expected) in table {
        let found = references(source).unwrap_or_else(|problem| panic!("{source}: {problem}"));
        let found: Vec<(String, bool)> = found.into_iter().map(|one| (one.path.join("."), one.guarded)).collect();
        let expected: Vec<(String, bool)> =
            expected.iter().map(|(path, guarded)| ((*path).to_owned(), *guarded)).collect();
        assert_eq!(found, expected, "{source}");
    }
}

#[test]
fn nothing_in_the_scope_is_evaluated() {
    let scope = json!({"params": {"evil": "params.secret", "secret": "s"}});
    assert_eq!(evaluate("params.evil", &scope).unwrap(), json!("params.secret"));
    assert_eq!(evaluate("string(params.evil) + ''", &scope).unwrap(), json!("params.secret"));
}

#[test]
fn the_same_expression_over_another_scope_has_another_value() {
    assert_eq!(evaluate("params.n + 1", &scope()).unwrap(), json!(4));
    assert_eq!(evaluate("params.n + 1", &json!({"params": {"n": 1}})).unwrap(), json!(2));
}
