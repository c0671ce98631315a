//! Downloads: whole, broken, resumed, refused.

use std::{
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{
    net_with, open_net,
    server::{Act, Asked, Server, head, reply},
};
use crate::{
    domain::Span,
    error::{Code, Result},
    net::{Download, Downloaded, Net, Progress},
};

const SIZE: usize = 300_000;

fn media() -> Vec<u8> {
    let noise = (0..SIZE).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8);
    b"\0\0\0\x20ftypisom".iter().copied().chain(noise).take(SIZE).collect()
}

/// A place for the part file, and the request for it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("media.part")
    }

    fn request(&self, server: &Server) -> Download {
        let url = server.url("/v.mp4?token=geheim");
        Download { url, headers: vec![], path: self.path(), range: None, min_bytes: 0, max_bytes: 1 << 30, keep: false }
    }

    fn files(&self) -> usize {
        std::fs::read_dir(self.0.path()).unwrap().count()
    }

    async fn fetch(&self, net: &Net, server: &Server) -> Result<Downloaded> {
        net.download(self.request(server), &|_| {}, &CancellationToken::new()).await
    }

    fn assert_complete(&self) {
        assert!(std::fs::read(self.path()).unwrap() == media(), "the file differs");
        assert_eq!(self.files(), 1, "nothing else is left");
    }
}

/// The first byte asked for.
fn start(asked: &Asked) -> Option<usize> {
    asked.header("range")?.strip_prefix("bytes=")?.split('-').next()?.parse().ok()
}

/// An answer that honours ranges, but breaks off after `most` bytes.
fn serve(asked: &Asked, headers: &str, most: usize) -> Vec<Act> {
    let body = media();
    let (status, from, extra) = match start(asked) {
        Some(from) if from >= body.len() => {
            return reply(416, &format!("Content-Range: bytes */{}\r\n", body.len()), b"");
        }
        Some(from) => (206, from, format!("Content-Range: bytes {from}-{}/{}\r\n", body.len() - 1, body.len())),
        None => (200, 0, String::new()),
    };
    let lines = format!("{headers}{extra}Content-Length: {}\r\n", body.len() - from);
    vec![head(status, &lines), Act::Send(body[from..].iter().copied().take(most).collect())]
}

const ETAG: &str = "ETag: \"v1\"\r\n";

#[tokio::test]
async fn a_whole_file() {
    let server = Server::start(|asked| {
        assert_eq!((asked.header("accept-encoding"), asked.header("range")), (Some("identity"), None));
        serve(asked, "Content-Type: Video/MP4; x=1\r\n", SIZE)
    })
    .await;
    let place = Place::new();
    let seen = Mutex::new(Vec::new());
    let report = |progress: Progress| seen.lock().unwrap().push(progress);
    let net = open_net();
    let done = net.download(place.request(&server), &report, &CancellationToken::new()).await.unwrap();
    assert_eq!(done.size, SIZE as u64);
    place.assert_complete();
    let seen = seen.into_inner().unwrap();
    assert!(seen.is_sorted_by_key(|progress| progress.received));
    assert_eq!(seen.last(), Some(&Progress { received: SIZE as u64, total: Some(SIZE as u64) }));
}

#[tokio::test]
async fn a_transfer_that_breaks_goes_on_where_it_broke() {
    let server = Server::start(|asked| serve(asked, ETAG, 100_000)).await;
    let place = Place::new();
    let done = place.fetch(&open_net(), &server).await.unwrap();
    assert_eq!(done.size, SIZE as u64);
    place.assert_complete();
    let asked = server.asked();
    assert_eq!(asked.iter().map(start).collect::<Vec<_>>(), [None, Some(100_000), Some(200_000)]);
    assert!(asked[1..].iter().all(|asked| asked.header("if-range") == Some("\"v1\"")));
}

