//! Tasks found by their words.

use super::{Api, tasks::complete_with};
use crate::{
    domain::{TaskId, Transcript},
    store::NewMedia,
};

impl Api {
    /// A task about this media in which this was said.
    async fn said(&self, title: &str, author: &str, text: &str) -> TaskId {
        let id = self.task().await;
        self.write(async |tx| {
            let (title, author) = (title.to_owned(), Some(author.to_owned()));
            let (platform, platform_id) = ("web".to_owned(), id.to_string());
            let media = NewMedia { platform, platform_id, title, author, ..NewMedia::default() };
            let media = tx.upsert_media(media).await.unwrap();
            tx.set_task_media(id, media).await.unwrap();
        })
        .await;
        let transcript = Transcript { text: text.to_owned(), language: "zh".to_owned(), ..Transcript::default() };
        complete_with(self, id, transcript).await;
        id
    }

    /// The tasks that are found, the oldest first.
    async fn found(&self, q: &str) -> Vec<i64> {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", q).finish();
        let page = self.get(&format!("/api/tasks?{query}")).await.json();
        let mut ids: Vec<i64> =
            page["items"].as_array().unwrap().iter().map(|task| task["id"].as_i64().unwrap()).collect();
        assert_eq!(page["total"], ids.len());
        ids.reverse();
        ids
    }
}

#[tokio::test]
async fn words_are_found_wherever_they_stand() {
    let api = Api::new().await;
    api.said("A talk about whales", "Müller", "The blue one sings.").await;
    api.said("头发护理", "小明", "在台湾，头发干净很重要。 用GPU训练。").await;
    for (q, ids) in [
        ("whales", vec![1]),
        ("WHAL", vec![1]),
        ("muller", vec![1]),
        ("sings whales", vec![1]),
        ("blue one", vec![1]),
        ("example.com/a", vec![1, 2]),
        ("头", vec![2]),
        ("头发", vec![2]),
        ("發乾", vec![2]),
        ("頭髮", vec![2]),
        ("臺灣 小明", vec![2]),
        ("发干净很重", vec![2]),
        ("gpu训练", vec![2]),
        ("whales 头发", vec![]),
        ("ales", vec![]),
        ("nothing", vec![]),
    ] {
        assert_eq!(api.found(q).await, ids, "{q}");
    }
}

#[tokio::test]
async fn nothing_that_is_looked_for_has_a_meaning_of_its_own() {
    let api = Api::new().await;
    api.said("near and far", "x", "one two three").await;
    for (q, ids) in [
        ("\"two", vec![1]),
        ("two*", vec![1]),
        ("t*o", vec![]),
        ("NEAR(one two)", vec![]),
        ("one OR nothing", vec![]),
        ("one NOT two", vec![]),
        ("words:one", vec![]),
        ("^one", vec![1]),
        ("one - two", vec![1]),
        ("%", vec![]),
        ("_", vec![]),
        ("*", vec![]),
        ("\"", vec![]),
        ("'); DROP TABLE tasks; --", vec![]),
        ("\u{0}\u{202E}", vec![]),
        ("😂", vec![]),
    ] {
        assert_eq!(api.found(q).await, ids, "{q}");
    }
}

#[tokio::test]
async fn what_is_gone_is_not_found() {
    let api = Api::new().await;
    let id = api.said("First title", "x", "Some words.").await;
    api.write(async |tx| {
        let (platform, platform_id, title) = ("web".to_owned(), id.to_string(), "Second title".to_owned());
        tx.upsert_media(NewMedia { platform, platform_id, title, ..NewMedia::default() }).await.unwrap();
    })
    .await;
    assert_eq!((api.found("first").await, api.found("second").await), (vec![], vec![1]));
    api.state.queue.delete(id).await.unwrap();
    for q in ["second", "words", "example"] {
        assert_eq!(api.found(q).await, [0i64; 0], "{q}");
    }
    api.task().await;
    assert_eq!(api.found("example").await.len(), 1);
}

#[tokio::test]
async fn each_word_is_a_search_so_there_are_not_many() {
    let api = Api::new().await;
    api.said("x", "x", "a b c d e f g h").await;
    assert_eq!(api.found("a b c d e f g h").await, [1]);
    assert_eq!(api.found(&"a ".repeat(90)).await, [1], "the same word is looked for once");
    let problem = api.get("/api/tasks?q=a+b+c+d+e+f+g+h+i").await.problem(422, "invalid_value");
    assert_eq!(problem["field"], "q");
}
