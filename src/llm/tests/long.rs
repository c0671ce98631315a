//! Texts that a model cannot read at once.

use super::*;
use crate::{error::Code, workflow::kinds::llm::Timed};

fn sentences(count: usize) -> String {
    (0..count).map(|n| format!("This is sentence number {n} of a long talk about fish. ")).collect()
}

fn spoken(count: usize) -> Vec<Timed> {
    (0..count)
        .map(|id| Timed {
            id,
            start: id as f64 * 4.25,
            end: id as f64 * 4.25 + 4.0,
            text: format!("Segment {id} is about fish."),
        })
        .collect()
}

#[tokio::test]
async fn a_long_text_is_read_in_parts_and_merged() {
    let server = LlmServer::answering(|asked| match asked.data().starts_with("Part 1:\n") {
        true => Say::text("All of it."),
        false => Say::text(format!("From {}", &asked.data()[..30])),
    })
    .await;
    let stage = Stage::new(&server.url, "");
    let text = sentences(600);
    let output = stage.run(json!({ "prompt": "summary", "input": text })).await.unwrap();
    let asked = server.asked();
    assert_eq!(output.text, "All of it.");
    assert_eq!((output.parts + 1, output.usage.requests as usize), (asked.len(), asked.len()));
    assert!(output.parts >= 4, "{}", output.parts);
    // Nothing is left out: each part goes on where the one before ended, or repeats a little of it.
    let parts: Vec<&str> = asked[..output.parts].iter().map(|one| one.data()).collect();
    let mut covered = 0;
    for part in &parts {
        let start = text.find(part).unwrap();
        assert!(start <= covered && (covered - start) * 10 < part.len(), "{start} {covered}");
        covered = start + part.len();
    }
    assert_eq!(covered, text.len());
    assert!(
        parts.windows(2).any(
            |pair| !pair[0].is_empty() && text.find(pair[1]).unwrap() < text.find(pair[0]).unwrap() + pair[0].len()
        )
    );
    let last = asked.last().unwrap();
    assert!(last.said_by("system")[0].contains("Make one summary of the whole"));
    assert!(last.data().contains("\n\nPart 2:\nFrom "), "{}", last.data());
    let keys: Vec<_> = asked.iter().map(|one| one.idempotency_key.clone().unwrap()).collect();
    assert_eq!((keys[0].as_str(), keys.last().unwrap().as_str()), ("7/say#part-1", "7/say#merge-1-1"));
    assert!(stage.heard.lock().unwrap().iter().any(|(part, parts, _)| part.is_none() && *parts == output.parts));
    let progress = stage.progress.into_inner().unwrap();
    assert!(progress.is_sorted() && progress.last() == Some(&1.0) && progress.len() == asked.len(), "{progress:?}");
}

#[tokio::test]
async fn many_answers_are_merged_in_rounds() {
    let answer =
        |asked: &server::Asked| format!("{}: {}", asked.idempotency_key.as_deref().unwrap(), sentences(30).trim());
    let server = LlmServer::answering(move |asked| Say::text(answer(asked))).await;
    let stage = Stage::new(&server.url, "");
    let with = json!({ "system": "Retell.", "input": sentences(300), "chunk": { "tokens": 200, "overlap": 0 } });
    let output = stage.run(with).await.unwrap();
    let merges: Vec<String> =
        server.asked()[output.parts..].iter().map(|one| one.idempotency_key.clone().unwrap()).collect();
    assert!(merges.iter().any(|key| key.starts_with("7/say#merge-2-")), "{merges:?}");
    assert!(merges.last().is_some_and(|key| output.text.starts_with(key) && key.ends_with("-1")), "{merges:?}");

    let server = LlmServer::answering(|_| Say::text(sentences(60))).await;
    let stage = Stage::new(&server.url, "context_tokens = 2048");
    let error = stage.fail(json!({ "system": "Retell.", "input": sentences(300), "chunk": { "tokens": 200 } })).await;
    assert_eq!(error.code, Code::TooLarge);
}

#[tokio::test]
async fn parts_are_joined_when_that_is_asked_for() {
    let server = LlmServer::answering(|asked| Say::text(asked.data().to_uppercase())).await;
    let stage = Stage::new(&server.url, "");
    let text = "One is here. Two is there. Three is nowhere at all.";
    let chunk = json!({ "tokens": 12 });
    let with = json!({ "prompt": "translation", "variables": { "target": "loud" }, "input": text, "chunk": chunk });
    let output = stage.run(with).await.unwrap();
    assert_eq!(output.text, "ONE IS HERE. TWO IS THERE.\n\nTHREE IS NOWHERE AT ALL.");
    assert_eq!((output.parts, server.asked().len()), (2, 2));
}

