//! Uploads in pieces.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use poem::{Body, Request, http::Method};
use serde_json::json;
use uuid::Uuid;

use super::{Answer, Api};

const WAV: &[u8] = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00";
const PIECE: (&str, &str) = ("content-type", "application/offset+octet-stream");

async fn send(api: &Api, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
    let start = Request::builder().method(method).uri_str(path).header("tus-resumable", "1.0.0");
    let answer =
        api.send(headers.iter().fold(start, |request, (name, value)| request.header(*name, *value)).body(body));
    let answer = answer.await;
    assert_eq!(answer.header("tus-resumable"), "1.0.0", "{path}");
    answer
}

async fn begin(api: &Api, length: usize) -> String {
    let length = length.to_string();
    let headers = [("upload-length", length.as_str()), ("upload-metadata", "filename YS53YXY=,x eQ==")];
    let answer = send(api, Method::POST, "/api/uploads", &headers, Body::empty()).await;
    assert_eq!((answer.status.as_u16(), answer.header("upload-offset")), (201, "0"), "{}", answer.text());
    answer.header("location").to_owned()
}

async fn append(api: &Api, path: &str, from: usize, body: impl Into<Body>) -> Answer {
    send(api, Method::PATCH, path, &[PIECE, ("upload-offset", &from.to_string())], body).await
}

async fn offset(api: &Api, path: &str) -> String {
    let answer = send(api, Method::HEAD, path, &[], Body::empty()).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, "no-store"));
    answer.header("upload-offset").to_owned()
}

#[tokio::test]
async fn a_file_in_pieces_becomes_a_task() {
    let api = Api::new().await;
    let path = begin(&api, WAV.len()).await;
    for (from, to) in [(0, 10), (10, 11), (11, WAV.len())] {
        let answer = append(&api, &path, from, &WAV[from..to]).await;
        assert_eq!((answer.status.as_u16(), answer.header("upload-offset")), (204, to.to_string().as_str()));
        assert!(answer.header("upload-expires").ends_with(" GMT"));
        assert_eq!(offset(&api, &path).await, to.to_string());
        if to < WAV.len() {
            let early = api.post("/api/tasks", json!({ "upload_id": path.rsplit('/').next() }).to_string()).await;
            assert_eq!(early.problem(409, "not_ready")["field"], "upload_id");
        }
    }
    assert!(api.files("data/uploads").is_empty());
    let head = send(&api, Method::HEAD, &path, &[], Body::empty()).await;
    assert_eq!(head.header("upload-metadata"), "filename YS53YXY=,x eQ==");
    let id = path.rsplit('/').next().unwrap();
    let task = api.post("/api/tasks", json!({ "upload_id": id }).to_string()).await;
    assert_eq!(task.status, 202, "{}", task.text());
    let (upload, _) = api.store().upload(id).await.unwrap().unwrap();
    assert_eq!((upload.file_name.as_str(), upload.content_type.as_deref()), ("a.wav", Some("audio/wav")));
    send(&api, Method::DELETE, &path, &[], Body::empty()).await.problem(409, "conflict");
    // Nothing more fits in; a repeated last piece of nothing does no harm.
    let end = WAV.len().to_string();
    let more = [PIECE, ("upload-offset", end.as_str()), ("content-length", "1")];
    send(&api, Method::PATCH, &path, &more, "x").await.problem(413, "too_large");
    assert_eq!(append(&api, &path, WAV.len(), Body::empty()).await.status, 204);
    let task = task.json()["id"].as_i64().unwrap();
    let gone = api.send(Request::builder().method(Method::DELETE).uri_str(format!("/api/tasks/{task}")).finish()).await;
    assert_eq!(gone.status, 204);
    assert!(api.files("data/media").is_empty());
}

