//! Definitions in their world: the workflows that they run, and the machine that is to run them.

use serde_json::{Value, json};

use super::EXAMPLES;
use crate::workflow::validate::{Machine, Other, Problem, World, check};

/// A world of these workflows.
fn world(definitions: &[Value]) -> World {
    let named = |definition: &Value| {
        let other = Other { revision: Some(3), definition: definition.clone() };
        (definition["name"].as_str().unwrap().to_owned(), other)
    };
    World { workflows: definitions.iter().map(named).collect(), ..World::default() }
}

fn workflow(name: &str, params: Value, steps: Value) -> Value {
    json!({"dsl": 1, "name": name, "params": params, "steps": steps})
}

/// A workflow that runs another one.
fn caller(name: &str, callee: &str) -> Value {
    workflow(name, json!({}), json!({"s": {"use": "workflow", "with": {"name": callee}}}))
}

fn told(definition: &Value, world: &World) -> Vec<String> {
    check(&definition.to_string(), world).problems.iter().map(Problem::to_string).collect()
}

#[test]
fn workflows_lie_four_deep_in_each_other_at_most() {
    let of = |pairs: &[(&str, &str)]| world(&pairs.iter().map(|(a, b)| caller(a, b)).collect::<Vec<_>>());
    let leaf = |name: &str| caller(name, "${params.x}");
    let a = caller("a", "b");
    let mut three = of(&[("b", "c"), ("c", "d")]);
    three.workflows.extend(world(&[leaf("d")]).workflows);
    assert_eq!(told(&a, &three), Vec::<String>::new());
    assert_eq!(
        told(&a, &of(&[("b", "c"), ("c", "d"), ("d", "e")])),
        ["E_LIMIT /steps/s/with/name: a → b → c → d → e are more than 4 workflows in each other"]
    );
    assert_eq!(
        told(&a, &of(&[("bb", "c")])),
        ["W_UNKNOWN /steps/s/with/name: no workflow \"b\" is here yet; did you mean \"bb\"?"]
    );
    let round = of(&[("b", "c"), ("c", "a")]);
    assert_eq!(told(&a, &round), ["E_LIMIT /steps/s/with/name: a → b → c → a without a \"when\" that ends it"]);
    let mut ends = a;
    ends["steps"]["s"]["when"] = json!("task.id > 0");
    assert_eq!(told(&ends, &round), Vec::<String>::new());
}

#[test]
fn what_a_workflow_is_given_is_what_it_takes() {
    let callee = workflow(
        "callee",
        json!({"link": {"type": "url"}, "count": {"type": "integer", "default": 1}}),
        json!({"a": {"use": "resolve", "with": {"link": "${params.link}", "limit": "${params.count}"}}}),
    );
    let world = world(&[callee]);
    let told = |with: Value| {
        let step = json!({"use": "workflow", "with": with});
        told(
            &workflow(
                "caller",
                json!({"p": {"type": "object", "default": {}}}),
                json!({"s": step, "p": {"use": "http",
            "with": {"url": "https://x.example", "json": "${params.p}"}}}),
            ),
            &world,
        )
    };
    let fine = json!({"name": "callee", "params": {"link": "https://x.example", "count": "${params.p.count}"}});
    assert_eq!(told(fine), Vec::<String>::new());
    assert_eq!(
        told(json!({"name": "callee", "params": {"lnik": "https://x.example", "count": "3"}})),
        [
            "E_PARAM /steps/s/with/params/lnik: workflow \"callee\" has no parameter \"lnik\"; did you mean \"link\"?",
            "E_PARAM /steps/s/with/params/count: \"3\" is not of type integer",
            "E_PARAM /steps/s/with: workflow \"callee\" needs its parameter \"link\", which has no default",
        ]
    );
    assert_eq!(told(json!({"name": "callee"})).len(), 1);
    assert_eq!(told(json!({"name": "callee", "version": 3})).len(), 1);
    // What is not known is not judged.
    for with in [
        json!({"name": "callee", "version": 2}),
        json!({"name": "callee", "params": "${params.p}"}),
        json!({"name": "${params.p.name}", "params": {"x": 1}}),
    ] {
        assert_eq!(told(with.clone()), Vec::<String>::new(), "{with}");
    }
    // One that runs itself.
    let again = json!({"again": {"use": "workflow", "when": "params.n > 0",
        "with": {"name": "count", "params": {"n": "${params.n - 1}", "m": 1}}}});
    assert_eq!(
        super::told(&workflow("count", json!({"n": {"type": "integer"}}), again).to_string()),
        ["E_PARAM /steps/again/with/params/m: workflow \"count\" has no parameter \"m\""]
    );
}

