//! Waveforms, archives, and callbacks sent once more.

use std::io::{Cursor, Read};

use serde_json::{Value, json};

use super::{
    Api,
    media::with_media,
    tasks::{complete, complete_with},
};
use crate::{
    domain::{DeliveryState, TokenId, Transcript},
    store::{Alert, DeliveryEnd, DeliveryFilter, NewDelivery, NewMedia, NewTask, TaskFilter},
};

/// A second of sound that is loud in its second half.
fn wav() -> Vec<u8> {
    let samples = (0..16_000i32).map(|at| if at < 8_000 { 0 } else { (at % 100 - 50) * 300 });
    let mut wav =
        b"RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\0\x7d\0\0".to_vec();
    wav.extend(samples.flat_map(|sample| i16::try_from(sample).unwrap().to_le_bytes()));
    wav
}

#[tokio::test]
async fn a_waveform_is_made_once_and_has_as_many_points_as_asked() {
    let api = with_media(&wav()).await;
    let peaks = api.get("/api/tasks/1/peaks?points=4").await.json()["peaks"].clone();
    let peaks: Vec<f64> = serde_json::from_value(peaks).unwrap();
    assert!(peaks.len() == 4 && peaks[0] < 0.01 && (0.4..0.6).contains(&peaks[2]) && peaks[3] > 0.4, "{peaks:?}");
    let media = api.store().task(crate::domain::TaskId(1)).await.unwrap().unwrap().media_id.unwrap();
    let (key, sha256) =
        api.store().media(media).await.map(|media| media.map(|media| (media.file, media.sha256))).unwrap().unwrap();
    // It is not looked at again: the file may be gone.
    api.state.files.delete_kept(&key.unwrap()).await.unwrap();
    let all = api.get("/api/tasks/1/peaks?points=4000").await.json();
    assert_eq!(all["peaks"].as_array().unwrap().len(), 1_000);
    assert!(api.store().waveform(media, &sha256.unwrap()).await.unwrap().is_some());
    assert!(api.store().waveform(media, "another").await.unwrap().is_none());
    for (points, says) in [("0", "at least 1"), ("4001", "at most 4000")] {
        let problem = api.get(&format!("/api/tasks/1/peaks?points={points}")).await.problem(422, "invalid_value");
        assert!(problem.to_string().contains(says), "{problem}");
    }
}

#[tokio::test]
async fn what_has_no_sound_has_no_waveform() {
    let api = with_media(b"no media at all").await;
    api.get("/api/tasks/1/peaks").await.problem(422, "not_media");
    api.get("/api/tasks/2/peaks").await.problem(404, "not_found");
    let bare = Api::new().await;
    bare.task().await;
    bare.get("/api/tasks/1/peaks").await.problem(409, "not_ready");
}

fn unzip(archive: Vec<u8>) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(archive)).unwrap();
    let count = archive.len();
    let mut read = |at| {
        let mut file = archive.by_index(at).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        (file.name().unwrap().into_owned(), text)
    };
    (0..count).map(&mut read).collect()
}

#[tokio::test]
async fn many_transcripts_come_in_one_archive() {
    let api = Api::new().await;
    for _ in 0..3 {
        let id = api.task().await;
        let text = format!("台湾 {id}.");
        let segment = crate::domain::Segment { end: 1.0, text: text.clone(), ..Default::default() };
        let transcript =
            Transcript { text, language: "zh".to_owned(), segments: vec![segment], ..Transcript::default() };
        complete_with(&api, id, transcript).await;
    }
    api.task().await;
    api.write(async |tx| {
        let (platform, platform_id, title) = ("web".to_owned(), "1".to_owned(), "../a: talk/讲话".to_owned());
        let media = tx.upsert_media(NewMedia { platform, platform_id, title, ..NewMedia::default() }).await.unwrap();
        tx.set_task_media(crate::domain::TaskId(2), media).await.unwrap();
    })
    .await;
    let answer = api.get("/api/tasks/export?ids=2,1,4-5&formats=txt,srt,txt&zh=tw").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/zip"));
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"transcripts.zip\"");
    let files = unzip(answer.body);
    let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    let title = "_a_ talk_讲话";
    let wanted =
        [&format!("{title} [2].txt"), &format!("{title} [2].srt"), "media [1].txt", "media [1].srt", "errors.txt"];
    assert_eq!(names, wanted);
    assert_eq!(files[0].1, "臺灣 2.\n");
    let errors: Vec<&str> = files[4].1.lines().collect();
    assert!(errors.len() == 2 && errors[0].starts_with("Task 4: Task 4 is queued"), "{errors:?}");
    assert!(errors[1].starts_with("Task 5: There is no task 5"), "{errors:?}");
    for (query, status, code, field) in [
        ("ids=x", 422, "invalid_value", "ids"),
        ("ids=1-1001", 422, "invalid_value", "ids"),
        ("formats=txt", 422, "invalid_value", "ids"),
        ("ids=1&formats=docx", 415, "unsupported_format", "formats"),
        ("ids=1&zh=klingon", 422, "invalid_value", "zh"),
    ] {
        let problem = api.get(&format!("/api/tasks/export?{query}")).await.problem(status, code);
        assert_eq!(problem["field"], field, "{query}");
    }
}

