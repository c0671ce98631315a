//! Failures that are put up with, the steps of `on_error`, deadlines, delays.

use super::*;
use crate::domain::TaskStatus;

/// A workflow in which `a` may fail, with two steps of `on_error`.
fn with_handlers() -> Value {
    let mut definition =
        workflow("w", json!({ "a": trivial(), "b": trivial(), "c": { "use": "condition", "after": ["a"] } }));
    let tell = json!({ "use": "condition", "with": { "why": "${task.error.code}", "b": "${steps.b.output}" } });
    definition["on_error"] =
        json!({ "tell": tell, "more": { "use": "condition", "with": { "x": "${steps.tell.output}" } } });
    definition
}

#[tokio::test]
async fn a_failure_that_is_put_up_with_becomes_a_warning() {
    let bench = Bench::new().await;
    let a = json!({ "use": "condition", "on_error": "continue", "retry": { "max": 1, "first": "0ms" } });
    let strict = json!({ "use": "condition", "with": { "a": "${steps.a.output}" } });
    let steps = json!({ "a": a, "strict": strict, "loose": { "use": "condition", "after": ["a"] } });
    let id = bench.begin(workflow("w", steps), json!({})).await;
    bench.play(|key, _| if key == "a" { failure(Code::ConnectFailed, "gone away") } else { output(json!(1)) }).await;
    let task = bench.look(id).await;
    assert_eq!((task.status, task.error), (TaskStatus::Completed, None));
    assert_eq!(task.warnings, ["Step \"a\" failed: gone away"]);
    let states = bench.by_key(id).await;
    assert_eq!((states["a"], states["strict"], states["loose"]), ("failed", "skipped", "succeeded"));
    assert_eq!(bench.times(id, "a", StepState::Running).await, 2, "its tries come first");
}

#[tokio::test]
async fn a_decoded_half_that_fails_and_is_put_up_with_is_the_whole_steps_failure() {
    let bench = Bench::new().await;
    let steps = json!({ "text": { "use": "transcribe", "on_error": "continue", "with": { "media": 1 } } });
    let id = bench.begin(workflow("w", steps), json!({})).await;
    bench.play(|_, _| failure(Code::NoAudio, "silent")).await;
    assert_eq!(bench.look(id).await.warnings, ["Step \"text\" failed: silent"]);
    assert_eq!(bench.by_key(id).await["text"], "failed");
}

#[tokio::test]
async fn what_is_to_run_on_an_error_runs_once_and_then_the_task_fails() {
    let bench = Bench::new().await;
    let id = bench.begin(with_handlers(), json!({})).await;
    let mut ready = bench.ready().await;
    ready.sort_by(|a, b| a.row.step.key.cmp(&b.row.step.key));
    let [a, b] = <[Work; 2]>::try_from(ready).unwrap();
    let mut stops = bench.queue.wake().stops();
    assert!(bench.queue.end(&a, &failure(Code::NoAudio, "silent")).await.unwrap());
    assert_eq!(stops.try_recv().unwrap().steps, std::slice::from_ref(&b.row.step.id), "what runs was not told to stop");
    let task = bench.look(id).await;
    assert_eq!((task.status, task.error.unwrap().code.as_str()), (TaskStatus::Processing, "no_audio"));
    assert!(bench.queue.end(&b, &output(json!(1))).await.unwrap());
    let states = bench.by_key(id).await;
    assert_eq!(
        (states["b"], states["c"], states["tell"], states["more"]),
        ("cancelled", "cancelled", "ready", "blocked")
    );
    // `b` has left no output, so `tell` fails; what cannot do without it is skipped, and nothing runs again.
    bench.play(|_, _| output(json!(1))).await;
    assert_eq!(bench.ended(id).await, ("failed", "no_audio".to_owned()));
    let states = bench.by_key(id).await;
    assert_eq!((states["tell"], states["more"]), ("failed", "skipped"));
    assert!(bench.look(id).await.warnings[0].starts_with("Step \"tell\" failed"));

    // Another try ends another way, and its own failure is told anew.
    bench.queue.retry(id).await.unwrap();
    assert!(!bench.by_key(id).await.contains_key("tell"));
    bench.play(|key, _| if key == "c" { failure(Code::TooLong, "long") } else { output(json!(key)) }).await;
    assert_eq!(bench.ended(id).await, ("failed", "too_long".to_owned()));
    assert_eq!(bench.output_of(id, "more").await, json!("more"));
}

