//! Times that a model has copied, put right: it may have miscounted, or made some up.

use serde_json::Value;

/// Moves every `start` in an answer to the nearest time at which something really begins, and puts lists of objects that
/// have one in their order. Of several with the same time the first is kept.
pub(super) fn settle(value: &mut Value, starts: &[f64]) {
    match value {
        Value::Array(list) => {
            list.iter_mut().for_each(|item| settle(item, starts));
            if !list.is_empty() && list.iter().all(|item| start(item).is_some()) {
                list.sort_by(|a, b| start(a).unwrap_or_default().total_cmp(&start(b).unwrap_or_default()));
                list.dedup_by(|later, earlier| start(later) == start(earlier));
            }
        }
        Value::Object(fields) => {
            let told = fields.get("start").and_then(Value::as_f64);
            let nearest = told.and_then(|told| nearest(told, starts));
            for (name, field) in fields.iter_mut() {
                match nearest.filter(|_| name == "start") {
                    Some(time) => *field = time.into(),
                    None => settle(field, starts),
                }
            }
        }
        _ => {}
    }
}

fn start(value: &Value) -> Option<f64> {
    value.get("start")?.as_f64()
}

fn nearest(told: f64, starts: &[f64]) -> Option<f64> {
    starts.iter().copied().min_by(|a, b| (a - told).abs().total_cmp(&(b - told).abs()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_those_of_segments() {
        let mut answer = json!({ "start": "x", "chapters": [
            { "start": 61, "title": "c" }, { "start": 0.4, "title": "a" }, { "start": 1e9, "title": "d" },
            { "start": 60.2, "title": "b" },
        ] });
        settle(&mut answer, &[0.0, 60.5, 99.25]);
        assert_eq!(
            answer,
            json!({ "start": "x", "chapters": [
                { "start": 0.0, "title": "a" }, { "start": 60.5, "title": "c" }, { "start": 99.25, "title": "d" },
            ] })
        );
        let mut alone = json!([{ "start": 5 }]);
        settle(&mut alone, &[]);
        assert_eq!(alone, json!([{ "start": 5 }]));
    }
}