#[tokio::test]
async fn after_three_resumes_the_next_call_goes_on() {
    let server = Server::start(|asked| serve(asked, ETAG, 50_000)).await;
    let (net, place) = (open_net(), Place::new());
    let error = place.fetch(&net, &server).await.unwrap_err();
    assert_eq!((error.code, server.connections()), (Code::SourceError, 4));
    assert!(!error.chain().contains("geheim"));
    assert!(!std::fs::read_to_string(place.0.path().join("media.part.meta")).unwrap().contains("geheim"));
    assert_eq!(std::fs::metadata(place.path()).unwrap().len(), 200_000);
    place.fetch(&net, &server).await.unwrap();
    assert_eq!(start(&server.asked()[4]), Some(200_000));
    place.assert_complete();
}

#[tokio::test]
async fn a_changed_or_unsteady_file_is_begun_anew() {
    // Each of these breaks once and then is another file, or refuses to go on.
    let second: [fn(&Asked) -> Vec<Act>; 5] = [
        |asked| serve(&Asked { headers: vec![], ..asked.clone() }, "ETag: \"v2\"\r\n", SIZE),
        |asked| if start(asked).is_some() { serve(asked, "ETag: \"v2\"\r\n", SIZE) } else { serve(asked, "", SIZE) },
        |asked| {
            let odd = "Content-Range: bytes 5-9/300000\r\n";
            if start(asked).is_some() { reply(206, odd, b"wrong") } else { serve(asked, "", SIZE) }
        },
        |asked| if start(asked).is_some() { reply(416, "", b"") } else { serve(asked, "", SIZE) },
        |asked| {
            let odd = "Content-Range: bytes 100000-100001/100002\r\n";
            if start(asked).is_some() { reply(206, odd, b"xy") } else { serve(asked, "", SIZE) }
        },
    ];
    for (number, second) in second.into_iter().enumerate() {
        let turn = AtomicUsize::new(0);
        let server = Server::start(move |asked| match turn.fetch_add(1, Ordering::SeqCst) {
            0 => serve(asked, ETAG, 100_000),
            _ => second(asked),
        })
        .await;
        let place = Place::new();
        place.fetch(&open_net(), &server).await.unwrap_or_else(|error| panic!("case {number}: {}", error.chain()));
        place.assert_complete();
    }
}

#[tokio::test]
async fn a_part_that_is_complete_already_is_done() {
    let server = Server::start(|asked| serve(asked, ETAG, SIZE)).await;
    let (net, place) = (open_net(), Place::new());
    place.fetch(&net, &server).await.unwrap();
    // As after a crash between the last byte and the end.
    let broken = Server::start(|asked| serve(asked, ETAG, 100_000)).await;
    let other = Place::new();
    let cancel = CancellationToken::new();
    let stop = |progress: Progress| {
        if progress.received > 0 {
            cancel.cancel()
        }
    };
    net.download(other.request(&broken), &stop, &cancel).await.unwrap_err();
    std::fs::write(other.path(), media()).unwrap();
    other.fetch(&net, &broken).await.unwrap();
    other.assert_complete();
    assert_eq!(start(&broken.asked()[1]), Some(SIZE));
}

#[tokio::test]
async fn a_part_of_unknown_origin_is_not_trusted() {
    let server = Server::start(|asked| serve(asked, ETAG, SIZE)).await;
    let place = Place::new();
    std::fs::write(place.path(), b"who knows what this is").unwrap();
    place.fetch(&open_net(), &server).await.unwrap();
    assert_eq!(start(&server.asked()[0]), None);
    place.assert_complete();
}

