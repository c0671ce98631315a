//! What a scrape holds.

use std::collections::BTreeSet;

use super::*;

/// The names of a scrape's metrics, as they are asked for.
fn names(text: &str) -> BTreeSet<&str> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| line.split(['{', ' ']).next()).collect()
}

/// Counts one of everything, once in this process.
fn count() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        request("PATCH", "/live", 404, Duration::from_millis(20));
        step("resolve", "succeeded", Duration::from_secs(2));
        stale_write("step");
        recognised(Duration::from_secs(10), Duration::from_secs(2));
        transcript("cached");
        received(1_000);
        download("ok");
        delivery("delivered", Duration::from_millis(40));
        llm_request("default", "ok", Duration::from_secs(1));
        llm_tokens("default", 100, 10, Some(0.5));
        watched("taken");
    });
}

#[test]
fn what_is_counted_is_told() {
    count();
    let snapshot = Snapshot {
        tasks: vec![("queued", 3)],
        steps: vec![("net", "ready", 2)],
        deliveries: vec![("pending", 1)],
        nodes: vec![("ready", 2), ("lost", 1)],
        engines: vec![
            EngineLoad { device: "cpu".to_owned(), slots: 2, busy: 1, restarts: 1, rss: 10 },
            EngineLoad { device: "cpu".to_owned(), slots: 1, busy: 1, restarts: 0, rss: 5 },
        ],
    };
    let text = snapshot.text();
    for line in [
        "trawl_nodes{state=\"ready\"} 2",
        "trawl_http_requests_total{method=\"PATCH\",route=\"/live\",status=\"4xx\"} 1",
        "trawl_http_request_duration_seconds_bucket{le=\"0.03\",method=\"PATCH\",route=\"/live\"} 1",
        "trawl_tasks{status=\"queued\"} 3",
        "trawl_lane_steps{lane=\"net\",state=\"ready\"} 2",
        "trawl_deliveries_open{state=\"pending\"} 1",
        "trawl_engine_slots{device=\"cpu\",state=\"busy\"} 2",
        "trawl_engine_slots{device=\"cpu\",state=\"free\"} 1",
        "trawl_engine_restarts_total{device=\"cpu\"} 1",
        "trawl_engine_memory_bytes{device=\"cpu\"} 15",
    ] {
        assert!(text.lines().any(|told| told == line), "{line} is missing in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    assert!(names(&text).contains("process_resident_memory_bytes"));
}

/// The names that the dashboard asks for.
fn asked(dashboard: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = dashboard.split(|c: char| !is_part(c));
    words.filter(|word| word.starts_with("trawl_") || word.starts_with("process_")).map(str::to_owned).collect()
}

#[test]
fn the_dashboard_and_the_documentation_name_what_there_is() {
    count();
    let text = Snapshot {
        tasks: vec![("queued", 1)],
        steps: vec![("net", "ready", 1)],
        deliveries: vec![("pending", 1)],
        nodes: vec![("ready", 2), ("lost", 1)],
        engines: vec![EngineLoad { device: "gpu".to_owned(), ..EngineLoad::default() }],
    }
    .text();
    let there = names(&text);
    let dashboard = include_str!("../../docs/grafana.json");
    serde_json::from_str::<serde_json::Value>(dashboard).unwrap();
    let asked = asked(dashboard);
    assert!(asked.len() > 15, "{asked:?}");
    let missing: Vec<_> = asked.iter().filter(|name| !there.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "docs/grafana.json asks for {missing:?}");
    let operations = include_str!("../../docs/operations.md");
    let told = |name: &&&str| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        !operations.contains(&format!("`{base}`"))
    };
    let untold: Vec<_> = there.iter().filter(told).collect();
    assert!(untold.is_empty(), "docs/operations.md does not tell of {untold:?}");
}
