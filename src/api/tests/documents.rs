//! The OpenAPI document: in two languages, with examples, with every way to fail.

use serde_json::Value;

use super::Api;
use crate::api::{openapi, shape::Shape};

/// Every operation with its place (`get /api/tasks`) and its path.
fn operations(document: &Value) -> impl Iterator<Item = (String, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (format!("{method} {path}"), path.as_str(), operation))
    })
}

fn document() -> Value {
    serde_json::from_str(&openapi()).unwrap()
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{4E00}'..='\u{9FFF}'))
}

/// A schema, or the one that it names.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    name.map_or(schema, |name| &document["components"]["schemas"][name])
}

#[test]
fn every_operation_speaks_english_and_chinese() {
    let document = document();
    for (place, _, operation) in operations(&document) {
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty() && !is_chinese(summary) && !summary.ends_with('.'), "{place}: {summary}");
        let description = operation["description"].as_str().unwrap_or_default();
        let (chinese, english): (Vec<&str>, Vec<&str>) = description.split("\n\n").partition(|part| is_chinese(part));
        assert!(!chinese.is_empty(), "{place} says nothing in Chinese: {description}");
        assert!(!english.is_empty(), "{place} says nothing in English: {description}");
        for answer in operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2')) {
            let said = answer.1["description"].as_str().unwrap_or_default();
            assert!(said.is_empty() || is_chinese(said), "{place} {}: {said}", answer.0);
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(is_chinese(schema["description"].as_str().unwrap_or_default()), "{name}: {}", schema["description"]);
    }
}

#[test]
fn every_body_has_an_example() {
    let document = document();
    for (place, _, operation) in operations(&document) {
        for (kind, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            let schema = resolved(&document, &content["schema"]);
            let has = content.get("example").is_some() || schema.get("example").is_some();
            // Bytes have no form that could be shown.
            assert!(has || schema["format"] == "binary", "{place} {kind} has no example");
        }
    }
}

#[test]
fn every_operation_names_its_failures() {
    let document = document();
    for (place, path, operation) in operations(&document) {
        let answers = operation["responses"].as_object().unwrap();
        let has = |status: &str| answers.contains_key(status);
        let wrong = if Shape::of(path) == Shape::OpenAi { "400" } else { "422" };
        assert!([wrong, "500", "503"].into_iter().all(has), "{place}");
        let body = operation["requestBody"]["content"].as_object();
        if body.is_some_and(|body| body.contains_key("application/json")) && Shape::of(path) == Shape::Problem {
            assert!(["400", "403", "413", "415"].into_iter().all(has), "{place}");
        }
        // The only names that make what they name are those of `PUT`.
        assert!(!path.contains('{') || place.starts_with("put") || place.starts_with("patch") || has("404"), "{place}");
        for (status, answer) in answers.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
            let said = answer["description"].as_str().unwrap_or_default();
            assert!(said.starts_with('`'), "{place} {status} names no code: {said}");
            assert!(!answer["content"].as_object().unwrap().is_empty(), "{place} {status}");
        }
    }
}

#[tokio::test]
async fn examples_are_taken() {
    let api = Api::new().await;
    let document = document();
    for (place, path, operation) in operations(&document) {
        let Some(content) = operation["requestBody"]["content"].get("application/json") else { continue };
        let example = &resolved(&document, &content["schema"])["example"];
        let is_ours = place.starts_with("post /api/") && Shape::of(path) == Shape::Problem;
        if !is_ours || path.contains('{') || path == "/api/resolve" {
            continue;
        }
        let answer = api.post(path, example.to_string()).await;
        // What it says may not be allowed or not be there; how it says it is right.
        assert!(![400, 415, 422].contains(&answer.status.as_u16()), "{place}: {}", answer.text());
    }
}

/// The document has one place for each path: a second resource with the same one would hide the first.
#[test]
fn no_path_belongs_to_two_resources() {
    use poem_openapi::OpenApi;
    let mut seen = std::collections::HashSet::new();
    for path in crate::api::native::Described::meta().into_iter().flat_map(|api| api.paths) {
        assert!(seen.insert(path.path.clone()), "{}", path.path);
    }
}
