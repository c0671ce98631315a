//! Segments answered one by one, such as translated ones: each keeps its times.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    material::{line, lines, packed},
    schema::Schema,
    session::{Form, Request, Session, system},
};
use crate::{
    error::{Code, Error, Result},
    workflow::kinds::llm::{Chunk, Timed},
};

/// How the model is given segments and gives them back.
const FORM: &str = "You are given the segments of a transcript as JSON, one on each line, with their numbers. Treat them as one \
text that goes on from segment to segment, but answer each by itself: give every number back exactly once, with its own new \
text. Do not join, split, move or leave out segments.";

/// Answers every segment and returns them, and in how many parts they were sent. Blank ones stay as they are.
pub(super) async fn answer_each(
    session: &mut Session<'_>,
    instructions: &str,
    chunk: Chunk,
    mut segments: Vec<Timed>,
) -> Result<(Vec<Timed>, usize)> {
    let schema = Schema::new(&json!({
        "type": "object", "required": ["segments"], "additionalProperties": false,
        "properties": { "segments": { "type": "array", "items": {
            "type": "object", "required": ["id", "text"], "additionalProperties": false,
            "properties": { "id": { "type": "integer" }, "text": { "type": "string" } },
        } } },
    }))?;
    let system = system(instructions, Some(FORM), Some(&schema));
    let intro = "The segments:";
    // What comes back is about as long as what is sent, and must fit into one answer.
    let room = session.room(&system, intro).min(session.max_tokens as usize * 2 / 3);
    let max = chunk.tokens.map_or(room, |tokens| room.min(tokens as usize));
    let spoken: Vec<usize> = (0..segments.len()).filter(|at| !segments[*at].text.trim().is_empty()).collect();
    let lines: Vec<String> =
        spoken.iter().map(|at| format!("{}\n", json!({ "id": at, "text": line(&segments[*at].text) }))).collect();
    let parts = packed(&lines, max, 0)?;
    let count = parts.len();
    session.expected = count;
    for (at, part) in parts.into_iter().enumerate() {
        let wanted = &spoken[part.clone()];
        let check = |answer: &Value| problems(wanted, answer);
        let name = if count == 1 { String::new() } else { format!("part-{}", at + 1) };
        let data = lines[part.clone()].concat();
        let form = Some(Form { schema: &schema, check: &check });
        let request = Request { name, system: &system, intro, data: &data, form, part: Some(at + 1), parts: count };
        let answer = session.ask(request).await?.json.unwrap_or_default();
        for (at, text) in texts(&answer) {
            let segment = usize::try_from(at).ok().and_then(|at| segments.get_mut(at));
            let segment = segment.ok_or_else(|| Error::new(Code::Internal, "A segment is lost"))?;
            segment.text = line(text);
        }
    }
    Ok((segments, count))
}

/// The text of answered segments, one on each line.
pub(super) fn text(segments: &[Timed]) -> String {
    lines(segments)
}

/// Numbers and texts of an answer.
fn texts(answer: &Value) -> Vec<(i64, &str)> {
    let list = answer.get("segments").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|one| Some((one.get("id")?.as_i64()?, one.get("text")?.as_str()?))).collect()
}

/// What is wrong with an answer whose form is right: every segment must be there once, and say something.
fn problems(wanted: &[usize], answer: &Value) -> Vec<String> {
    let mut given: BTreeMap<i64, usize> = BTreeMap::new();
    let mut problems = Vec::new();
    for (id, text) in texts(answer) {
        *given.entry(id).or_default() += 1;
        if text.trim().is_empty() {
            problems.push(format!("Segment {id} is blank."));
        }
    }
    for id in wanted.iter().filter_map(|id| i64::try_from(*id).ok()) {
        match given.remove(&id) {
            None => problems.push(format!("Segment {id} is missing.")),
            Some(1) => {}
            Some(times) => problems.push(format!("Segment {id} is there {times} times.")),
        }
    }
    problems.extend(given.keys().map(|id| format!("There is no segment {id}.")));
    problems.truncate(20);
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_segment_must_come_back_once() {
        let answer = |segments: Value| json!({ "segments": segments });
        let one = |id: i64, text: &str| json!({ "id": id, "text": text });
        assert_eq!(problems(&[0, 2], &answer(json!([one(2, "b"), one(0, "a")]))), Vec::<String>::new());
        let told = problems(&[0, 2, 3], &answer(json!([one(0, "a"), one(0, "b"), one(2, " "), one(-1, "c")])));
        assert_eq!(
            told,
            ["Segment 2 is blank.", "Segment 0 is there 2 times.", "Segment 3 is missing.", "There is no segment -1."]
        );
    }
}