/// Four deliveries, of which `msg_1` arrived, `msg_0` is dead and two wait.
pub(super) async fn delivered(api: &Api) {
    let id = api.task().await;
    complete(api, id).await;
    api.write(async |tx| {
        for number in 1..=3 {
            let (url, event, body) = ("https://example.com/h".to_owned(), "task.completed".to_owned(), "{}".to_owned());
            let new = NewDelivery { id: format!("msg_{number}"), task_id: id, url, event, body, secret: None };
            tx.insert_delivery(new, 0).await.unwrap();
        }
        let (id, url) = ("msg_0".to_owned(), "https://example.com/h".to_owned());
        tx.insert_alert(Alert { id, url, event: "schedule.failing".to_owned(), body: "{}".to_owned() }).await.unwrap();
        for claimed in tx.claim_deliveries("me", 60_000, 2, 4).await.unwrap() {
            let end = if claimed.id == "msg_1" { DeliveryEnd::Delivered } else { DeliveryEnd::Dead };
            assert!(tx.end_attempt("me", &claimed, 5, Some(500), None, end).await.unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn deliveries_are_listed_page_by_page() {
    let api = Api::new().await;
    delivered(&api).await;
    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let first = api.get("/api/deliveries?limit=3").await.json();
    assert_eq!(ids(&first), ["msg_3", "msg_2", "msg_1"]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = api.get(&format!("/api/deliveries?limit=3&cursor={cursor}")).await.json();
    assert_eq!((ids(&second), &second["next_cursor"]), (vec!["msg_0".to_owned()], &Value::Null));
    assert_eq!(second["items"][0]["task_id"], Value::Null);
    assert_eq!(ids(&api.get("/api/deliveries?task=1&state=delivered").await.json()), ["msg_1"]);
    assert_eq!(ids(&api.get("/api/deliveries?task=7").await.json()), [""; 0]);
    assert_eq!(api.get("/api/deliveries/msg_1").await.json()["attempts"][0]["status"], 500);
    api.get("/api/deliveries/msg_9").await.problem(404, "not_found");
    for (query, field) in [("state=lost", "state"), ("cursor=!", "cursor"), ("limit=201", "limit")] {
        let problem = api.get(&format!("/api/deliveries?{query}")).await.problem(422, "invalid_value");
        assert_eq!(problem["field"], field);
    }
}

#[tokio::test]
async fn a_delivery_is_sent_once_more() {
    let api = Api::new().await;
    delivered(&api).await;
    for id in ["msg_1", "msg_0"] {
        let before = api.get(&format!("/api/deliveries/{id}")).await.json();
        assert!(before["next_at"].is_null() && before["state"] != "pending", "{before}");
        let again = api.post(&format!("/api/deliveries/{id}/redeliver"), "").await.json();
        assert_eq!((&again["state"], again["next_at"].is_null()), (&json!("pending"), false));
    }
    api.write(async |tx| {
        let claimed = tx.claim_deliveries("me", 60_000, 9, 4).await.unwrap();
        let mut attempts: Vec<_> = claimed.iter().map(|one| (one.id.as_str(), one.attempt)).collect();
        attempts.sort_unstable();
        assert_eq!(attempts, [("msg_0", 2), ("msg_1", 2), ("msg_2", 1), ("msg_3", 1)]);
    })
    .await;
    api.post("/api/deliveries/msg_1/redeliver", "").await.problem(409, "conflict");
    api.post("/api/deliveries/msg_9/redeliver", "").await.problem(404, "not_found");
}

#[tokio::test]
async fn lists_hold_what_belongs_to_one_token() {
    let api = Api::new().await;
    delivered(&api).await;
    let owner = Some(TokenId(5));
    api.write(async |tx| {
        let task = tx.insert_task(NewTask { owner, link: "https://example.com/x".to_owned(), ..NewTask::default() });
        let (task_id, id) = (task.await.unwrap(), "msg_5".to_owned());
        let (url, event, body) = (String::new(), "task.completed".to_owned(), "{}".to_owned());
        tx.insert_delivery(NewDelivery { id, task_id, url, event, body, secret: None }, 0).await.unwrap();
    })
    .await;
    let mine = api.store().deliveries(&DeliveryFilter { owner, limit: 9, ..DeliveryFilter::default() }).await.unwrap();
    assert_eq!(mine.deliveries.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["msg_5"]);
    assert_eq!(mine.deliveries[0].state, DeliveryState::Pending);
    let words = vec![vec!["example".to_owned()]];
    let mine = api.store().tasks(&TaskFilter { owner, words, limit: 9, ..TaskFilter::default() }).await.unwrap();
    assert_eq!((mine.total, mine.tasks[0].owner), (1, owner));
}
