//! A person on Douyin, with pinned and deleted posts.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use poem::{Request, Response};
use serde_json::{Value, json};

use super::{FAST, tasks};
use crate::support::{Reply, Site, TestApp};

/// Posts on a page.
const SIZE: usize = 4;

/// Shows these posts: `pin-N` is pinned, `gone-N` was deleted.
fn post(name: &str) -> Value {
    let number: u64 = name.rsplit('-').next().unwrap().parse().unwrap();
    json!({
        "aweme_id": id(number),
        "desc": format!("作品 {number}"),
        "create_time": 1_780_000_000 + number * 86_400,
        "is_top": i32::from(name.starts_with("pin-")),
        "status": {"is_delete": name.starts_with("gone-"), "private_status": 0},
        "video": {"duration": 3000},
    })
}

fn id(number: u64) -> String {
    (7_600_000_000_000_001_000 + number).to_string()
}

fn page(posts: &[Value], request: &Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let cursor = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "max_cursor");
    let first: usize = cursor.map_or(0, |(_, value)| value.parse().unwrap());
    let last = posts.len().min(first + SIZE);
    let answer = json!({
        "status_code": 0,
        "aweme_list": &posts[first..last],
        "has_more": i32::from(last < posts.len()),
        "max_cursor": last,
    });
    Response::builder().content_type("application/json").body(answer.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_post_comes_in_once() {
    let site = Site::start().await;
    let hosts = ["www.douyin.com", "ttwid.bytedance.com"].map(|host| format!("\"{host}\" = \"{}\"", site.url));
    let app = TestApp::with(&format!("{FAST}\nnet.host_map = {{ {} }}", hosts.join(", "))).await;
    let posts = Arc::<Mutex<Vec<Value>>>::default();
    let shown = Arc::clone(&posts);
    let show = |names: &[&str]| *posts.lock().unwrap() = names.iter().map(|name| post(name)).collect();
    site.put("/aweme/v1/web/aweme/post/", Reply::Made(Arc::new(move |request| page(&shown.lock().unwrap(), request))));
    let visitor = |_: &Request| Response::builder().header("set-cookie", "ttwid=1%7Cinvented; path=/").body("{}");
    site.put("/ttwid/union/register/", Reply::Made(Arc::new(visitor)));

    show(&["pin-2", "9", "8", "gone-7", "6", "5", "4", "3", "1"]);
    let link = "https://www.douyin.com/user/MS4wLjABAAAAinventedSecUid_chenguang_0001?from_tab_name=main";
    let (source, first) = app.follow(json!({ "link": link, "pages": 3, "backfill": 100, "priority": "low" })).await;
    assert_eq!((&first["pages"], &first["unavailable"]), (&json!(3), &json!(1)));
    let mut made = vec![tasks(&first)];
    // Another pin, more than a page of new posts, deleted ones among them.
    show(&["pin-2", "pin-11", "15", "14", "gone-13", "12", "10", "9", "8", "6", "5", "4", "3", "1"]);
    made.push(tasks(&app.poll(&source).await));
    for id in made.concat() {
        assert_eq!(app.delete(&format!("/api/tasks/{id}")).await, 204);
    }
    // No pin any more, the newest deleted, one more.
    show(&["16", "gone-15", "14", "12", "11", "10", "9", "8", "6", "5", "4", "3", "2", "1"]);
    made.push(tasks(&app.poll(&source).await));
    assert_eq!(made.iter().map(Vec::len).collect::<Vec<_>>(), [8, 5, 1]);
    let seen: BTreeSet<String> = app.items(&source).await.into_keys().collect();
    let expected: BTreeSet<String> = (1..=16).filter(|number| ![7, 13].contains(number)).map(id).collect();
    assert_eq!(seen, expected);
    let same = "https://www.iesdouyin.com/share/user/MS4wLjABAAAAinventedSecUid_chenguang_0001";
    let (_, twice) = app.post("/api/sources", json!({ "link": same })).await;
    assert_eq!(twice["code"], "conflict", "{twice}");
    for id in made.pop().unwrap() {
        assert_eq!(app.delete(&format!("/api/tasks/{id}")).await, 204);
    }
    app.finish().await;
}
