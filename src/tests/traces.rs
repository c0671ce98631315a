//! A task's trace as a collector receives it.

use serde_json::Value;

use super::support::{Receiver, TestApp, sample_bytes};

/// An attribute of a span.
fn attribute<'a>(span: &'a Value, key: &str) -> Option<&'a str> {
    let found = span["attributes"].as_array().unwrap().iter().find(|one| one["key"] == key)?;
    found["value"].as_object().unwrap().values().next().unwrap().as_str()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_one_trace() {
    let mut collector = Receiver::start().await;
    // What a collector does not take is dropped and holds nothing up.
    collector.answer(&[503]);
    let app = TestApp::with(&format!("traces.endpoint = \"{}\"", collector.url)).await;
    let (_, silent) = app.upload("no.mp3", b"no sound at all".to_vec(), &[]).await;
    let dropped = collector.next().await.body;
    let (_, task) = app.upload("en-known-04.flac", sample_bytes("en-known-04.flac"), &[]).await;
    let trace = collector.next().await.body;

    let resource = &trace["resourceSpans"][0];
    assert_eq!(attribute(&resource["resource"], "service.name"), Some("trawl"));
    let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
    let task = app.end(task["id"].as_i64().unwrap()).await;
    let names: Vec<&str> = spans[1..].iter().map(|span| span["name"].as_str().unwrap()).collect();
    let keys: Vec<&str> = task["steps"].as_array().unwrap().iter().map(|step| step["key"].as_str().unwrap()).collect();
    assert_eq!(names, keys, "{trace}");
    let nanos = |span: &Value, key: &str| span[key].as_str().unwrap().parse::<u64>().unwrap();
    let whole = &spans[0];
    assert_eq!((whole["traceId"].as_str().unwrap().len(), whole["spanId"].as_str().unwrap().len()), (32, 16));
    assert_eq!(attribute(whole, "trawl.task.id"), Some(task["id"].to_string().as_str()));
    assert_eq!(attribute(whole, "trawl.task.status"), Some("completed"));
    for span in &spans[1..] {
        assert_eq!((&span["traceId"], &span["parentSpanId"]), (&whole["traceId"], &whole["spanId"]), "{span}");
        assert_ne!(span["spanId"], whole["spanId"]);
        let (start, end) = (nanos(span, "startTimeUnixNano"), nanos(span, "endTimeUnixNano"));
        assert!(nanos(whole, "startTimeUnixNano") <= start && start <= end, "{span}");
        assert!(end <= nanos(whole, "endTimeUnixNano"), "{span}");
        assert_eq!((attribute(span, "trawl.step.state"), &span["status"]["code"]), (Some("succeeded"), &1.into()));
    }

    let failed = &dropped["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(attribute(failed, "trawl.task.id"), Some(silent["id"].to_string().as_str()));
    assert_eq!((attribute(failed, "error.type"), &failed["status"]["code"]), (Some("not_media"), &2.into()));
    assert!(!trace.to_string().contains("en-known"), "{trace}");
    app.finish().await;
}
