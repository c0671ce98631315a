//! What a run shows over the API: outputs, the items of lists, tasks of tasks.

use serde_json::{Value, json};

use super::support::TestApp;

/// More than is shown of one output among others.
const LARGE: usize = 20_000;

fn choose(value: Value) -> Value {
    json!({ "use": "condition", "with": { "cases": [], "else": value } })
}

async fn save(app: &TestApp, definition: Value) {
    let (status, made) = app.post("/api/workflows", definition).await;
    assert_eq!(status, 201, "{made}");
}

/// A list of which item 3 fails, a task for each of two numbers, and an output that is large.
async fn run(app: &TestApp) -> Value {
    let mut inner = json!({ "dsl": 1, "name": "inner", "params": { "n": { "type": "integer" } } });
    inner["steps"] = json!({ "a": choose(json!("${params.n}")) });
    save(app, inner).await;
    let mut each = choose(json!("${10 / item}"));
    each["foreach"] = json!({ "in": "params.list", "parallel": 2, "on_item_error": "collect" });
    each["retry"] = json!({ "max": 0 });
    let mut call = json!({ "use": "workflow", "with": { "name": "inner", "params": { "n": "${item}" } } });
    call["foreach"] = json!({ "in": "[7, 8]" });
    let params = json!({ "list": { "type": "array" }, "text": { "type": "string" } });
    let steps = json!({ "each": each, "call": call, "large": choose(json!("${params.text}")) });
    save(app, json!({ "dsl": 1, "name": "outer", "params": params, "steps": steps })).await;
    let params = json!({ "list": [1, 2, 5, 0, 10], "text": "x".repeat(LARGE) });
    app.end(app.submit(json!({ "workflow": "outer", "params": params })).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_shows_what_its_steps_made_and_where_each_item_stands() {
    let app = TestApp::start().await;
    let task = run(&app).await;
    assert_eq!(task["status"], "completed", "{task}");
    let step = |key: &str| task["steps"].as_array().unwrap().iter().find(|step| step["key"] == key).unwrap();
    let (each, large) = (step("each"), step("large"));
    assert_eq!((&each["output"]["ok"][0]["value"], &each["remaining"]), (&json!(10), &json!(0)), "{each}");
    assert_eq!((&large["output"], &large["output_truncated"]), (&Value::Null, &json!(true)));
    assert_eq!((&each["output_truncated"], each.get("item")), (&json!(false), None));
    let of = format!("/api/tasks/{}/steps", task["id"]);
    let (_, whole) = app.get(&format!("{of}/large")).await;
    assert_eq!(whole["output"]["value"].as_str().map(str::len), Some(LARGE));
    assert_eq!(whole["output_truncated"], false);

    let (_, first) = app.get(&format!("{of}/each/items?limit=3")).await;
    assert_eq!((&first["total"], &first["counts"]), (&json!(5), &json!({ "succeeded": 4, "failed": 1 })), "{first}");
    let cursor = first["next_cursor"].as_str().unwrap();
    let (_, rest) = app.get(&format!("{of}/each/items?limit=3&cursor={cursor}")).await;
    assert_eq!(rest["next_cursor"], Value::Null);
    let items: Vec<&Value> = [&first, &rest].into_iter().flat_map(|page| page["items"].as_array().unwrap()).collect();
    let seen: Vec<_> = items.iter().map(|item| (&item["index"], &item["item"], &item["output"]["value"])).collect();
    let expected = json!([[0, 1, 10], [1, 2, 5], [2, 5, 2], [3, 0, null], [4, 10, 1]]);
    assert_eq!(json!(seen), expected);
    let (_, failed) = app.get(&format!("{of}/each/items?state=failed")).await;
    assert_eq!((&failed["total"], &failed["items"][0]["key"]), (&json!(1), &json!("each[3]")));
    assert_eq!(failed["items"][0]["error"]["code"], "expression", "{failed}");
    let (_, one) = app.get(&format!("{of}/each%5B3%5D")).await;
    assert_eq!(one, failed["items"][0]);

    // Each item of `call` is a task, which knows whose it is.
    let (_, calls) = app.get(&format!("{of}/call/items")).await;
    for (index, n) in [(0, 7), (1, 8)] {
        let item = &calls["items"][index];
        let (_, child) = app.get(&format!("/api/tasks/{}", item["task_id"])).await;
        assert_eq!((&child["workflow"], &child["params"]["n"]), (&json!("inner"), &json!(n)), "{child}");
        assert_eq!(child["parent"], json!({ "task_id": task["id"], "step": format!("call[{index}]") }));
        assert_eq!(app.get(&format!("{of}/call%5B{index}%5D")).await.1["task_id"], item["task_id"]);
    }
    // A step without a list has no items, and what is not there is told.
    assert_eq!(app.get(&format!("{of}/large/items")).await.1["total"], 0);
    for (path, field) in [("none", Value::Null), ("none/items", Value::Null), ("each/items?state=done", json!("state"))]
    {
        let (status, problem) = app.get(&format!("{of}/{path}")).await;
        assert!((status == 404 && field.is_null()) || (status == 422 && problem["field"] == field), "{problem}");
    }
    assert_eq!(app.get("/api/tasks/999/steps/each").await.0, 404);
    app.finish().await;
}
