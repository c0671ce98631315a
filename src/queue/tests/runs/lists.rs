//! Conditions and lists.

use super::*;

fn each(on_item_error: &str, parallel: u32) -> Value {
    let list = json!({ "in": "params.list", "as": "one", "parallel": parallel, "on_item_error": on_item_error });
    json!({ "use": "condition", "foreach": list, "with": { "value": "${one}", "at": "${index}" },
            "retry": { "max": 1, "first": "0ms" } })
}

#[tokio::test]
async fn items_run_so_many_at_once_and_come_out_in_order() {
    let bench = Bench::new().await;
    let steps =
        json!({ "each": each("fail", 2), "then": { "use": "condition", "with": { "all": "${steps.each.output}" } } });
    let mut definition = workflow("w", steps);
    definition["output"] = json!({ "all": "${steps.then.output}" });
    let id = bench.begin(definition, json!({ "list": ["a", "b", "c", "d", "e"] })).await;
    let whole = bench.ready().await.pop().unwrap();
    let end = bench.outcome(&whole, &|_, _| unreachable!()).await;
    assert!(bench.queue.end(&whole, &end).await.unwrap());
    assert_eq!(bench.by_key(id).await["each"], "waiting");
    let mut told = Vec::new();
    loop {
        let mut ready = bench.ready().await;
        if ready.is_empty() {
            break;
        }
        assert!(ready.len() <= 2, "more than two items at once");
        // The later one ends first.
        ready.reverse();
        for work in ready {
            told.push(work.row.step.key.clone());
            let end = bench.outcome(&work, &|_, input| output(input.clone())).await;
            assert!(bench.queue.end(&work, &end).await.unwrap());
        }
    }
    assert_eq!(told, ["each[1]", "each[0]", "each[3]", "each[2]", "each[4]", "then"]);
    let expected: Vec<Value> =
        ["a", "b", "c", "d", "e"].iter().enumerate().map(|(at, value)| json!({ "value": value, "at": at })).collect();
    assert_eq!(bench.output_of(id, "each").await, json!(expected));
    let task = bench.look(id).await;
    assert_eq!((task.progress, task.result), (1.0, Some(json!({ "all": { "all": expected } }))));
}

#[tokio::test]
async fn collected_failures_stand_beside_what_went_well_and_each_item_has_its_own_tries() {
    let bench = Bench::new().await;
    let id = bench.begin(workflow("w", json!({ "each": each("collect", 3) })), json!({ "list": [1, 2, 3] })).await;
    bench
        .play(|key, input| match key {
            "each[1]" => failure(Code::ConnectFailed, "never there"),
            _ => output(input["value"].clone()),
        })
        .await;
    assert_eq!(bench.ended(id).await.0, "completed");
    let made = bench.output_of(id, "each").await;
    assert_eq!((&made["ok"], made["failed"].as_array().unwrap().len()), (&json!([1, 3]), 1));
    assert_eq!((&made["failed"][0]["index"], &made["failed"][0]["item"]), (&json!(1), &json!(2)));
    assert_eq!(made["failed"][0]["error"]["code"], "connect_failed");
    assert_eq!(bench.times(id, "each[1]", StepState::Running).await, 2);
    assert_eq!(bench.times(id, "each[0]", StepState::Running).await, 1);
}

#[tokio::test]
async fn a_failed_item_stops_the_others_and_only_what_did_not_succeed_is_tried_again() {
    let bench = Bench::new().await;
    let id = bench.begin(workflow("w", json!({ "each": each("fail", 2) })), json!({ "list": [1, 2, 3, 4, 5] })).await;
    bench.play(|key, _| if key == "each[2]" { failure(Code::NoAudio, "silent") } else { output(json!(key)) }).await;
    assert_eq!(bench.ended(id).await, ("failed", "no_audio".to_owned()));
    let states = bench.by_key(id).await;
    assert_eq!((states["each"], states["each[0]"], states["each[2]"]), ("failed", "succeeded", "failed"));
    assert_eq!(states["each[4]"], "cancelled");

    bench.queue.retry(id).await.unwrap();
    assert_eq!(bench.by_key(id).await["each"], "waiting");
    bench.play(|key, _| output(json!(key))).await;
    assert_eq!(bench.ended(id).await.0, "completed");
    let all: Vec<String> = (0..5).map(|at| format!("each[{at}]")).collect();
    assert_eq!(bench.output_of(id, "each").await, json!(all));
    for key in &all {
        assert_eq!(bench.times(id, key, StepState::Succeeded).await, 1, "{key}");
    }
}

#[tokio::test]
async fn a_list_may_be_empty_but_neither_too_long_nor_something_else() {
    let bench = Bench::new().await;
    let id = bench.begin(workflow("a", json!({ "each": each("fail", 1) })), json!({ "list": [] })).await;
    bench.play(|_, _| unreachable!()).await;
    assert_eq!((bench.ended(id).await.0, bench.output_of(id, "each").await), ("completed", json!([])));

    let mut short = each("fail", 1);
    short["foreach"]["limit"] = json!(2);
    let id = bench.begin(workflow("b", json!({ "each": short })), json!({ "list": [1, 2, 3] })).await;
    bench.play(|_, _| unreachable!()).await;
    assert_eq!(bench.ended(id).await, ("failed", "too_large".to_owned()));
    assert_eq!(bench.by_key(id).await.len(), 1, "a part of the list was begun");

    let id = bench.begin(workflow("c", json!({ "each": each("fail", 1) })), json!({ "list": "text" })).await;
    bench.play(|_, _| unreachable!()).await;
    assert_eq!(bench.ended(id).await, ("failed", "expression".to_owned()));
}

