//! Expressions that are refused when they are read, and those that fail when they are evaluated.

use super::{
    super::{caret, references},
    failure,
};

#[test]
fn what_cannot_be_read_is_said_in_plain_words() {
    let table = [
        ("size(params.x", "col 14: expected \")\""),
        ("params.x)", "col 9: unexpected \")\""),
        ("params.list[1)", "col 14: expected \"]\""),
        ("params.a == 'x", "col 13: the string that begins here has no end"),
        ("params.a params.b", "col 10: unexpected \"params\""),
        ("params.a = 1", "col 10: unexpected \"=\" (equality is \"==\")"),
        ("params.a and params.b", "col 10: unexpected \"and\" (both is \"&&\")"),
        ("params.a & params.b", "col 10: unexpected \"&\" (both is \"&&\")"),
        ("params.a ==", "col 12: something is missing at the end"),
        ("", "col 1: something is missing at the end"),
        ("'ä' + # + 1", "col 7: unexpected \"#\""),
        ("1 +\n * 2", "col 6: unexpected \"*\""),
        ("import + 1", "col 1: reserved identifier: import"),
        ("a..b", "col 3: unexpected \".\""),
        ("99999999999999999999", "col 1: invalid int literal"),
        ("a.?b", "col 2: unsupported syntax '.?'"),
        ("'ä' + leng(x)", "col 7: there is no function \"leng\""),
        ("'ä' + Split(x, ',')", "col 7: there is no function \"Split\"; did you mean \"split\"?"),
        ("truncate('x')", "col 1: truncate is written truncate(text, characters)"),
        ("x.default(1)", "col 3: default is written default(value, otherwise)"),
        ("has(1)", "col 1: has takes a path, as in has(steps.text.output.title)"),
        ("has(x)", "col 1: has takes a path, as in has(steps.text.output.title)"),
        ("x.map(1, 2)", "col 3: map takes a name first, as in map(x, …)"),
        ("x.filter(y)", "col 3: filter takes a name and an expression, as in filter(x, …)"),
        ("map(x, 1)", "col 1: map is written list.map(x, value)"),
        ("b'abc'", "col 1: bytes have no form in JSON"),
        ("1e999", "col 1: invalid double literal"),
        ("Point{x: 1}", "col 6: this has no meaning here"),
        ("lower(secrets.x)", "col 7: a secret stands alone, as ${secrets.NAME}"),
        ("matches(x, '(a')", "col 1: the pattern is wrong: error: unclosed group"),
        (
            "x.map(a, a.map(b, b))",
            "col 12: map cannot stand inside or behind map: use map(x, condition, value), or another step",
        ),
        (
            "x.filter(a, a).map(b, b)",
            "col 3: filter cannot stand inside or behind map: use map(x, condition, value), or another step",
        ),
        ("timestamp('2020-01-01T00:00:00Z')", "col 1: there is no function \"timestamp\""),
    ];
    for (source, expected) in table {
        let problem = references(source).err().unwrap_or_else(|| panic!("{source} was read"));
        assert_eq!(problem.to_string(), expected, "{source}");
        assert_eq!(failure(source), expected, "{source}");
    }
}

#[test]
fn what_fails_is_said_in_plain_words() {
    let table = [
        ("params.gone", "params.gone is missing"),
        ("gone + 1", "gone is missing"),
        ("params.list[9]", "params.list[9] is missing"),
        ("params.posts[1].title + ''", "params.posts[1].title is missing"),
        ("params.posts.map(p, p.title)", "p.title is missing"),
        ("params.list[params.n]", "params.list[…] is missing"),
        ("params.list[0 - 1]", "params.list[…] is missing"),
        ("params['b c']", "params['b c'] is missing"),
        ("params.target.x", "params.target.x is missing"),
        ("json(params.raw).b", "json(…).b is missing"),
        ("params.n-params.n", "params.n-params.n is missing (for a subtraction, write spaces around the \"-\")"),
        ("steps.translated.output.text", "steps.translated.output.text is missing (step \"translated\" was skipped)"),
        (
            "size(steps.translated.output.text)",
            "steps.translated.output.text is missing (step \"translated\" was skipped)",
        ),
        ("steps.sentiment.output.label == ''", "steps.sentiment.output.label is missing (step \"sentiment\" failed)"),
        ("steps.text.output.language != params.target", "steps.text.output.language is missing"),
        ("steps.later.output", "steps.later.output is missing (step \"later\" has not run)"),
        (
            "coalesce(params.gone, steps.translated.output)",
            "steps.translated.output is missing (step \"translated\" was skipped)",
        ),
        ("default(params.gone, params.lost)", "params.lost is missing"),
        ("default(1 / 0, 2)", "a division by zero"),
        ("has(params[1 / 0])", "a division by zero"),
        ("params.n + 'a'", "\"+\" is not for a number and a string; string(x) makes a text of it"),
        ("[1] + 1", "\"+\" is not for a list and a number"),
        ("'a' < 1", "\"<\" is not for a string and a number"),
        ("-'a'", "\"-\" is not for a string"),
        ("!1", "true or false is expected, not a number"),
        ("params.nothing ? 1 : 2", "true or false is expected, not null"),
        ("'a' in 'abc'", "\"in\" looks into lists and objects; for a text, use contains"),
        ("1 in 2", "\"in\" is not for a number and a number"),
        ("9223372036854775807 * 4", "a whole number needs more than 64 bits"),
        ("params.big + 1", "a whole number needs more than 64 bits"),
        ("1.0 / 0", "a number is infinite or none at all, which JSON does not have"),
        ("0.0 / 0.0", "a number is infinite or none at all, which JSON does not have"),
        ("5.5 % 2", "\"%\" is for whole numbers"),
        ("int(1e300)", "a whole number needs more than 64 bits"),
        ("int('x')", "int(text) is given a text that is no whole number"),
        ("double('inf')", "a number is infinite or none at all, which JSON does not have"),
        ("size(1)", "size(text or list) is given a number"),
        ("truncate('a', -1)", "truncate(text, characters) is given a string and a number"),
        ("split('a', '')", "split(text, separator) is given an empty separator"),
        ("join([[1]], ',')", "join(list, separator) is given a list in its list"),
        ("json('{')", "json(text) is given something else: EOF while parsing an object at line 1 column 1"),
        ("matches('a', '(' + 'a')", "the pattern is wrong: error: unclosed group"),
        ("params.n.map(x, x)", "a list is expected, not a number"),
        ("{1: 2}", "the names in an object are strings"),
        ("{'a': 1, 'a': 2}", "an object has the name \"a\" twice"),
        ("params.list[true]", "an index is a number or a string, not a boolean"),
    ];
    for (source, expected) in table {
        assert_eq!(failure(source), expected, "{source}");
    }
}

#[test]
fn a_caret_stands_under_the_column() {
    assert_eq!(caret("size(params.x", 14), "size(params.x\n             ^");
    assert_eq!(caret("1 +\n * 2", 6), " * 2\n ^");
    assert_eq!(caret("'中' + #", 7), "'中' + #\n       ^");
    assert_eq!(caret("a", 99), "a\n ^");
    assert_eq!(caret("", 1), "\n^");
}