#[tokio::test]
async fn ranges_of_a_file() {
    let server = Server::start(|asked| {
        let (_, last) = asked.header("range").unwrap().split_once('-').unwrap();
        let (from, last) = (start(asked).unwrap(), last.parse::<usize>().unwrap());
        let lines = format!("{ETAG}Content-Range: bytes {from}-{last}/{SIZE}\r\n");
        let lines = format!("{lines}Content-Length: {}\r\n", last + 1 - from);
        vec![head(206, &lines), Act::Send(media()[from..=last].iter().copied().take(600).collect())]
    })
    .await;
    let (net, place) = (open_net(), Place::new());
    let request = Download { range: Some((1000, 1999)), ..place.request(&server) };
    let done = net.download(request, &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(done.size, 1000);
    assert!(std::fs::read(place.path()).unwrap() == media()[1000..2000]);
    assert_eq!(server.asked()[1].header("range"), Some("bytes=1600-1999"));
    // A server that knows no ranges would send the whole file for each segment.
    let (whole, place) = (Server::start(|_| reply(200, "", &media())).await, Place::new());
    let request = Download { range: Some((0, 9)), ..place.request(&whole) };
    let error = net.download(request, &|_| {}, &CancellationToken::new()).await.unwrap_err();
    assert_eq!((error.code, whole.connections(), place.files()), (Code::SourceError, 1, 0));
    let request = Download { range: Some((9, 0)), ..place.request(&whole) };
    let error = net.download(request, &|_| {}, &CancellationToken::new()).await.unwrap_err();
    assert_eq!((error.code, whole.connections()), (Code::InvalidRequest, 1));
}

#[tokio::test]
async fn what_is_no_media_is_refused_and_leaves_nothing() {
    let page = b"\n <!DOCTYPE html><title>secret page</title>".repeat(50);
    let cases: Vec<(Code, Vec<u8>, &str)> = vec![
        (Code::NotMedia, b"x".to_vec(), "Content-Type: text/html; charset=utf-8\r\n"),
        (Code::NotMedia, b"{}".to_vec(), "Content-Type: application/json\r\n"),
        (Code::NotMedia, page.clone(), "Content-Type: video/mp4\r\n"),
        (Code::NotMedia, b"<html>".to_vec(), ""),
        (Code::EmptyMedia, vec![], "Content-Type: video/mp4\r\n"),
    ];
    for (code, body, headers) in cases {
        let server = Server::start(move |_| reply(200, headers, &body)).await;
        let place = Place::new();
        let error = place.fetch(&open_net(), &server).await.unwrap_err();
        assert_eq!((error.code, place.files()), (code, 0), "{headers}");
        assert!(!error.chain().contains("secret") && !error.chain().contains("geheim"), "{}", error.chain());
    }
}

#[tokio::test]
async fn statuses_have_their_codes() {
    for (status, code) in [
        (401, Code::SourceForbidden),
        (403, Code::SourceForbidden),
        (404, Code::SourceNotFound),
        (410, Code::SourceNotFound),
        (429, Code::RateLimited),
        (500, Code::SourceError),
        (503, Code::SourceError),
        (504, Code::SourceTimeout),
        (204, Code::SourceError),
    ] {
        let server = Server::start(move |_| reply(status, "Retry-After: 9\r\n", b"")).await;
        let place = Place::new();
        let error = place.fetch(&open_net(), &server).await.unwrap_err();
        assert_eq!((error.code, error.retry_after), (code, Some(Duration::from_secs(9))), "{status}");
        assert_eq!((place.files(), server.connections()), (0, 1), "{status}");
    }
}

#[tokio::test]
async fn sizes_are_counted_not_believed() {
    let net = open_net();
    let announced = Server::start(|asked| serve(asked, "", SIZE)).await;
    let endless = Server::start(|_| {
        let chunk = format!("1000\r\n{}\r\n", "x".repeat(0x1000)).into_bytes();
        vec![head(200, "Transfer-Encoding: chunked\r\n"), Act::Forever(chunk)]
    })
    .await;
    for server in [announced, endless] {
        let place = Place::new();
        let request = Download { max_bytes: SIZE as u64 - 1, ..place.request(&server) };
        let error = net.download(request, &|_| {}, &CancellationToken::new()).await.unwrap_err();
        assert_eq!((error.code, place.files()), (Code::TooLarge, 0));
    }
}

#[tokio::test]
async fn a_slow_download_ends_and_keeps_its_part() {
    let server = Server::start(|_| {
        vec![head(200, &format!("{ETAG}Content-Length: 300000\r\n")), Act::Send(media()[..1000].to_vec()), Act::Hang]
    })
    .await;
    let net = net_with(|config| config.stall_window = Span(Duration::from_millis(200)));
    let place = Place::new();
    assert_eq!(place.fetch(&net, &server).await.unwrap_err().code, Code::SourceTimeout);
    assert_eq!(std::fs::metadata(place.path()).unwrap().len(), 1000);
}

#[tokio::test]
async fn cancelling_ends_it_at_once_and_keeps_the_part() {
    let server = Server::start(|_| {
        vec![head(200, &format!("{ETAG}Content-Length: 300000\r\n")), Act::Send(media()[..1000].to_vec()), Act::Hang]
    })
    .await;
    let place = Place::new();
    let cancel = CancellationToken::new();
    let stop = |progress: Progress| {
        if progress.received == 1000 {
            cancel.cancel()
        }
    };
    let begun = std::time::Instant::now();
    let error = open_net().download(place.request(&server), &stop, &cancel).await.unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
    assert!(begun.elapsed() < Duration::from_secs(1));
    assert_eq!(std::fs::metadata(place.path()).unwrap().len(), 1000);
    let before = open_net().download(place.request(&server), &|_| {}, &cancel).await.unwrap_err();
    assert_eq!(before.code, Code::Cancelled);
}

#[tokio::test]
async fn links_in_the_folder_are_not_followed() {
    let server = Server::start(|asked| serve(asked, "", SIZE)).await;
    let place = Place::new();
    let elsewhere = place.0.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, place.path()).unwrap();
    assert_eq!(place.fetch(&open_net(), &server).await.unwrap_err().code, Code::Io);
    assert_eq!((server.connections(), elsewhere.exists()), (0, false));
}

