//! What comes late: ends after the end, stops for an earlier try, leases that nobody renews, tries with nothing to do.

use std::{collections::HashMap, time::Duration};

use super::*;
use crate::{
    domain::{Transcript, TranscriptId},
    queue::scope,
    store::{DeliveryEnd, NewDelivery, NewTranscript},
};

const LANES: [Lane; 4] = [Lane::Net, Lane::Net, Lane::Cpu, Lane::Gpu];

impl Bench {
    /// A task whose last step is claimed.
    async fn at_its_last_step(&self) -> (TaskId, Work) {
        let id = self.task(Priority::Normal).await;
        for lane in &LANES[..3] {
            let work = self.claim(*lane).await.unwrap();
            assert!(self.queue.succeed(&work, done()).await.unwrap());
        }
        (id, self.claim(Lane::Gpu).await.unwrap())
    }

    async fn steps_told(&self, id: TaskId, key: &str) -> Vec<String> {
        let events = self.queue.store().events(Some(id), 0, 500).await.unwrap();
        let of_step = events.iter().filter(|event| event.kind == "step" && event.data["step"] == key);
        of_step.map(|event| event.data["state"].as_str().unwrap().to_owned()).collect()
    }

    async fn statuses_told(&self, id: TaskId) -> Vec<String> {
        let events = self.queue.store().events(Some(id), 0, 500).await.unwrap();
        let statuses = events.iter().filter(|event| event.kind == "status");
        statuses.map(|event| event.data["status"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn what_is_made_after_the_end_is_not_taken() {
    let bench = Bench::new().await;
    let (id, work) = bench.at_its_last_step().await;
    bench.queue.cancel(id).await.unwrap();
    let transcript = NewTranscript { options: json!({}), ..NewTranscript::default() };
    let delivery = NewDelivery {
        id: "msg_late".to_owned(),
        task_id: id,
        url: "https://example.com".to_owned(),
        event: "workflow.callback".to_owned(),
        body: "{}".to_owned(),
        secret: None,
    };
    let late = Done { transcript: Some(transcript), delivery: Some(delivery), ..done() };
    assert!(!bench.queue.report(&work, 0.5, &[]).await.unwrap(), "progress is told after the end");
    assert!(bench.queue.succeed(&work, late).await.unwrap());
    assert_eq!(bench.states(id).await, ["succeeded", "succeeded", "succeeded", "cancelled"]);
    assert_eq!(bench.steps_told(id, "text").await, ["running", "cancelled"]);
    assert!(bench.queue.store().transcript_of(id).await.unwrap().is_none());
    let deliveries = bench.queue.store().deliveries_of(id).await.unwrap();
    assert_eq!(deliveries.iter().map(|delivery| delivery.event.as_str()).collect::<Vec<_>>(), ["task.cancelled"]);

    bench.queue.retry(id).await.unwrap();
    let work = bench.claim(Lane::Gpu).await.expect("the task waits for ever");
    assert!(bench.queue.succeed(&work, done()).await.unwrap());
    assert_eq!(bench.status(id).await, TaskStatus::Completed);
}

#[tokio::test]
async fn whatever_a_stopped_step_comes_to_its_end_is_told_as_it_is() {
    let bench = Bench::new().await;
    for end in 0..3 {
        let (id, work) = bench.at_its_last_step().await;
        bench.queue.cancel(id).await.unwrap();
        let error = Error::new(Code::EngineCrashed, "died");
        assert!(match end {
            0 => bench.queue.fail(&work, error).await.unwrap(),
            1 => bench.queue.postpone(&work, &error.report(), Duration::ZERO).await.unwrap(),
            _ => bench.queue.release(&work).await.unwrap(),
        });
        assert_eq!(bench.steps_told(id, "text").await, ["running", "cancelled"], "{end}");
    }
}

#[tokio::test]
async fn a_stop_that_was_meant_for_an_earlier_try_costs_nothing() {
    let bench = Bench::new().await;
    let id = bench.task(Priority::Normal).await;
    let work = bench.claim(Lane::Net).await.unwrap();
    assert!(bench.queue.release(&work).await.unwrap());
    assert_eq!(bench.states(id).await[0], "ready", "a task that has not ended is stuck");
    let again = bench.claim(Lane::Net).await.unwrap();
    assert_eq!((again.row.step.attempt, again.row.step.crashes), (1, 0));
    assert_eq!(bench.steps_told(id, "source").await, ["running", "ready", "running"]);
}

#[tokio::test]
async fn a_task_with_nothing_left_to_do_does_not_wait_for_ever() {
    let bench = Bench::new().await;
    let tx = bench.queue.store().begin().await.unwrap();
    let mut definition: serde_json::Value = serde_json::from_str(DEFINITION).unwrap();
    definition["output"] = json!({ "text": "${steps.text.output.nothing.there}" });
    assert_eq!(tx.save_workflow("transcribe", definition.clone(), "2").await.unwrap(), 2);
    tx.commit().await.unwrap();
    let tx = bench.queue.store().begin().await.unwrap();
    let task = NewTask {
        workflow: "transcribe".to_owned(),
        revision: 2,
        priority: Priority::Normal,
        link: "https://example.com/a".to_owned(),
        params: Map::new(),
        options: Map::new(),
        media_id: None,
        callback_url: None,
        ..NewTask::default()
    };
    let only = json!({"dsl": 1, "name": "only", "steps": {"text": {"use": "resolve", "with": {}}}});
    let planned = plan(&serde_json::from_value(only).unwrap()).unwrap();
    let id = new::write(&tx, NewRun { task, planned, ..NewRun::default() }).await.unwrap();
    tx.commit().await.unwrap();
    let work = bench.claim(Lane::Net).await.unwrap();
    assert!(bench.queue.succeed(&work, done()).await.unwrap());
    assert_eq!(bench.status(id).await, TaskStatus::Failed);
    bench.queue.retry(id).await.unwrap();
    assert_eq!(bench.status(id).await, TaskStatus::Failed, "the task waits for ever");
    assert_eq!(bench.statuses_told(id).await, ["queued", "processing", "failed", "queued", "failed"]);
}

#[tokio::test]
async fn a_step_whose_end_the_database_did_not_take_is_found_by_its_own_process() {
    let mut bench = Bench::new().await;
    bench.queue.config.lease = Span(Duration::ZERO);
    let id = bench.task(Priority::Normal).await;
    let lost = bench.claim(Lane::Net).await.unwrap();
    let mut reaper = bench.queue.reaper();
    let ours = [lost.row.step.id.clone()];
    // The lease is over as soon as the clock has moved.
    while bench.queue.reap(&mut reaper, &[]).await.unwrap() == 0 {
        assert_eq!(bench.queue.reap(&mut bench.queue.reaper(), &ours).await.unwrap(), 0, "what we work on was taken");
    }
    assert_eq!(bench.states(id).await[0], "ready");
    assert!(!bench.queue.succeed(&lost, done()).await.unwrap());
    assert_eq!(bench.claim(Lane::Net).await.unwrap().row.step.crashes, 1);
}

#[tokio::test]
async fn what_is_given_up_is_told_and_stops_the_rest_of_its_task() {
    let mut bench = Bench::new().await;
    bench.queue.config.lease = Span(Duration::ZERO);
    let id = bench.task(Priority::Normal).await;
    let mut stops = bench.queue.wake().stops();
    for _ in 0..3 {
        bench.claim(Lane::Net).await.unwrap();
        let mut reaper = bench.queue.reaper();
        while bench.queue.reap(&mut reaper, &[]).await.unwrap() == 0 {}
    }
    assert_eq!(bench.status(id).await, TaskStatus::Failed);
    assert_eq!(bench.steps_told(id, "source").await, ["running", "ready", "running", "ready", "running", "failed"]);
    assert_eq!(stops.try_recv().unwrap(), Stop { task: id, steps: Vec::new() }, "nobody cleans up after it");
}

#[tokio::test]
async fn a_delivery_whose_outcome_could_not_be_written_is_sent_again_by_the_same_process() {
    let bench = Bench::new().await;
    let id = bench.task(Priority::Normal).await;
    bench.queue.cancel(id).await.unwrap();
    let owner = bench.queue.owner();
    let claim = async |lease_ms| {
        let tx = bench.queue.store().begin().await.unwrap();
        let claimed = tx.claim_deliveries(owner, lease_ms, 9, 4).await.unwrap().pop();
        tx.commit().await.unwrap();
        claimed
    };
    let first = claim(-1).await.unwrap();
    let mut reaper = bench.queue.reaper();
    while bench.queue.reap(&mut reaper, &[]).await.unwrap() == 0 {}
    let second = claim(60_000).await.unwrap();
    assert_eq!((second.id.as_str(), second.attempt), (first.id.as_str(), 2));
    for _ in 0..3 {
        assert_eq!(bench.queue.reap(&mut reaper, &[]).await.unwrap(), 0, "one that is being sent was taken");
    }
    let tx = bench.queue.store().begin().await.unwrap();
    assert!(!tx.end_attempt(owner, &first, 1, Some(200), None, DeliveryEnd::Delivered).await.unwrap());
    assert!(tx.end_attempt(owner, &second, 1, Some(200), None, DeliveryEnd::Delivered).await.unwrap());
}

#[tokio::test]
async fn steps_that_wait_for_something_hold_nobody_up() {
    let bench = Bench::new().await;
    let (_, work) = bench.at_its_last_step().await;
    let backlog = async || bench.queue.store().backlog(Lane::Gpu).await.unwrap();
    assert_eq!(backlog().await, 1);
    let why = Error::new(Code::ModelMissing, "not here").report();
    assert!(bench.queue.postpone(&work, &why, Duration::from_secs(3600)).await.unwrap());
    assert_eq!(backlog().await, 0, "a task without its model keeps others from being decoded");
}

#[tokio::test]
async fn that_a_task_waits_no_longer_is_told() {
    let bench = Bench::new().await;
    let (id, work) = bench.at_its_last_step().await;
    let why = Error::new(Code::ModelMissing, "not here").report();
    assert!(bench.queue.postpone(&work, &why, Duration::ZERO).await.unwrap());
    let work = bench.claim(Lane::Gpu).await.unwrap();
    assert!(bench.queue.report(&work, 0.5, &[]).await.unwrap());
    let events = bench.queue.store().events(Some(id), 0, 500).await.unwrap();
    let last = events.iter().rfind(|event| event.kind == "status").unwrap();
    assert_eq!(last.data, json!({ "status": "processing" }));
}

#[tokio::test]
async fn another_try_asks_anew_for_what_holds_no_longer() {
    let bench = Bench::new().await;
    let id = bench.task(Priority::Normal).await;
    for lane in &LANES[..2] {
        let work = bench.claim(*lane).await.unwrap();
        assert!(bench.queue.succeed(&work, done()).await.unwrap());
    }
    let work = bench.claim(Lane::Cpu).await.unwrap();
    let error = Error::new(Code::Truncated, "the file ends too early").for_good();
    assert!(bench.queue.fail(&work, error).await.unwrap());
    bench.queue.retry(id).await.unwrap();
    assert_eq!(bench.states(id).await, ["ready", "blocked", "blocked", "blocked"]);

    let id = bench.task(Priority::High).await;
    let work = bench.claim(Lane::Net).await.unwrap();
    assert!(bench.queue.succeed(&work, done()).await.unwrap());
    let work = bench.claim(Lane::Net).await.unwrap();
    assert_eq!((work.row.step.task_id, work.row.step.key.as_str()), (id, "media"));
    assert!(bench.queue.fail(&work, Error::new(Code::SourceForbidden, "403")).await.unwrap());
    bench.queue.retry(id).await.unwrap();
    assert_eq!(bench.states(id).await, ["ready", "blocked", "blocked", "blocked"]);
}

/// Two steps that transcribe end in any order; the newest transcript is shown in the script of its own step.
#[tokio::test]
async fn a_transcript_is_shown_in_the_script_of_its_step() {
    let bench = Bench::new().await;
    let (id, _) = bench.at_its_last_step().await;
    let mut steps = bench.queue.store().steps_of(id).await.unwrap();
    let mut second = steps.pop().unwrap();
    let mut first = second.clone();
    let output = |id: i64, zh: &str| Some(json!({"transcript_id": id, "zh": zh}));
    (first.step.output, second.step.output) = (output(2, "hant"), output(1, "hans"));
    second.step.key = "other".to_owned();
    steps.extend([first, second]);
    let said = |text: &str| Transcript { text: text.to_owned(), language: "zh".to_owned(), ..Transcript::default() };
    let transcripts = HashMap::from([(TranscriptId(2), said("学习")), (TranscriptId(1), said("學習"))]);
    let scope = scope::build(&bench.queue.store().task(id).await.unwrap().unwrap(), &steps, &transcripts);
    for (id, key, text) in [(2, "text", "學習"), (1, "other", "学习")] {
        let mut shown = transcripts[&TranscriptId(id)].clone();
        crate::zh::convert(&mut shown, scope::script_of(&steps, TranscriptId(id)));
        assert_eq!((shown.text.as_str(), &scope["steps"][key]["output"]["text"]), (text, &json!(text)));
    }
    assert_eq!(scope::script_of(&steps, TranscriptId(3)), crate::domain::Zh::None);
}
