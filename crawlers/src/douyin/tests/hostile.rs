//! Answers that nobody should give: whatever they hold, they end in a result or a class.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::Outcome;

const FIXTURES: [&str; 7] = [
    fixture!("douyin/detail_video.json"),
    fixture!("douyin/detail_note_images.json"),
    fixture!("douyin/detail_private_self_see.json"),
    fixture!("douyin/slidesinfo_video.json"),
    fixture!("douyin/slidesinfo_empty.json"),
    fixture!("douyin/user_post_page1.json"),
    fixture!("tikhub/douyin_fetch_one_video.json"),
];

/// Something of another type.
fn other(number: u64) -> Value {
    match number % 9 {
        0 => Value::Null,
        1 => json!(-1),
        2 => json!(u64::MAX),
        3 => json!(1e300),
        4 => json!("7600000000000000101"),
        5 => json!([]),
        6 => json!({"url_list": "x"}),
        7 => json!(true),
        _ => json!([[], {}, null, "http://[", 3]),
    }
}

/// Replaces or removes what the numbers point at.
fn mangle(value: &mut Value, path: &[u16], kind: u64) {
    let Some((first, rest)) = path.split_first() else {
        *value = other(kind);
        return;
    };
    let at = usize::from(*first);
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let name = fields.keys().nth(at % fields.len()).unwrap().clone();
            if rest.is_empty() && kind.is_multiple_of(2) {
                fields.remove(&name);
            } else {
                mangle(fields.get_mut(&name).unwrap(), rest, kind / 2);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            let at = at % list.len();
            mangle(&mut list[at], rest, kind / 2);
        }
        _ => *value = other(kind),
    }
}

fn judge(answer: &Value) {
    for id in [ID, "7600000000000000104", ""] {
        match failures::post(answer, id) {
            Ok(post) => {
                if let Outcome::Found(found) = parse::resolved(post, "ua") {
                    assert!(!found.title.is_empty() && found.id == id);
                    assert!(!found.candidates.is_empty() || found.silent.is_some());
                    assert!(found.candidates.iter().all(|one| crate::link::is_fetchable(&one.url)));
                }
            }
            Err(Outcome::Found(_)) => panic!("a failure that is none"),
            Err(_) => {}
        }
    }
    for post in crate::loose::list(&answer["aweme_list"]) {
        assert!(parse::item(post).is_none_or(|item| !item.title.is_empty() && !item.id.is_empty()));
    }
}

proptest! {
    #[test]
    fn mangled_answers_end_in_a_class(
        fixture in 0..FIXTURES.len(),
        wounds in proptest::collection::vec((proptest::collection::vec(any::<u16>(), 1..7), any::<u64>()), 1..6),
    ) {
        let mut answer: Value = serde_json::from_str(FIXTURES[fixture]).unwrap();
        for (path, kind) in &wounds {
            mangle(&mut answer, path, *kind);
        }
        judge(&answer);
        judge(&answer["data"]);
    }

    #[test]
    fn any_bytes_end_in_a_class(status in 100..600_u16, body: Vec<u8>, page in ".*") {
        let _ = failures::json(&crate::stub::said(status, &[], body.clone()));
        let page = format!("<html>window._ROUTER_DATA = {page}</script>");
        let _ = share_page::data(&crate::stub::said(status, &[], page));
        let _ = share_page::data(&crate::stub::said(status, &[], body));
    }

    #[test]
    fn any_link_is_read_or_not(path in ".*", host in "(www\\.|v\\.|live\\.)?(ies)?douyin\\.com") {
        if let Ok(link) = format!("https://{host}/{path}").parse() {
            let _ = links::read(&link);
        }
    }
}

#[test]
fn ten_megabytes_are_read() {
    let mut answer: Value = serde_json::from_str(fixture!("douyin/detail_video.json")).unwrap();
    answer["aweme_detail"]["suggest_words"] = vec!["x".repeat(100); 100_000].into();
    let body = answer.to_string();
    assert!(body.len() > 10_000_000);
    judge(&failures::json(&crate::stub::said(200, &[], body)).unwrap());
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    assert!(failures::json(&crate::stub::said(200, &[], deep)).is_err());
}