#[tokio::test]
async fn what_cannot_be_the_file_by_its_size_is_refused() {
    let portal = Server::start(|_| reply(200, "", &[b'x'; 2_000])).await;
    let unsized_portal = Server::start(|_| vec![head(200, ""), Act::Send(vec![b'x'; 2_000])]).await;
    for server in [portal, unsized_portal] {
        let place = Place::new();
        let request = Download { min_bytes: 100_000, ..place.request(&server) };
        let error = open_net().download(request, &|_| {}, &CancellationToken::new()).await.unwrap_err();
        assert_eq!((error.code, place.files()), (Code::Truncated, 0));
        assert!(error.detail.contains("2000 bytes"), "{}", error.detail);
    }
}

#[tokio::test]
async fn a_part_that_is_to_be_kept_outlives_what_else_is_sent() {
    let page = b"<!doctype html><title>Log in</title>".repeat(50);
    let wrong: [(Code, Vec<Act>); 5] = [
        (Code::NotMedia, reply(200, "Content-Type: text/html\r\n", &page)),
        (Code::Truncated, reply(200, "", &page)),
        (Code::TooLarge, reply(200, "", &vec![b'x'; 2 * SIZE])),
        (Code::SourceNotFound, reply(404, "", b"")),
        (Code::SourceError, reply(200, "Content-Encoding: br\r\n", &vec![b'x'; SIZE])),
    ];
    for (code, acts) in wrong {
        // Breaks off, then something else stands between, then all is well again.
        let turn = AtomicUsize::new(0);
        let acts = Mutex::new(Some(acts));
        let server = Server::start(move |asked| match turn.fetch_add(1, Ordering::SeqCst) {
            0..=3 => serve(asked, ETAG, 50_000),
            4 => acts.lock().unwrap().take().unwrap(),
            _ => serve(asked, ETAG, SIZE),
        })
        .await;
        let (net, place) = (open_net(), Place::new());
        let size = SIZE as u64;
        let fetch = || {
            let request = Download { min_bytes: size / 2, max_bytes: size + 9, keep: true, ..place.request(&server) };
            async { net.download(request, &|_| {}, &CancellationToken::new()).await }
        };
        fetch().await.unwrap_err();
        assert_eq!(fetch().await.unwrap_err().code, code);
        assert_eq!(std::fs::metadata(place.path()).unwrap().len(), 200_000, "{code:?}");
        fetch().await.unwrap();
        place.assert_complete();
        assert_eq!(start(server.asked().last().unwrap()), Some(200_000), "{code:?}");
    }
}
