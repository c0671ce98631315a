//! Malformed definitions, each with what is said about it, and what never happens.

mod malformed;
mod world;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const EXAMPLES: [&str; 4] = [
    include_str!("../../tests/fixtures/workflows/summarise.json"),
    include_str!("../../tests/fixtures/workflows/translate.json"),
    include_str!("../../tests/fixtures/workflows/follow.json"),
    include_str!("../../tests/fixtures/workflows/enrich.json"),
];

fn told(text: &str) -> Vec<String> {
    check(text, &World::default()).problems.iter().map(Problem::to_string).collect()
}

#[test]
fn the_examples_are_fine() {
    for text in EXAMPLES {
        let checked = check(text, &World::default());
        assert_eq!(checked.problems, [], "{text}");
        // What is read is what was written.
        assert_eq!(checked.value.unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }
}

#[test]
fn the_schema_takes_what_the_design_takes() {
    let design: Value =
        serde_json::from_str(include_str!("../../tests/fixtures/workflows/design.schema.json")).unwrap();
    let (design, ours) = (shape::validator(&design), shape::validator(super::super::schema::schema()));
    let step = json!({"use": "exec:a-b", "with": {"x": 1}, "when": "true", "after": ["b"], "timeout": "1ms", "deadline": "2d",
        "delay": "0s", "on_error": "continue", "foreach": {"in": "[1]", "as": "x", "parallel": 64, "limit": 10000,
        "on_item_error": "collect"}, "retry": {"max": 50, "first": "1s", "factor": 10, "cap": "1h",
        "on": ["timeout", "unavailable", "rate_limited", "not_found", "forbidden", "invalid_input"],
        "not": ["too_large", "unsupported", "expression", "crash", "internal"]}});
    let full = json!({"dsl": 1, "name": "a-b_c", "title": "T", "output": null, "deadline": "1h", "max_active_runs": 1,
        "params": {"a-b": {"type": "array", "default": null, "enum": [1], "description": "d", "max_length": 0}},
        "triggers": [{"cron": "x", "tz": "y", "overlap": "allow", "catchup": "all", "jitter": "1s", "params": {"a": 1}},
            {"event": "task.failed", "when": "true", "params": {}}],
        "steps": {"a": step, "b": {"use": "condition"}}, "on_error": {"c": {"use": "callback"}}});
    let examples = EXAMPLES.into_iter().map(|text| serde_json::from_str(text).unwrap());
    for value in examples.chain([full]) {
        assert!(design.is_valid(&value), "{value}");
        let problems: Vec<String> = ours.iter_errors(&value).map(|error| error.to_string()).collect();
        assert!(problems.is_empty(), "{problems:?}");
    }
}

#[test]
fn warnings_do_not_keep_a_definition_out() {
    let checked = check(
        &json!({"dsl": 1, "name": "x", "params": {"p": {"type": "string"}}, "steps": {
            "a": {"use": "llm", "with": {"system": "x", "input": "x"}, "when": "task.id > 0"},
            "b": {"use": "llm", "with": {"system": "x", "input": "${steps.a.output.text}"}}},
            "on_error": {"c": {"use": "callback", "with": {"url": "https://x.example", "data": "${steps.b.output.text}"}}},
            "output": "${steps.a.output.text}"})
        .to_string(),
        &World::default(),
    );
    assert!(checked.definition.is_some());
    let told: Vec<String> = checked.problems.iter().map(Problem::to_string).collect();
    assert_eq!(
        told,
        [
            "W_UNGUARDED /on_error/c/with/data: steps.b may be skipped: wrap it in default",
            "W_UNGUARDED /output: steps.a may be skipped: wrap it in default",
            "W_UNUSED /params/p: parameter \"p\" is never used",
        ]
    );
}

#[test]
fn an_expression_that_cannot_be_read_is_shown_with_a_mark() {
    let caret = |when: &str| {
        let step = json!({"use": "http", "with": {"url": "https://x.example"}, "when": when});
        let checked = check(&json!({"dsl": 1, "name": "x", "steps": {"a": step}}).to_string(), &World::default());
        let problem = checked.problems.into_iter().find(|problem| problem.code == "E_EXPR").unwrap();
        assert_eq!(problem.pointer, "/steps/a/when");
        problem.caret.unwrap()
    };
    assert_eq!(caret("size(params"), "size(params\n           ^");
    assert_eq!(caret("'中' == ${params.p}"), "'中' == ${params.p}\n        ^");
}

/// A definition of a hundred steps, each with references to others.
fn hundred() -> String {
    let steps: serde_json::Map<String, Value> = (0..100)
        .map(|n| {
            let before = n.max(1) - 1;
            let input = match n {
                0 => "${params.p}".to_owned(),
                _ => format!("${{steps.s{before}.output.text}} and ${{default(steps.s{}.output.text, 'x')}}", n / 2),
            };
            let when = if n == 0 { json!("true") } else { json!(format!("size(steps.s{before}.output.text) > {n}")) };
            (
                format!("s{n}"),
                json!({"use": "llm", "when": when, "with": {"model": "m", "system": "x", "input": input}}),
            )
        })
        .collect();
    json!({"dsl": 1, "name": "big", "params": {"p": {"type": "string"}}, "steps": steps}).to_string()
}

#[test]
fn a_hundred_steps_are_a_definition_and_one_more_is_none() {
    let text = hundred();
    let begun = std::time::Instant::now();
    assert!(check(&text, &World::default()).definition.is_some());
    // A figure for whoever asks for it, no limit: what is timed in a test build says little.
    println!("100 steps: {:?}", begun.elapsed());
    let mut more: Value = serde_json::from_str(&text).unwrap();
    more["steps"]["one"] = more["steps"]["s0"].clone();
    assert_eq!(told(&more.to_string())[0], "E_LIMIT /steps: 101 steps are too many: at most 100");
    let many: serde_json::Map<String, Value> = (0..10_000).map(|n| (format!("s{n}"), json!({"use": "http"}))).collect();
    let many = json!({"dsl": 1, "name": "x", "steps": many}).to_string();
    assert_eq!(told(&many)[0], "E_LIMIT /steps: 10000 steps are too many: at most 100");
}

/// A definition in which anything may stand anywhere.
fn mangled() -> impl Strategy<Value = String> {
    let example = proptest::sample::select(EXAMPLES.to_vec());
    (example, any::<prop::sample::Index>(), "[ -~\u{4e00}]{0,6}", any::<prop::sample::Index>(), 0usize..12).prop_map(
        |(text, from, put, to, cut)| {
            let chars: Vec<char> = text.chars().collect();
            let at = from.index(chars.len());
            let end = (at + cut).min(chars.len());
            let moved: String = chars[to.index(chars.len())..].iter().take(cut).collect();
            let (head, tail): (String, String) = (chars[..at].iter().collect(), chars[end..].iter().collect());
            format!("{head}{put}{moved}{tail}")
        },
    )
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}") {
        let checked = check(&text, &World::default());
        prop_assert!(checked.definition.is_some() || checked.problems.iter().any(Problem::is_error));
    }

    #[test]
    fn mangled_definitions_are_read_or_refused(text in mangled()) {
        let checked = check(&text, &World::default());
        prop_assert!(checked.definition.is_some() != checked.problems.iter().any(Problem::is_error));
        if let Some(definition) = checked.definition {
            // What is taken can be planned.
            prop_assert!(crate::workflow::plan(&definition).is_ok());
        }
    }
}