#[tokio::test]
async fn a_cancelled_task_runs_nothing_more() {
    let bench = Bench::new().await;
    let id = bench.begin(with_handlers(), json!({})).await;
    bench.queue.cancel(id).await.unwrap();
    assert!(bench.ready().await.is_empty());
    assert_eq!(bench.by_key(id).await.len(), 3);
}

#[tokio::test]
async fn a_late_task_fails_and_its_handlers_have_time() {
    let bench = Bench::new().await;
    let mut definition = with_handlers();
    definition["deadline"] = json!("0ms");
    definition["on_error"] = json!({ "tell": { "use": "condition", "with": { "why": "${task.error.code}" } } });
    let id = bench.begin(definition, json!({})).await;
    assert_eq!(bench.queue.fail_overdue().await.unwrap(), 1);
    assert_eq!(bench.queue.fail_overdue().await.unwrap(), 0, "it is late again and again");
    bench.play(|_, input| output(input.clone())).await;
    assert_eq!(bench.ended(id).await, ("failed", "deadline".to_owned()));
    assert_eq!(bench.output_of(id, "tell").await, json!({ "why": "deadline" }));
}

#[tokio::test]
async fn a_step_has_its_deadline_over_all_its_tries() {
    let bench = Bench::new().await;
    let retry = json!({ "max": 9, "first": "1h" });
    let a = json!({ "use": "condition", "deadline": "1m", "on_error": "continue", "retry": retry });
    let b = json!({ "use": "condition", "deadline": "0ms", "on_error": "continue" });
    let id = bench.begin(workflow("w", json!({ "a": a, "b": b })), json!({})).await;
    assert_eq!(bench.queue.fail_overdue().await.unwrap(), 1);
    // The next try of `a` would come too late.
    bench.play(|_, _| failure(Code::ConnectFailed, "not now")).await;
    let task = bench.look(id).await;
    assert_eq!((task.warnings.len(), task.warnings[0].as_str()), (2, "Step \"a\" failed: not now"));
    assert!(
        task.warnings[1].starts_with("Step \"b\" failed: Step \"b\" has not ended within 0"),
        "{:?}",
        task.warnings
    );
    assert_eq!(task.status, TaskStatus::Completed);
}

#[tokio::test]
async fn a_late_list_stops_its_items() {
    let bench = Bench::new().await;
    let mut each = trivial();
    each["foreach"] = json!({ "in": "params.list", "parallel": 2 });
    each["deadline"] = json!("1ms");
    let id = bench.begin(workflow("w", json!({ "each": each })), json!({ "list": [1, 2, 3] })).await;
    let whole = bench.ready().await.pop().unwrap();
    assert!(bench.queue.end(&whole, &End::List(vec![json!(1), json!(2), json!(3)])).await.unwrap());
    while bench.queue.fail_overdue().await.unwrap() == 0 {}
    assert_eq!(bench.ended(id).await, ("failed", "deadline".to_owned()));
    assert!(bench.ready().await.is_empty());
}

#[tokio::test]
async fn a_delayed_step_waits_before_its_first_try() {
    let bench = Bench::new().await;
    let later = |key: &str| json!({ "use": "condition", "after": [key], "delay": "1h" });
    let mut first = trivial();
    first["delay"] = json!("1h");
    let steps = json!({ "a": trivial(), "b": later("a"), "c": first });
    let id = bench.begin(workflow("w", steps), json!({})).await;
    bench.play(|_, _| output(json!(1))).await;
    let states = bench.by_key(id).await;
    assert_eq!((states["a"], states["b"], states["c"]), ("succeeded", "ready", "ready"));
    for row in bench.queue.store().steps_named(id, &["b".to_owned(), "c".to_owned()]).await.unwrap() {
        assert!(row.step.eligible_at > chrono::Utc::now() + chrono::Duration::minutes(59));
    }
}

#[tokio::test]
async fn another_try_has_the_whole_deadline() {
    let bench = Bench::new().await;
    let steps = json!({ "text": { "use": "transcribe", "deadline": "1h", "with": { "media": 1 } } });
    let id = bench.begin(workflow("w", steps), json!({})).await;
    bench.play(|key, _| if key == "text" { failure(Code::NoAudio, "silent") } else { output(json!(1)) }).await;
    bench.queue.retry(id).await.unwrap();
    for row in bench.queue.store().steps_of(id).await.unwrap() {
        let is_ready = row.step.state == StepState::Ready;
        assert_eq!(row.deadline_at.is_some(), is_ready, "{} keeps the deadline of the first try", row.step.key);
    }
    bench.play(|_, _| output(json!(1))).await;
    assert_eq!(bench.ended(id).await.0, "completed");
}
