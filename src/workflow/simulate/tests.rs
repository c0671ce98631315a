use super::*;

fn run(steps: Value, on_error: Value, output: Value, mocks: Value) -> Simulated {
    let mut text = json!({"dsl": 1, "name": "x", "params": {"n": {"type": "integer", "default": 2}}, "steps": steps, "output": output});
    if on_error.as_object().is_some_and(|steps| !steps.is_empty()) {
        text["on_error"] = on_error;
    }
    let definition = Definition::parse(&text.to_string()).unwrap();
    simulate(&definition, &Map::new(), mocks.as_object().unwrap()).unwrap()
}

fn statuses(simulated: &Simulated) -> Vec<(&str, &str)> {
    simulated.steps.iter().map(|trace| (trace.step.as_str(), trace.status)).collect()
}

fn ask(input: &str) -> Value {
    json!({"use": "llm", "with": {"system": "x", "input": input}})
}

#[test]
fn inputs_are_filled_and_results_passed_on() {
    let steps = json!({"b": ask("${steps.a.output.text}!"), "a": ask("${params.n}")});
    let went =
        run(steps, json!({}), json!("${steps.b.output.text}"), json!({"a": {"text": "one"}, "b": {"text": "two"}}));
    assert_eq!(statuses(&went), [("a", "succeeded"), ("b", "succeeded")]);
    assert_eq!(went.steps[0].with, Some(json!({"system": "x", "input": 2})));
    assert_eq!(went.steps[1].with, Some(json!({"system": "x", "input": "one!"})));
    assert_eq!((went.status, went.output, went.warnings.len()), ("completed", Some(json!("two")), 0));
}

#[test]
fn what_cannot_do_without_a_skipped_step_is_skipped() {
    let mut a = ask("x");
    a["when"] = json!("params.n > 2");
    let steps =
        json!({"a": a, "b": ask("${steps.a.output.text}"), "c": ask("${default(steps.b.output.text, 'none')}")});
    let went = run(steps, json!({}), json!("${steps.c.output.text}"), json!({"c": {"text": "c"}}));
    assert_eq!(statuses(&went), [("a", "skipped"), ("b", "skipped"), ("c", "succeeded")]);
    assert_eq!(went.steps[2].with, Some(json!({"system": "x", "input": "none"})));
    assert_eq!(went.output, Some(json!("c")));
}

#[test]
fn a_failure_ends_the_task_and_starts_its_handlers() {
    let steps = json!({"a": ask("x"), "b": ask("${steps.a.output.text}")});
    let tell = json!({"tell": {"use": "callback", "with": {"url": "https://x.example", "data": "${task.error.code}"}}});
    let went = run(
        steps.clone(),
        tell,
        json!(null),
        json!({"a": {"error": {"code": "rate_limited"}}, "tell": {"delivery_id": "m"}}),
    );
    assert_eq!(statuses(&went), [("a", "failed"), ("b", "cancelled"), ("tell", "succeeded")]);
    assert_eq!(went.steps[2].with.as_ref().unwrap()["data"], "rate_limited");
    assert_eq!((went.status, went.error.unwrap().code.as_str()), ("failed", "rate_limited"));

    let mut steps = steps;
    steps["a"]["on_error"] = json!("continue");
    let went = run(
        steps,
        json!({}),
        json!("${default(steps.b.output.text, 'none')}"),
        json!({"a": {"error": {"code": "rate_limited"}}}),
    );
    assert_eq!(statuses(&went), [("a", "failed"), ("b", "skipped")]);
    assert_eq!((went.status, went.output), ("completed", Some(json!("none"))));
    assert!(went.warnings[0].contains("has failed"), "{:?}", went.warnings);
}

