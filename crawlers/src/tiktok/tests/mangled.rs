//! Whatever TikTok sends, it ends in a post or in a class.

use std::sync::LazyLock;

use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};

use super::site::{ID, LINK, fixture};
use crate::{
    Crawlers, Request, Resolved, With,
    stub::{Stub, crawlers, said},
    tiktok::{challenge::Challenge, html, miss::Miss, page, parse, web::Access},
};

static WEB: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&fixture("tiktok/item_detail.json")).unwrap());
static APP: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(&fixture("tiktok/app_feed.json")).unwrap());
static CRAWLERS: LazyLock<Crawlers> = LazyLock::new(crawlers);
static PAGE: LazyLock<String> = LazyLock::new(|| fixture("tiktok/video_page.html"));

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        Just(json!("http://[::1]:x/")),
        Just(json!("https://v16.tiktok.com/?expire=99999999999999999&tk=tt_chain_token")),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,6}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

/// Puts something else in the place of some parts.
fn mangle(value: &Value, changes: &[(Index, Value)]) -> Value {
    let mut value = value.clone();
    for (place, new) in changes {
        let mut count = 0;
        visit(&mut value, &mut |_| count += 1);
        let (wanted, mut at) = (place.index(count), 0);
        let mut new = Some(new.clone());
        visit(&mut value, &mut |node| {
            if at == wanted
                && let Some(new) = new.take()
            {
                *node = new;
            }
            at += 1;
        });
    }
    value
}

fn visit(value: &mut Value, see: &mut impl FnMut(&mut Value)) {
    see(value);
    match value {
        Value::Array(list) => list.iter_mut().for_each(|one| visit(one, see)),
        Value::Object(map) => map.values_mut().for_each(|one| visit(one, see)),
        _ => {}
    }
}

fn check(found: Result<Resolved, Miss>) {
    match found {
        Ok(found) => {
            assert_eq!(found.id, ID);
            assert!(!found.title.is_empty());
            assert!(!found.candidates.is_empty() || found.silent.is_some());
        }
        Err(miss) => assert!(!miss.error().message.is_empty()),
    }
}

proptest! {
    #[test]
    fn posts(changes in prop::collection::vec((any::<Index>(), any_json()), 1..12)) {
        let access = Access { agent: "x".into(), chain_token: Some("y".into()) };
        check(parse::detail(&mangle(&WEB, &changes), ID, &access));
        check(parse::aweme(&mangle(&APP["aweme_list"][0], &changes), ID, &access));
    }

    #[test]
    fn envelopes(changes in prop::collection::vec((any::<Index>(), any_json()), 1..4)) {
        let item = &WEB["itemInfo"]["itemStruct"]["id"];
        let canonical = json!({"canonical": LINK});
        for (id, data) in [
            ("__UNIVERSAL_DATA_FOR_REHYDRATION__", json!({"__DEFAULT_SCOPE__": {"webapp.video-detail": {"itemInfo": item}, "seo.abtest": canonical}})),
            ("SIGI_STATE", json!({"ItemModule": {ID: item}, "VideoPage": {"statusCode": 0}})),
            ("__NEXT_DATA__", json!({"props": {"pageProps": {"itemInfo": item}}})),
        ] {
            let data = mangle(&data, &changes);
            page::look_at(&format!("<script id='{id}' type='application/json'>{data}</script>"), ID);
        }
    }

    #[test]
    fn pages(cuts in prop::collection::vec((any::<Index>(), any::<Index>(), "[<>\"'= /a-z{}\\[\\]]{0,8}"), 1..8)) {
        let mut page = PAGE.clone();
        for (from, length, instead) in cuts {
            let from = from.index(page.len());
            let to = (from + length.index(40)).min(page.len());
            if page.is_char_boundary(from) && page.is_char_boundary(to) {
                page.replace_range(from..to, &instead);
            }
        }
        let stub = Stub::new(|_: &Request| said(200, &[], page.clone()));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let with = With { only: Some("page"), ..stub.with() };
        if let Err(error) = runtime.block_on(CRAWLERS.resolve(LINK, with)) {
            prop_assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn tags(html in "(<|>|\"|'|=|/| |script|id|cs|wci|é){0,60}") {
        html::script(&html, "cs");
        Challenge::read(&html);
    }
}
