//! Tasks of tasks, and tasks that are held back.

use super::*;

fn call(name: &str) -> Value {
    json!({ "use": "workflow", "with": { "name": name, "params": { "n": 1 } } })
}

impl Bench {
    /// The task that is the work of a step.
    async fn child(&self, id: TaskId, key: &str) -> Task {
        let rows = self.queue.store().steps_named(id, &[key.to_owned()]).await.unwrap();
        let tx = self.queue.store().begin().await.unwrap();
        tx.child_of(&rows[0].step.id).await.unwrap().unwrap()
    }

    /// A workflow `outer` that calls `inner`; claims and calls, nothing more.
    async fn called(&self) -> (TaskId, Task) {
        let mut inner = workflow("inner", json!({ "a": trivial(), "b": { "use": "condition", "after": ["a"] } }));
        inner["output"] = json!({ "made": "${steps.b.output}", "n": "${params.n}" });
        self.save(inner).await;
        let id = self.begin(workflow("outer", json!({ "call": call("inner") })), json!({})).await;
        let work = self.ready().await.pop().unwrap();
        let end = self.outcome(&work, &|_, _| unreachable!()).await;
        assert!(self.queue.end(&work, &end).await.unwrap());
        assert_eq!(self.by_key(id).await["call"], "waiting");
        (id, self.child(id, "call").await)
    }
}

#[tokio::test]
async fn a_task_of_a_step_ends_the_step_with_its_result() {
    let bench = Bench::new().await;
    let (id, child) = bench.called().await;
    bench.play(|key, _| output(json!(key))).await;
    assert_eq!(bench.ended(id).await.0, "completed");
    let expected = json!({ "task_id": child.id, "status": "completed", "output": { "made": "b", "n": 1 } });
    let rows = bench.queue.store().steps_of(id).await.unwrap();
    assert_eq!(rows[0].input_hash.as_deref(), Some("hash"), "a rerun cannot take its result");
    assert_eq!(bench.output_of(id, "call").await, expected);
}

#[tokio::test]
async fn its_failure_is_the_steps_failure_and_another_try_goes_on_where_it_failed() {
    let bench = Bench::new().await;
    let (id, child) = bench.called().await;
    bench.play(|key, _| if key == "b" { failure(Code::NoAudio, "silent") } else { output(json!(key)) }).await;
    assert_eq!(bench.ended(id).await, ("failed", "no_audio".to_owned()));
    let error = bench.look(id).await.error.unwrap();
    assert_eq!(error.detail, format!("Task {} (\"inner\") failed: silent", child.id));
    bench.queue.retry(id).await.unwrap();
    bench.play(|key, _| output(json!(key))).await;
    assert_eq!(bench.ended(id).await.0, "completed");
    assert_eq!(bench.child(id, "call").await.id, child.id, "a step has two tasks");
    assert_eq!(bench.times(child.id, "a", StepState::Succeeded).await, 1);
}