#[tokio::test]
async fn both_halves_of_a_transcription_belong_to_its_item() {
    let bench = Bench::new().await;
    let list = json!({ "in": "params.list", "parallel": 2, "on_item_error": "collect" });
    let steps = json!({ "text": { "use": "transcribe", "foreach": list, "with": { "media": "${item}" } } });
    let id = bench.begin(workflow("w", steps), json!({ "list": [1, 2, 3] })).await;
    bench
        .play(|key, _| match key {
            "text[0]:extract" => failure(Code::NoAudio, "silent"),
            _ => output(json!({ "key": key })),
        })
        .await;
    assert_eq!(bench.ended(id).await.0, "completed");
    let made = bench.output_of(id, "text").await;
    assert_eq!(made["ok"], json!([{ "key": "text[1]" }, { "key": "text[2]" }]));
    assert_eq!((&made["failed"][0]["index"], &made["failed"][0]["error"]["detail"]), (&json!(0), &json!("silent")));
    assert_eq!(bench.times(id, "text[1]:extract", StepState::Succeeded).await, 1);
}

#[tokio::test]
async fn a_condition_is_decided_once_and_its_step_then_waits_in_its_own_lane() {
    let bench = Bench::new().await;
    let yes = json!({ "use": "resolve", "when": "params.yes", "retry": { "max": 2, "first": "0ms" } });
    let no = json!({ "use": "transcribe", "when": "params.no", "with": { "media": 1 } });
    let after = json!({ "use": "condition", "with": { "a": "${steps.no.output}" } });
    let join = json!({ "use": "condition", "after": ["after", "yes"] });
    let steps = json!({ "yes": yes, "no": no, "after": after, "join": join });
    let id = bench.begin(workflow("w", steps), json!({ "yes": true, "no": false })).await;
    assert!(bench.claim(Lane::Net).await.is_none(), "the work has begun before the decision");
    assert!(bench.claim(Lane::Cpu).await.is_none());
    for work in bench.queue.claim(Lane::Flow, 9, &[], false).await.unwrap() {
        let end = bench.outcome(&work, &|_, _| unreachable!()).await;
        assert!(bench.queue.end(&work, &end).await.unwrap());
    }
    for attempt in 1..3 {
        let work = bench.claim(Lane::Net).await.unwrap();
        assert_eq!((work.row.step.attempt, work.row.chosen), (attempt, Some(true)));
        let task = bench.look(id).await;
        // Whatever the scope says now, it was decided.
        let nothing = json!({ "params": {}, "steps": {}, "task": { "id": task.id } });
        assert_eq!(decide(&work.row, &nothing).unwrap(), Decision::Here { chosen: false });
        assert!(bench.queue.end(&work, &failure(Code::ConnectFailed, "not now")).await.unwrap());
    }
    bench.play(|key, _| output(json!(key))).await;
    let states = bench.by_key(id).await;
    let told: Vec<&str> = ["yes", "no:extract", "no", "after", "join"].iter().map(|key| states[*key]).collect();
    assert_eq!(told, ["succeeded", "skipped", "skipped", "skipped", "succeeded"]);
    assert_eq!(bench.ended(id).await.0, "completed");
}

#[tokio::test]
async fn another_try_leaves_a_list_that_succeeded_alone() {
    let bench = Bench::new().await;
    let get = json!({ "use": "download", "foreach": { "in": "params.list" }, "with": { "from": "${item}" } });
    let retry = json!({ "max": 1, "first": "0ms" });
    let text = json!({ "use": "transcribe", "retry": retry, "with": { "media": "${steps.get.output[0]}" } });
    let id = bench.begin(workflow("w", json!({ "get": get, "text": text })), json!({ "list": [1, 2] })).await;
    bench
        .play(|key, _| if key == "text:extract" { failure(Code::Truncated, "short") } else { output(json!(key)) })
        .await;
    assert_eq!(bench.ended(id).await, ("failed", "truncated".to_owned()));
    bench.queue.retry(id).await.unwrap();
    bench.play(|key, _| output(json!(key))).await;
    assert_eq!(bench.ended(id).await.0, "completed");
    assert_eq!(bench.times(id, "get[0]", StepState::Succeeded).await, 1);
}

#[tokio::test]
async fn a_list_that_failed_waits_for_its_turn_and_has_its_deadline_anew() {
    let bench = Bench::new().await;
    let mut step = each("fail", 1);
    step["deadline"] = json!("1h");
    let mut definition = workflow("w", json!({ "each": step }));
    definition["max_active_runs"] = json!(1);
    let id = bench.begin(definition.clone(), json!({ "list": [1, 2] })).await;
    bench.play(|key, _| if key == "each[1]" { failure(Code::NoAudio, "silent") } else { output(json!(key)) }).await;
    let other = bench.begin(definition, json!({ "list": [] })).await;
    bench.queue.retry(id).await.unwrap();
    assert_eq!((bench.look(id).await.held, bench.by_key(id).await["each"]), (true, "blocked"));
    bench.queue.cancel(other).await.unwrap();
    assert_eq!(bench.by_key(id).await["each"], "waiting");
    let rows = bench.queue.store().steps_of(id).await.unwrap();
    let deadline = |key: &str| rows.iter().find(|row| row.step.key == key).unwrap().deadline_at;
    assert!(deadline("each").is_some());
    assert_eq!(deadline("each"), deadline("each[1]"));
    bench.play(|key, _| output(json!(key))).await;
    assert_eq!(bench.ended(id).await.0, "completed");
    assert_eq!(bench.times(id, "each[0]", StepState::Succeeded).await, 1);
}
