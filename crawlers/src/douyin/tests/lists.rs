use serde_json::{Value, json};

use super::*;
use crate::{
    Crawlers, Page, Request,
    stub::{Stub, hasty, said},
};

const USER: &str = "https://www.douyin.com/user/MS4wLjABAAAAinventedSecUid_chenguang_0001";
const POSTS: &str = "www.douyin.com/aweme/v1/web/aweme/post/";

async fn ask(cursor: Option<&str>, identity: Option<&Identity>, answer: Value) -> Result<Page, CrawlError> {
    let server = Server::default().at(POSTS, 200, &answer.to_string());
    let stub = Stub::new(move |request: &Request| server.answer(request));
    let request = ListRequest { cursor: cursor.map(str::to_owned), ..ListRequest::default() };
    let with = crate::With { identity, ..stub.with() };
    crawlers().list(USER, &request, with).await
}

#[tokio::test]
async fn a_page_tells_names_pins_and_what_is_gone() {
    let mut answer: Value = serde_json::from_str(fixture!("douyin/user_post_page1.json")).unwrap();
    answer["aweme_list"][1]["status"]["is_delete"] = true.into();
    answer["aweme_list"][2]["images"] = json!([{}]);
    let again = answer["aweme_list"][2].clone();
    let list = answer["aweme_list"].as_array_mut().unwrap();
    list.extend([again, json!(null), json!({"desc": "no id"})]);
    let page = ask(None, None, answer).await.unwrap();
    assert_eq!(page.title.as_deref(), Some("晨光读书室"));
    let told: Vec<_> = page.items.iter().map(|one| (one.title.as_str(), one.pinned, one.available)).collect();
    assert_eq!(told, [("作品 005", true, true), ("作品 004", false, false), ("作品 003", false, true)]);
    assert_eq!(page.items[2].link, "https://www.douyin.com/note/7600000000000001003");
    assert_eq!(page.items[0].published_at.unwrap().timestamp(), 1_780_000_000);
    assert!(page.items[0].duration_ms.is_some());
}

#[tokio::test]
async fn the_end_of_a_list_is_told_from_an_answer_that_was_held_back() {
    let somebody = somebody();
    for more in [json!(false), json!(0), json!("0"), Value::Null] {
        let page =
            ask(None, None, json!({"status_code": 0, "aweme_list": null, "has_more": more, "max_cursor": 5})).await;
        assert_eq!(page.unwrap(), Page::default());
    }
    for more in [json!(true), json!(1), json!("1")] {
        let answer = json!({"status_code": 0, "aweme_list": [], "has_more": more, "max_cursor": "1793489200000"});
        assert_eq!(ask(None, None, answer.clone()).await.unwrap().next.as_deref(), Some("1793489200000"));
        let same = ask(Some("1793489200000"), Some(&somebody), answer).await.unwrap();
        assert_eq!(same.next, None, "a page that leads to itself is the last");
    }
    let class = |page: Result<Page, CrawlError>| page.unwrap_err().class;
    let bare = json!({"status_code": 0, "log_pb": {"impr_id": "x"}});
    assert_eq!(class(ask(Some("5"), None, bare.clone()).await), ErrorClass::LoginRequired);
    assert_eq!(class(ask(Some("5"), Some(&somebody), bare.clone()).await), ErrorClass::Blocked);
    assert_eq!(class(ask(None, None, bare).await), ErrorClass::Blocked);
    for wrong in [json!(7), json!("x"), json!({"0": {}})] {
        let answer = json!({"status_code": [], "aweme_list": wrong, "has_more": 0});
        assert_eq!(class(ask(None, None, answer).await), ErrorClass::Blocked, "no list, and not an empty one");
    }
    let tip =
        json!({"status_code": 0, "aweme_list": [], "has_more": 0, "not_login_module": {"guide_login_tip_exist": true}});
    assert_eq!(class(ask(Some("5"), None, tip.clone()).await), ErrorClass::LoginRequired);
    assert!(ask(None, None, tip).await.is_ok(), "a first page without posts");
    assert_eq!(class(ask(None, None, json!({"status_code": 2})).await), ErrorClass::NotFound);
    assert_eq!(class(ask(Some("0&aid=1"), None, json!({})).await), ErrorClass::InvalidLink);
}

#[tokio::test]
async fn a_mix_has_its_own_name_and_a_post_is_no_list() {
    let server = Server::default().at("www.douyin.com/aweme/v1/web/mix/aweme/", 200, fixture!("douyin/mix_aweme.json"));
    let stub = Stub::new(move |request: &Request| server.answer(request));
    let link = "https://www.douyin.com/collection/7600000000000008001";
    let page = crawlers().list(link, &ListRequest::default(), stub.with()).await.unwrap();
    assert_eq!((page.title.as_deref(), page.next), (Some("每日一书"), None));
    let error = crawlers().list(&video(ID), &ListRequest::default(), stub.with()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::NoMediaFound);
    let live = "https://live.douyin.com/123";
    let error = crawlers().list(live, &ListRequest::default(), stub.with()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::LiveNotSupported);
}

#[tokio::test]
async fn tikhub_helps_when_it_is_switched_on() {
    let with_key = || {
        let mut settings = hasty();
        settings.tikhub.key = "paid".into();
        settings
    };
    let stub = Stub::new(|request: &Request| match request.url.host_str() {
        Some("api.tikhub.io") => {
            let data: Value = serde_json::from_str(fixture!("douyin/user_post_page2.json")).unwrap();
            said(200, &[], json!({"code": 200, "data": data}).to_string())
        }
        _ => said(429, &[], ""),
    });
    let request = ListRequest { cursor: Some("1793489200000".into()), ..ListRequest::default() };
    let page = Crawlers::new(with_key()).unwrap().list(USER, &request, stub.with()).await.unwrap();
    assert_eq!(page.items.len(), 2);
    assert!(stub.asked().last().unwrap().contains("fetch_user_post_videos?sec_user_id=MS4wLjABAAAA"));

    let stub = Stub::new(|request: &Request| match request.url.host_str() {
        Some("api.tikhub.io") => said(200, &[], fixture!("tikhub/douyin_fetch_one_video.json")),
        _ => said(200, &[], fixture!("douyin/detail_bare_envelope.json")),
    });
    let error = Crawlers::new(with_key()).unwrap().list(USER, &request, stub.with()).await.unwrap_err();
    assert_eq!(error.class, ErrorClass::LoginRequired, "what is no list does not end one");
}