#[tokio::test]
async fn cancelling_and_deleting_reach_all_tasks_below() {
    let bench = Bench::new().await;
    let (id, child) = bench.called().await;
    let running = bench.ready().await.pop().unwrap();
    bench.queue.cancel(id).await.unwrap();
    assert_eq!((bench.ended(id).await.0, bench.ended(child.id).await.0), ("cancelled", "cancelled"));
    assert!(bench.queue.end(&running, &output(json!(1))).await.unwrap());
    assert!(bench.ready().await.is_empty());
    let deleted = bench.queue.delete(id).await.unwrap();
    assert_eq!(deleted.tasks, [child.id, id]);
    assert!(bench.queue.store().task(child.id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_task_that_is_cancelled_or_deleted_alone_fails_the_step_above_it() {
    let bench = Bench::new().await;
    let (id, child) = bench.called().await;
    bench.queue.cancel(child.id).await.unwrap();
    assert_eq!(bench.ended(id).await, ("failed", "cancelled".to_owned()));
    let (id, child) = bench.called().await;
    bench.queue.delete(child.id).await.unwrap();
    assert_eq!(bench.ended(id).await, ("failed", "cancelled".to_owned()));
}

#[tokio::test]
async fn no_workflow_runs_itself_through_others_and_none_too_deep() {
    let bench = Bench::new().await;
    bench.save(workflow("w0", json!({ "call": call("w1") }))).await;
    let id = bench.begin(workflow("w1", json!({ "call": call("w0") })), json!({})).await;
    bench.play(|_, _| unreachable!()).await;
    assert_eq!(bench.ended(id).await, ("failed", "invalid_workflow".to_owned()));
    for level in 0..6 {
        let step = if level == 5 { trivial() } else { call(&format!("deep{}", level + 1)) };
        bench.save(workflow(&format!("deep{level}"), json!({ "call": step }))).await;
    }
    let of = |name: &str| workflow(name, json!({ "call": call("deep2") }));
    let id = bench.begin(of("top"), json!({})).await;
    bench.play(|_, _| output(json!(1))).await;
    assert_eq!(bench.ended(id).await, ("failed", "invalid_workflow".to_owned()));
    let id = bench.begin(workflow("top2", json!({ "call": call("deep3") })), json!({})).await;
    bench.play(|_, _| output(json!(1))).await;
    assert_eq!(bench.ended(id).await.0, "completed", "four in each other");
}

#[tokio::test]
async fn items_may_be_tasks() {
    let bench = Bench::new().await;
    bench.save(workflow("inner", json!({ "a": trivial() }))).await;
    let mut each = call("inner");
    each["foreach"] = json!({ "in": "params.list", "parallel": 2, "on_item_error": "collect" });
    let id = bench.begin(workflow("outer", json!({ "each": each })), json!({ "list": [1, 2, 3] })).await;
    bench.play(|_, _| output(json!(1))).await;
    assert_eq!(bench.ended(id).await.0, "completed");
    assert_eq!(bench.output_of(id, "each").await["ok"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn no_more_tasks_of_a_workflow_are_at_work_than_may_be() {
    let bench = Bench::new().await;
    let mut definition = workflow("one", json!({ "a": trivial() }));
    definition["max_active_runs"] = json!(1);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(bench.begin(definition.clone(), json!({})).await);
    }
    let held = async |id| bench.look(id).await.held;
    assert_eq!([held(ids[0]).await, held(ids[1]).await, held(ids[2]).await], [false, true, true]);
    let work = bench.ready().await;
    assert_eq!((work.len(), work[0].row.step.task_id), (1, ids[0]));
    bench.queue.cancel(ids[0]).await.unwrap();
    assert_eq!([held(ids[1]).await, held(ids[2]).await], [false, true], "the one that waits longest begins");
    let work = bench.ready().await.pop().unwrap();
    assert_eq!(work.row.step.task_id, ids[1]);
    assert!(bench.queue.end(&work, &failure(Code::NoAudio, "silent")).await.unwrap());
    assert!(!held(ids[2]).await);
    bench.queue.retry(ids[1]).await.unwrap();
    assert!(held(ids[1]).await, "a second try does not wait for its turn");
    bench.queue.delete(ids[2]).await.unwrap();
    bench.play(|_, _| output(json!(1))).await;
    assert_eq!(bench.ended(ids[1]).await.0, "completed");
}

#[tokio::test]
async fn no_task_begins_for_an_item_of_a_list_that_has_failed() {
    let bench = Bench::new().await;
    bench.save(workflow("inner", json!({ "a": trivial() }))).await;
    let mut each = call("inner");
    each["foreach"] = json!({ "in": "params.list", "parallel": 2 });
    each["on_error"] = json!("continue");
    let later = json!({ "use": "condition", "delay": "1h" });
    let steps = json!({ "each": each, "later": later });
    let id = bench.begin(workflow("outer", steps), json!({ "list": [1, 2] })).await;
    let whole = bench.ready().await.pop().unwrap();
    assert!(bench.queue.end(&whole, &End::List(vec![json!(1), json!(2)])).await.unwrap());
    let [one, other] = <[Work; 2]>::try_from(bench.ready().await).unwrap();
    let end = bench.outcome(&other, &|_, _| unreachable!()).await;
    assert!(bench.queue.end(&one, &failure(Code::NoAudio, "silent")).await.unwrap());
    assert!(bench.queue.end(&other, &end).await.unwrap());
    let tx = bench.queue.store().begin().await.unwrap();
    assert!(tx.children_of_task(id).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_another_task_waits_for_is_not_held_back() {
    let bench = Bench::new().await;
    let mut one = workflow("one", json!({ "a": trivial() }));
    one["max_active_runs"] = json!(1);
    bench.begin(one, json!({})).await;
    assert_eq!(bench.ready().await.len(), 1);
    let id = bench.begin(workflow("outer", json!({ "call": call("one") })), json!({})).await;
    bench.play(|_, _| output(json!(1))).await;
    assert_eq!(bench.ended(id).await.0, "completed");
}
