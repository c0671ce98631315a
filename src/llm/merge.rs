//! One answer out of the answers to the parts of a long text.

use serde_json::Value;

use super::{
    pieces::pack,
    schema::Schema,
    session::{Answer, Form, Request, Session, system},
    tokens::estimate,
};
use crate::error::{Code, Error, Result};

/// What is said of merging where a prompt says nothing.
const MERGING: &str = "The text was too long to be read at once. You are given the answers to its consecutive parts, which \
may overlap a little. Make the one answer that does what was asked for above for the whole text: in the same form, without \
repetitions, and without mentioning parts.";

/// Answers one after the other: texts with a blank line between them, lists as one list.
pub(super) fn join(answers: Vec<Answer>) -> Result<Answer> {
    if answers.iter().any(|answer| answer.json.is_none()) {
        let texts: Vec<String> = answers.into_iter().map(|answer| answer.text).collect();
        return Ok(Answer { text: texts.join("\n\n"), json: None });
    }
    let mut values = answers.into_iter().filter_map(|answer| answer.json);
    let mut joined = values.next().unwrap_or_default();
    for value in values {
        extend(&mut joined, value)?;
    }
    Ok(Answer { text: joined.to_string(), json: Some(joined) })
}

/// Lists grow, and so do lists in objects; of anything else there can be only one.
fn extend(joined: &mut Value, more: Value) -> Result<()> {
    match (joined, more) {
        (Value::Array(list), Value::Array(more)) => list.extend(more),
        (Value::Object(fields), Value::Object(more)) => {
            for (name, value) in more {
                match fields.get_mut(&name) {
                    Some(field) => extend(field, value)?,
                    None => drop(fields.insert(name, value)),
                }
            }
        }
        (same, more) if *same == more => {}
        _ => {
            return Err(Error::new(Code::InvalidValue, "Answers of this form cannot be put one after the other")
                .with_hint("Write merge: \"reduce\", or ask for an answer of lists.")
                .with_field("merge"));
        }
    }
    Ok(())
}

/// The answer that the model makes of answers, in several rounds where they do not fit into one request.
pub(super) async fn reduce(
    session: &mut Session<'_>,
    instructions: &str,
    merging: Option<&str>,
    schema: Option<&Schema>,
    answers: Vec<Answer>,
) -> Result<Answer> {
    let system = system(instructions, Some(merging.unwrap_or(MERGING)), schema);
    let intro = "The answers to the parts, in their order:";
    let room = session.room(&system, intro);
    let (parts, mut round) = (answers.len(), 0);
    let mut left = answers;
    while left.len() > 1 {
        round += 1;
        let texts: Vec<String> =
            left.iter().enumerate().map(|(at, answer)| format!("Part {}:\n{}\n\n", at + 1, answer.text)).collect();
        let sizes: Vec<usize> = texts.iter().map(|text| estimate(text)).collect();
        let groups = pack(&sizes, room, 0);
        if groups.len() == left.len() {
            return Err(Error::new(Code::TooLarge, "Two answers to parts of the text do not fit into one request")
                .with_hint(
                    "Lower the step's `max_tokens`, or raise `llm.context_tokens` if the model can hold more.",
                ));
        }
        session.expected = session.answered + groups.len() + usize::from(groups.len() > 1);
        let mut merged = Vec::with_capacity(groups.len());
        for (at, group) in groups.into_iter().enumerate() {
            if group.len() == 1 {
                merged.push(left[group.start].clone());
                continue;
            }
            let name = format!("merge-{round}-{}", at + 1);
            let data = texts[group].concat();
            let form = schema.map(|schema| Form { schema, check: &|_| Vec::new() });
            let request = Request { name, system: &system, intro, data: &data, form, part: None, parts };
            merged.push(session.ask(request).await?);
        }
        left = merged;
    }
    left.pop().ok_or_else(|| Error::new(Code::Internal, "There are no answers to merge"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answers(values: &[Value]) -> Vec<Answer> {
        values.iter().map(|json| Answer { text: json.to_string(), json: Some(json.clone()) }).collect()
    }

    #[test]
    fn answers_are_put_one_after_the_other() {
        let text = |text: &str| Answer { text: text.to_owned(), json: None };
        assert_eq!(join(vec![text("a"), text("b")]).unwrap(), text("a\n\nb"));
        assert_eq!(join(answers(&[json!([1]), json!([2, 3])])).unwrap().json, Some(json!([1, 2, 3])));
        let lists = answers(&[json!({"a": [1], "b": "x"}), json!({"a": [2], "b": "x"})]);
        assert_eq!(join(lists).unwrap(), answers(&[json!({"a": [1, 2], "b": "x"})])[0]);
        assert_eq!(join(answers(&[json!({"a": 1}), json!({"a": 2})])).unwrap_err().field.as_deref(), Some("merge"));
    }
}