#[tokio::test]
async fn the_first_piece_may_come_at_once() {
    let api = Api::new().await;
    let length = WAV.len().to_string();
    let headers = [PIECE, ("upload-length", length.as_str())];
    let answer = send(&api, Method::POST, "/api/uploads", &headers, WAV).await;
    assert_eq!((answer.status.as_u16(), answer.header("upload-offset")), (201, length.as_str()));
    let path = answer.header("location").to_owned();
    assert_eq!(send(&api, Method::DELETE, &path, &[], Body::empty()).await.status, 204);
    send(&api, Method::HEAD, &path, &[], Body::empty()).await.problem(404, "not_found");
    assert!(api.files("data/media").is_empty(), "a finished upload without a task goes as a whole");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_changes_nothing() {
    let api = Api::with(|config| config.uploads.max_bytes = 1000).await;
    let create =
        async |headers: &[(&str, &str)]| send(&api, Method::POST, "/api/uploads", headers, Body::empty()).await;
    create(&[]).await.problem(400, "invalid_request");
    create(&[("upload-length", "-1")]).await.problem(422, "invalid_value");
    create(&[("upload-length", "0")]).await.problem(422, "empty_media");
    create(&[("upload-length", "1001")]).await.problem(413, "too_large");
    create(&[("upload-length", "9"), ("upload-metadata", "a ?")]).await.problem(400, "invalid_request");
    assert!(api.files("data/uploads").is_empty());

    let path = begin(&api, 20).await;
    let patch =
        async |headers: &[(&str, &str)], body: &'static str| send(&api, Method::PATCH, &path, headers, body).await;
    patch(&[PIECE], "x").await.problem(400, "invalid_request");
    patch(&[PIECE, ("upload-offset", "1")], "x").await.problem(409, "conflict");
    patch(&[("upload-offset", "0"), ("content-type", "text/plain")], "x").await.problem(415, "unsupported_format");
    patch(&[PIECE, ("upload-offset", "0")], "twenty-one characters").await.problem(413, "too_large");
    let sum = ("upload-checksum", "sha1 Lve95gjOVATpfV8EL5X4nxwjKHE=");
    patch(&[PIECE, ("upload-offset", "0"), sum], "Hello world!").await.problem(460, "checksum_mismatch");
    patch(&[PIECE, ("upload-offset", "0"), ("upload-checksum", "md5 x")], "x").await.problem(400, "invalid_request");
    assert_eq!(offset(&api, &path).await, "0");
    assert_eq!(patch(&[PIECE, ("upload-offset", "0"), sum], "Hello World!").await.status, 204);
    assert_eq!(offset(&api, &path).await, "12");

    for version in [None, Some("0.2.2")] {
        let start = Request::builder().method(Method::HEAD).uri_str(&path);
        let start = version.into_iter().fold(start, |request, version| request.header("tus-resumable", version));
        let answer = api.send(start.finish()).await;
        answer.problem(412, "protocol_version");
        assert_eq!(answer.header("tus-version"), "1.0.0");
    }
    for id in ["x", &Uuid::new_v4().to_string(), "%2e%2e%2f%2e%2e%2fetc%2fpasswd"] {
        let answer = send(&api, Method::HEAD, &format!("/api/uploads/{id}"), &[], Body::empty()).await;
        answer.problem(404, "not_found");
    }
    let abilities = send(&api, Method::OPTIONS, "/api/uploads", &[], Body::empty()).await;
    assert_eq!((abilities.status.as_u16(), abilities.header("tus-max-size")), (204, "1000"));
    assert!(abilities.header("tus-extension").contains("creation-with-upload"));
}

#[tokio::test]
async fn what_came_before_the_connection_broke_stays() {
    let api = Api::new().await;
    let path = begin(&api, WAV.len()).await;
    let broken = std::io::Error::other("gone");
    let body = stream::iter([Ok(WAV[..7].to_vec()), Err(broken)]);
    append(&api, &path, 0, Body::from_bytes_stream(body)).await.problem(400, "invalid_request");
    assert_eq!(offset(&api, &path).await, "7");
    // Clients that can send nothing but POST say what they mean.
    let means = ("x-http-method-override", "PATCH");
    let answer = send(&api, Method::POST, &path, &[PIECE, ("upload-offset", "7"), means], &WAV[7..]).await;
    assert_eq!(answer.status, 204, "{}", answer.text());
}

#[tokio::test]
async fn one_request_at_a_time_and_who_asks_anew_goes_first() {
    let api = Api::new().await;
    let path = begin(&api, WAV.len()).await;
    let id: Uuid = path.rsplit('/').next().unwrap().parse().unwrap();
    let claim = api.state.files.claim(id).unwrap();
    append(&api, &path, 0, WAV).await.problem(423, "busy");
    drop(claim);
    // A connection that died without a word: its request waits for more for ever.
    let (seen, came) = tokio::sync::oneshot::channel();
    let mut seen = Some(seen);
    let pieces = stream::iter([Ok::<_, std::io::Error>(WAV[..5].to_vec())]).chain(stream::pending());
    let pieces = pieces.inspect(move |_| seen.take().into_iter().for_each(|seen| seen.send(()).unwrap()));
    let dead = append(&api, &path, 0, Body::from_bytes_stream(pieces));
    let other = async {
        came.await.unwrap();
        let from = offset(&api, &path).await.parse().unwrap();
        append(&api, &path, from, &WAV[from..]).await
    };
    let (dead, other) = tokio::join!(dead, other);
    dead.problem(423, "busy");
    assert_eq!(other.status, 204, "{}", other.text());
}

#[tokio::test]
async fn an_upload_expires() {
    let api = Api::with(|config| config.uploads.max_unfinished = 1).await;
    let path = begin(&api, 9).await;
    let refused = send(&api, Method::POST, "/api/uploads", &[("upload-length", "9")], Body::empty()).await;
    refused.problem(507, "insufficient_storage");
    let id = path.rsplit('/').next().unwrap();
    api.write(async |tx| tx.prolong_partial_upload(id, 1).await.unwrap()).await;
    append(&api, &path, 0, "x").await.problem(410, "expired");
    assert_eq!(api.store().expired_partial_uploads(2).await.unwrap(), [id]);
    assert_eq!(api.state.files.partials(Duration::ZERO).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_upload_that_was_complete_when_the_daemon_died_is_finished_by_asking() {
    let api = Api::new().await;
    let path = begin(&api, WAV.len()).await;
    let id: Uuid = path.rsplit('/').next().unwrap().parse().unwrap();
    std::fs::write(api.state.files.partial_path(id), WAV).unwrap();
    assert_eq!(offset(&api, &path).await, WAV.len().to_string());
    assert!(api.store().upload(&id.to_string()).await.unwrap().is_some());
}