#[test]
fn lists_run_item_by_item() {
    let step = |on_item_error: &str| {
        json!({"each": {"use": "llm", "foreach": {"in": "[params.n, 5, 7]", "as": "one", "on_item_error": on_item_error},
            "with": {"system": "x", "input": "${index}: ${one}"}}})
    };
    let mocks = json!({"each": [{"text": "a"}, {"error": {"code": "not_found"}}, {"text": "c"}]});
    let went = run(step("collect"), json!({}), json!("${size(steps.each.output.failed)}"), mocks.clone());
    let items = went.steps[0].items.as_ref().unwrap();
    assert_eq!(items[2].with, Some(json!({"system": "x", "input": "2: 7"})));
    let output = went.steps[0].output.as_ref().unwrap();
    assert_eq!(output["ok"], json!([{"text": "a"}, {"text": "c"}]));
    assert_eq!(
        (&output["failed"][0]["index"], &output["failed"][0]["error"]["code"]),
        (&json!(1), &json!("not_found"))
    );
    assert_eq!(went.output, Some(json!(1)));
    let went = run(step("fail"), json!({}), json!(null), mocks);
    let items: Vec<&str> = went.steps[0].items.as_ref().unwrap().iter().map(|item| item.status).collect();
    assert_eq!((went.status, items), ("failed", vec!["succeeded", "failed", "cancelled"]));
}

#[test]
fn conditions_are_real_and_the_rest_is_made_up() {
    let steps = json!({"pick": {"use": "condition", "with": {"cases": [{"when": "params.n > 5", "value": "many"}, {"when": "params.n > 1", "value": "some"}], "else": "few"}},
        "text": {"use": "transcribe", "with": {"media": "media:1"}}});
    let went = run(
        steps,
        json!({}),
        json!({"pick": "${steps.pick.output.value}", "length": "${size(steps.text.output.segments)}"}),
        json!({}),
    );
    assert_eq!(went.output, Some(json!({"pick": "some", "length": 0})));
    assert_eq!(went.warnings, ["Step \"text\" has no mock: its output is made up"]);
}

#[test]
fn what_does_not_fit_is_refused() {
    let definition = Definition::parse(
        &json!({"dsl": 1, "name": "x", "params": {"n": {"type": "integer"}}, "steps": {"a": ask("${params.n}")}})
            .to_string(),
    )
    .unwrap();
    let of =
        |params: Value, mocks: Value| simulate(&definition, params.as_object().unwrap(), mocks.as_object().unwrap());
    assert_eq!(of(json!({}), json!({})).unwrap_err().code, Code::InvalidValue);
    assert_eq!(of(json!({"n": "1"}), json!({})).unwrap_err().code, Code::InvalidValue);
    assert_eq!(of(json!({"n": 1, "m": 1}), json!({})).unwrap_err().code, Code::UnknownField);
    assert_eq!(of(json!({"n": 1}), json!({"b": {}})).unwrap_err().code, Code::UnknownField);
    let typo = json!({"error": {"code": "source_timeut"}});
    for mock in [typo.clone(), json!([{"text": ""}, typo])] {
        let error = of(json!({"n": 1}), json!({"a": mock})).unwrap_err();
        assert_eq!((error.code, error.hint.as_str()), (Code::UnknownField, "Did you mean \"source_timeout\"?"));
    }
    assert_eq!(of(json!({"n": 1}), json!({})).unwrap().status, "completed");
}

#[test]
fn what_takes_too_much_ends() {
    let definition = |with: Value| {
        let each = json!({"use": "llm", "foreach": {"in": "params.list"}, "with": with});
        let text = json!({"dsl": 1, "name": "x", "params": {"list": {"type": "array"}, "text": {"type": "string", "default": ""}},
            "steps": {"each": each}, "output": "${params.text}"});
        Definition::parse(&text.to_string()).unwrap()
    };
    let params = json!({"list": vec![0; 1000], "text": "x".repeat(100_000)});
    let of = |with: Value| simulate(&definition(with), params.as_object().unwrap(), &Map::new());
    assert_eq!(of(json!({"system": "x", "input": "${params.text}"})).unwrap_err().code, Code::TooLarge);
    assert_eq!(of(json!({"system": "x", "input": "${item}"})).unwrap().status, "completed");
}