#[tokio::test]
async fn chapters_of_parts_become_one_list_with_real_times() {
    let server = LlmServer::answering(|asked| {
        let data = asked.data();
        if data.starts_with("Part 1:") {
            let lists = data.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let all: Vec<Value> = lists.flat_map(|list| list["chapters"].as_array().unwrap().clone()).collect();
            return Say::json(&json!({ "chapters": all }));
        }
        let first: f64 = data[1..].split_once(']').unwrap().0.parse().unwrap();
        Say::json(&json!({ "chapters": [{ "start": first + 0.3, "title": "Fish", "summary": "It is about fish." }] }))
    })
    .await;
    let stage = Stage::new(&server.url, "");
    let segments = spoken(300);
    let output = stage.run(json!({ "prompt": "chapters", "segments": segments })).await.unwrap();
    let json = output.json.unwrap();
    let chapters = json["chapters"].as_array().unwrap();
    assert!(output.parts > 1 && chapters.len() == output.parts, "{json}");
    assert_eq!(chapters[0]["start"], 0.0);
    for chapter in chapters {
        assert!(segments.iter().any(|one| chapter["start"] == one.start), "{chapter}");
    }
    assert!(server.asked()[0].data().starts_with("[0.00] Segment 0 is about fish.\n[4.25] Segment 1"));
}

#[tokio::test]
async fn translated_segments_keep_their_times() {
    let translate = |asked: &server::Asked| {
        let lines = asked.data().lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let said =
            lines.map(|one| json!({ "id": one["id"], "text": one["text"].as_str().unwrap().replace("fish", "鱼") }));
        said.collect::<Vec<_>>()
    };
    let server = LlmServer::answering(move |asked| {
        let mut said = translate(asked);
        if asked.said_by("assistant").is_empty() && asked.data().contains("Segment 7 ") {
            // As small models do: two lines become one.
            said.remove(0);
        }
        Say::json(&json!({ "segments": said }))
    })
    .await;
    let stage = Stage::new(&server.url, "");
    let mut segments = spoken(100);
    segments[3].text = " ".to_owned();
    let with = json!({ "prompt": "translation", "variables": { "target": "zh" }, "segments": segments });
    let output = stage.run(with).await.unwrap();
    let translated = output.segments.unwrap();
    assert_eq!(translated.len(), segments.len());
    for (new, old) in translated.iter().zip(&segments) {
        assert_eq!((new.id, new.start, new.end), (old.id, old.start, old.end));
        assert_eq!(new.text, old.text.replace("fish", "鱼"));
    }
    assert!(output.text.starts_with("Segment 0 is about 鱼.\nSegment 1 is"), "{}", output.text);
    let asked = server.asked();
    assert!(output.parts > 1 && asked.len() == output.parts + 1, "{} {}", output.parts, asked.len());
    let repair = asked.iter().find(|one| one.idempotency_key.as_deref().unwrap().ends_with("-repair")).unwrap();
    assert!(repair.said_by("user")[1].contains("- Segment 0 is missing."), "{repair:?}");
}

/// Another try asks for what is missing and for nothing else.
#[tokio::test]
async fn answers_that_were_had_are_not_asked_for_again() {
    let server = LlmServer::start().await;
    let stage = Stage::new(&server.url, "");
    let with = json!({ "system": "Retell.", "input": sentences(4), "chunk": { "tokens": 40, "overlap": 0 } });
    server.say(Say::text("First."));
    assert_eq!(stage.fail(with.clone()).await.code, Code::LlmUnavailable);
    let before = server.asked().len();
    for say in ["Second.", "All."] {
        server.say(Say::text(say));
    }
    let output = stage.run(with).await.unwrap();
    assert_eq!((output.text.as_str(), output.parts), ("All.", 2));
    assert_eq!((server.asked().len() - before, output.usage.requests, output.usage.input_tokens), (2, 3, 300));
    let keys: Vec<_> = server.asked().iter().map(|one| one.idempotency_key.clone().unwrap()).collect();
    assert_eq!(keys, ["7/say#part-1", "7/say#part-2", "7/say#part-2", "7/say#merge-1-1"]);
}