/// However the other workflow calls it, and however many there are in between.
#[test]
fn an_address_does_not_come_from_a_step_by_way_of_another_workflow() {
    let params = || json!({"to": {"type": "string"}, "word": {"type": "string"}});
    let tell = json!({"use": "callback", "with": {"url": "${params.to}", "data": "${params.word}"}});
    let inner = workflow("inner", params(), json!({"tell": tell}));
    let pass = json!({"use": "workflow", "with": {"name": "inner", "params": {"to": "https://${params.word}/", "word": "${params.to}"}}});
    let outer = workflow("outer", params(), json!({"pass": pass}));
    let world = world(&[inner, outer]);
    let call = |callee: &str, to: &str, word: &str| {
        let step = json!({"use": "workflow", "with": {"name": callee, "params": {"to": to, "word": word}}});
        let text = json!({"use": "transcribe", "with": {"media": "media:1"}});
        told(&workflow("caller", json!({}), json!({"text": text, "s": step})), &world)
    };
    let (heard, ours) = ("${steps.text.output.text}", "https://x.example/");
    assert_eq!(
        call("inner", heard, heard),
        ["E_TAINT /steps/s/with/params/to: workflow.params.to may not come from steps.*"]
    );
    assert_eq!(call("inner", ours, heard), Vec::<String>::new());
    assert_eq!(
        call("outer", heard, heard),
        ["E_TAINT /steps/s/with/params/word: workflow.params.word may not come from steps.*"]
    );
    assert_eq!(call("elsewhere", heard, heard).len(), 1, "nothing is known of it but that it is not here");
}

#[test]
fn what_the_machine_does_not_have_is_told() {
    let list = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let machine = Machine {
        programs: list(&["sentiment"]),
        prompts: list(&["summary"]),
        models: list(&["small"]),
        secrets: list(&["hook"]),
    };
    let ask = |with: Value| json!({"use": "llm", "with": with});
    let steps = json!({
        "a": {"use": "exec:sentimant"},
        "b": ask(json!({"prompt": "sumary", "model": "samll", "input": "x"})),
        "c": ask(json!({"system": "x", "input": "${steps.b.output.text} ${steps.d.output.text}"})),
        "d": ask(json!({"prompt": "summary", "model": "small", "input": "x"})),
        "e": {"use": "exec:sentiment", "with": {"text": "${steps.c.output.text} ${steps.f.output.text}"}},
        "f": ask(json!({"prompt": "${params.prompt}", "model": "${params.model}", "input": "x"})),
        "g": {"use": "http", "with": {"url": "https://x.example/", "headers": {"a": "${secrets.hok}", "b": "${secrets.hook}"}}},
    });
    let text = json!({"type": "string", "default": "x"});
    let definition = workflow("x", json!({"prompt": text, "model": text}), steps);
    let on = |machine: Machine| told(&definition, &World { machine, ..World::default() });
    assert_eq!(
        on(machine),
        [
            "W_UNKNOWN /steps/a/use: no program \"sentimant\" is configured here; did you mean \"sentiment\"?",
            "W_UNKNOWN /steps/b/with/prompt: no prompt \"sumary\" is configured here; did you mean \"summary\"?",
            "W_UNKNOWN /steps/b/with/model: no language model \"samll\" is configured here; did you mean \"small\"?",
            "W_UNKNOWN /steps/c: no language model \"default\" is configured here",
            "W_UNKNOWN /steps/g/with/headers/a: no secret \"hok\" is configured here; did you mean \"hook\"?",
        ]
    );
    assert_eq!(on(Machine::default()), Vec::<String>::new());
    let bare = on(Machine { programs: list(&[]), models: list(&[]), ..Machine::default() });
    assert_eq!(bare.len(), 5, "{bare:?}");
    assert!(bare.contains(&"W_UNKNOWN /steps/d/with/model: no language model is configured here".to_owned()));
}

#[test]
fn the_examples_know_each_other() {
    let all: Vec<Value> = EXAMPLES.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    for definition in &all {
        assert_eq!(told(definition, &world(&all)), Vec::<String>::new());
    }
}
