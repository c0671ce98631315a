//! Cookie identities with the real binary: used, judged, and never seen again.

use serde_json::{Value, json};

use super::support::{Daemon, Site, root};

const LINK: &str = "https://www.douyin.com/video/7600000000000000101";
const DETAIL: &str = "/aweme/v1/web/aweme/detail/";
const SECRET: &str = "hush7f3a";

fn capture(name: &str) -> Vec<u8> {
    std::fs::read(root().join("crawlers/fixtures/douyin").join(name)).unwrap()
}

/// Settings with a server that stands in for Douyin, and one way to it.
fn settings(site: &Site) -> String {
    format!(
        "net.host_map.\"www.douyin.com\" = \"{url}\"\nnet.host_map.\"ttwid.bytedance.com\" = \"{url}\"\n\
         crawlers.douyin.strategies = [\"web_detail\"]\nlog.level = \"trace\"",
        url = site.url
    )
}

/// Every answer that was seen, to be searched in the end.
struct Answers<'a> {
    daemon: &'a Daemon,
    seen: Vec<String>,
}

impl Answers<'_> {
    async fn ask(&mut self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}{path}", self.daemon.url);
        let request = self.daemon.http.request(method.parse().unwrap(), url);
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        let value = serde_json::from_str(&text).unwrap_or_default();
        self.seen.push(text);
        (status, value)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_used_and_never_seen_again() {
    let site = Site::start().await;
    site.file(DETAIL, "application/json", capture("detail_video.json"));
    let mut daemon = Daemon::new(&settings(&site));
    daemon.start().await;
    let mut answers = Answers { daemon: &daemon, seen: Vec::new() };

    let cookie = format!("sessionid={SECRET}; ttwid={SECRET}1; msToken={SECRET}2");
    let new = json!({
        "platform": "douyin", "name": "me", "cookie": cookie, "user_agent": "Browser/1",
        "proxy": Value::Null,
    });
    let (status, added) = answers.ask("POST", "/api/identities", new.clone()).await;
    assert_eq!((status, &added["cookies"]), (201, &json!(["sessionid", "ttwid", "msToken"])), "{added}");
    let path = format!("/api/identities/{}", added["id"].as_str().unwrap());
    let (status, problem) = answers.ask("POST", "/api/identities", new).await;
    assert_eq!((status, &problem["code"], &problem["field"]), (409, &json!("conflict"), &json!("name")));
    for (field, value) in [("cookie", SECRET), ("proxy", "socks5://hush7f3a:1"), ("platform", "web")] {
        let mut bad = json!({ "platform": "douyin", "name": "you", "cookie": "a=b" });
        bad[field] = json!(value);
        let (status, problem) = answers.ask("POST", "/api/identities", bad).await;
        assert_eq!((status, &problem["field"]), (422, &json!(field)), "{problem}");
    }

    let (status, resolved) = answers.ask("POST", "/api/resolve", json!({ "link": LINK })).await;
    assert_eq!(status, 200, "{resolved}");
    assert_eq!(resolved["attempts"][0]["strategy"], "web_detail");
    assert_eq!(resolved["attempts"][0]["identity"], true);
    let (_, used) = answers.ask("GET", &path, Value::Null).await;
    assert_eq!((&used["state"], used["last_used_at"].is_string()), (&json!("ready"), true), "{used}");
    for (request, is_known) in [(json!({ "identity": "none" }), false), (json!({ "cookie": cookie }), true)] {
        let mut request = request;
        request["link"] = json!(LINK);
        let (status, answer) = answers.ask("POST", "/api/resolve", request).await;
        assert_eq!((status, answer["attempts"][0]["identity"] == true), (200, is_known), "{answer}");
    }
    let unknown = json!({ "link": LINK, "strategy": "web_detial" });
    let (status, problem) = answers.ask("POST", "/api/resolve", unknown).await;
    assert_eq!((status, &problem["field"]), (422, &json!("strategy")), "{problem}");
    assert!(problem["hint"].as_str().unwrap().contains("web_detail"), "{problem}");

    // A task may name an identity, too.
    let body = json!({ "link": LINK, "options": { "identity": "somebody" } });
    let (_, task) = answers.ask("POST", "/api/tasks", body).await;
    let task = daemon.end(task["id"].as_i64().unwrap()).await;
    assert_eq!((&task["error"]["code"], &task["status"]), (&json!("invalid_value"), &json!("failed")), "{task}");

    // A task tells what was tried, and the identity rests.
    site.file(DETAIL, "application/json", capture("status_login_required.json"));
    let task = daemon.end(daemon.paste(LINK, "").await).await;
    assert_eq!(task["status"], "failed", "{task}");
    let tried = &task["steps"][0]["error"]["attempts"][0];
    assert_eq!((&tried["class"], &tried["identity"]), (&json!("login_required"), &json!(true)), "{task}");
    answers.seen.push(task.to_string());
    let (_, doubted) = answers.ask("GET", "/api/identities", Value::Null).await;
    assert_eq!(doubted["items"][0]["state"], "resting", "once may be the post: {doubted}");
    assert_eq!(doubted["items"][0]["last_error"], "login_required");
    let change = json!({ "cookie": format!("ttwid={SECRET}3"), "name": "you" });
    let (_, changed) = answers.ask("PATCH", &path, change).await;
    assert_eq!((&changed["state"], &changed["name"]), (&json!("ready"), &json!("you")), "{changed}");
    assert_eq!(answers.ask("DELETE", "/api/identities/nobody", Value::Null).await.0, 404);

    let seen = std::mem::take(&mut answers.seen).join("\n");
    assert!(!seen.contains(SECRET), "{seen}");
    let log = daemon.log();
    assert!(log.contains("identity added") && !log.contains(SECRET), "it is in the log");
    for file in ["trawl.db", "trawl.db-wal"] {
        let bytes = std::fs::read(daemon.folder().join("data").join(file)).unwrap_or_default();
        assert!(!bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()), "it is in {file}");
    }
    // With another key the daemon starts all the same, and says what is wrong.
    assert!(daemon.stop().await);
    std::fs::remove_file(daemon.folder().join("data/identities.key")).unwrap();
    daemon.start().await;
    let listed = daemon.get("/api/identities").await;
    assert!(listed["items"][0]["problem"].as_str().unwrap().contains("another key"), "{listed}");
    let gone = daemon.http.delete(format!("{}{path}", daemon.url)).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert!(daemon.stop().await);
}
