use bytes::Bytes;

use super::*;
use crate::{
    Crawlers, HasAudio, MediaKind, Outcome, Request, Settings, With,
    signatures::web_signature,
    stub::{Stub, hasty, header, said},
};

const DETAIL: &str = "www.douyin.com/aweme/v1/web/aweme/detail/";
const SLIDES: &str = "www.iesdouyin.com/web/api/v2/aweme/slidesinfo/";
const SHARE: &str = "www.iesdouyin.com/share/";

fn stub(server: Server) -> Stub<impl Fn(&Request) -> crate::Response + Send + Sync> {
    Stub::new(move |request: &Request| server.answer(request))
}

fn with_settings(change: impl FnOnce(&mut Settings)) -> Crawlers {
    let mut settings = hasty();
    change(&mut settings);
    Crawlers::new(settings).unwrap()
}

#[tokio::test]
async fn a_broken_way_leads_to_the_next_and_the_story_is_kept() {
    let stub = stub(Server::default().at(SLIDES, 200, "").at(DETAIL, 200, fixture!("douyin/detail_video.json")));
    let found = crawlers().resolve(&video(ID), stub.with()).await.unwrap();
    assert_eq!(found.strategy, "web_detail");
    assert_eq!(
        endings(&found.attempts),
        [("slidesinfo", Ending::Failed, Some(ErrorClass::Blocked)), ("web_detail", Ending::Found, None)]
    );
    let first = &found.candidates[0];
    assert!(first.url.as_str().contains("/v26/v0300fg10000inventedvid0101/h264-540p/"), "{}", first.url);
    assert_eq!((first.size, first.bitrate, first.has_audio), (Some(2_400_000), Some(480_000), HasAudio::Unknown));
    assert_eq!(first.mirrors.len(), 2);
    assert!(first.mirrors[1].path().starts_with("/aweme/v1/play/"));
    let user_agent = &hasty().douyin.user_agents[0];
    assert_eq!(
        first.headers,
        [("Referer".to_owned(), REFERER.to_owned()), ("User-Agent".to_owned(), user_agent.clone())]
    );
    let last = found.candidates.last().unwrap();
    assert!(last.watermark && last.url.path().contains("playwm"));
    assert!(found.candidates[found.candidates.len() - 2].url.path().ends_with(".mp3"), "the video's own sound");
    assert!(found.candidates.iter().all(|one| !one.url.path().contains("media-video-")));
    assert_eq!(found.published_at.unwrap().timestamp(), 1_793_500_000);
    assert!(found.may_be_silent && found.cover_url.is_some());
}

#[tokio::test]
async fn definite_answers_end_the_search_and_failures_do_not() {
    let told =
        stub(Server::default().at(SLIDES, 200, "").at(DETAIL, 200, fixture!("douyin/detail_not_found_core_dep.json")));
    let error = crawlers().resolve(&video("7600000000000000404"), told.with()).await.unwrap_err();
    assert_eq!((error.class, error.attempts.len()), (ErrorClass::NotFound, 2));

    let nothing = stub(Server::default().at(SLIDES, 200, "").at(DETAIL, 200, "").at(
        SHARE,
        200,
        fixture!("douyin/captcha_page.html"),
    ));
    let error = crawlers().resolve(&video(ID), nothing.with()).await.unwrap_err();
    assert_eq!((error.class, error.retryable()), (ErrorClass::Captcha, true));
    let ways: Vec<_> = error.attempts.iter().map(|one| (one.strategy.as_str(), one.ending)).collect();
    assert_eq!(
        ways,
        [
            ("slidesinfo", Ending::Failed),
            ("web_detail", Ending::Failed),
            ("share_page", Ending::Failed),
            ("tikhub", Ending::Skipped),
            ("ytdlp", Ending::Skipped)
        ]
    );
    assert!(nothing.asked().len() <= usize::from(crate::MAX_REQUESTS));
}

#[tokio::test]
async fn an_empty_list_of_slides_is_a_doubt_until_somebody_agrees() {
    let empty = fixture!("douyin/slidesinfo_empty.json");
    let id = "7600000000000000404";
    let blocked = stub(Server::default().at(SLIDES, 200, empty).at(DETAIL, 200, "").at(SHARE, 200, "<html>"));
    let error = crawlers().resolve(&video(id), blocked.with()).await.unwrap_err();
    assert_eq!((error.class, error.attempts.len()), (ErrorClass::NotFound, 5), "nobody else answered");
    let found = fixture!("douyin/detail_video.json").replace(ID, id);
    let there = stub(Server::default().at(SLIDES, 200, empty).at(DETAIL, 200, &found));
    assert_eq!(crawlers().resolve(&video(id), there.with()).await.unwrap().strategy, "web_detail");
}

#[tokio::test]
async fn an_answer_about_another_post_is_none() {
    let other = fixture!("douyin/detail_video.json").replace(ID, "7600000000000000999");
    let stub = stub(Server::default().at(DETAIL, 200, &other));
    let with = With { only: Some("web_detail"), ..stub.with() };
    assert_eq!(crawlers().resolve(&video(ID), with).await.unwrap_err().class, ErrorClass::IdMismatch);
}

#[tokio::test]
async fn the_anonymous_visitor_is_kept_until_it_is_not_believed() {
    let stub = stub(Server::default().when(DETAIL, |request| match request.url.query().unwrap().contains(ID) {
        true => said(200, &[], fixture!("douyin/detail_video.json")),
        false => said(200, &[], ""),
    }));
    let crawlers = crawlers();
    let with = || With { only: Some("web_detail"), ..stub.with() };
    for _ in 0..2 {
        crawlers.resolve(&video(ID), with()).await.unwrap();
    }
    let registrations = || stub.asked().iter().filter(|url| url.contains("ttwid")).count();
    assert_eq!((registrations(), stub.asked().len()), (1, 3));
    let web = stub.requests().into_iter().next_back().unwrap();
    assert_eq!(header(&web, "Cookie"), Some("ttwid=1%7CinventedTtwidValue%7C1793600000%7Cdeadbeef"));
    crawlers.resolve(&video("7600000000000000500"), with()).await.unwrap_err();
    assert_eq!((registrations(), stub.asked().len()), (2, 6), "one more try, as somebody else");
}

#[tokio::test]
async fn identities_do_not_share_an_anonymous_visitor() {
    let stub = stub(Server::default().at(DETAIL, 200, fixture!("douyin/detail_video.json")));
    let crawlers = crawlers();
    let guest = |id: &str| Identity { id: id.into(), cookie: "sessionid=x".into(), ..somebody() };
    let (one, two) = (guest("one"), guest("two"));
    for identity in [&one, &two, &one] {
        let with = With { only: Some("web_detail"), ..stub.as_whom(identity) };
        crawlers.resolve(&video(ID), with).await.unwrap();
    }
    assert_eq!(stub.asked().iter().filter(|url| url.contains("ttwid")).count(), 2);
}

#[tokio::test]
async fn whether_nobody_may_ask_the_answer_says() {
    let stub = Stub::new(|request: &Request| match request.method {
        crate::Method::Post => said(404, &[], ""),
        _ => said(200, &[], fixture!("douyin/detail_video.json")),
    });
    let with = With { only: Some("web_detail"), ..stub.with() };
    crawlers().resolve(&video(ID), with).await.unwrap();
    assert_eq!(header(stub.requests().last().unwrap(), "Cookie"), None);
}

#[tokio::test]
async fn somebody_asks_as_one_browser_with_both_signatures() {
    let stub = stub(Server::default().at(DETAIL, 200, fixture!("douyin/detail_video.json")));
    let identity = somebody();
    let with = With { only: Some("web_detail"), ..stub.as_whom(&identity) };
    let found = crawlers().resolve(&video(ID), with).await.unwrap();
    assert!(found.candidates[0].headers.iter().any(|(_, value)| *value == identity.user_agent));
    assert!(found.candidates.iter().flat_map(|one| &one.headers).all(|(_, value)| !value.contains("secret")));
    let [request] = &stub.requests()[..] else { panic!("{:?}", stub.asked()) };
    assert_eq!(header(request, "Cookie"), Some(identity.cookie.as_str()));
    assert_eq!(header(request, "User-Agent"), Some(identity.user_agent.as_str()));
    let query = request.url.query().unwrap();
    let sent: std::collections::HashMap<_, _> = request.url.query_pairs().collect();
    let is = |name: &str, value: &str| assert_eq!(sent[name], value, "{name}");
    is("browser_platform", "MacIntel");
    is("browser_version", "141.0.0.0");
    is("os_name", "Mac OS");
    is("support_dash", "0");
    is("uifid", "uif1");
    is("verifyFp", "verify_x");
    is("fp", "verify_x");
    let order = ["&msToken=", "&a_bogus=", "&verifyFp=", "&fp=", "&uifid=", "&timestamp=", "&x-secsdk-web-signature="];
    let places = order.map(|name| query.find(name).unwrap());
    assert!(places.is_sorted());
    let (signed, signature) = query.split_once("&x-secsdk-web-signature=").unwrap();
    assert_eq!(web_signature::sign(signed, "uif1", &sent["timestamp"]), signature);
    assert_eq!(header(request, "x-secsdk-web-expire"), Some(&*sent["timestamp"]));
}

#[tokio::test]
async fn some_pictures_are_asked_for_as_the_other_application_once() {
    let stub = stub(Server::default().when(DETAIL, |request| {
        let as_other = request.url.query().unwrap().contains("&aid=6383&");
        said(
            200,
            &[],
            if as_other {
                fixture!("douyin/detail_note_images.json")
            } else {
                fixture!("douyin/detail_filtered_images_base.json")
            },
        )
    }));
    let crawlers = with_settings(|settings| {
        settings.douyin.params.insert("aid".into(), "1128".into());
        settings.douyin.params.insert("round_trip_time".into(), String::new());
        settings.douyin.params.insert("webid".into(), "a b".into());
        settings.douyin.params.insert("aweme_id".into(), "1".into());
    });
    let with = With { only: Some("web_detail"), ..stub.with() };
    let link = "https://www.douyin.com/note/7600000000000000104";
    assert!(crawlers.resolve(link, with).await.is_ok_and(|found| found.image_count == 3));
    let asked = stub.asked();
    assert!(asked[1].contains("&aid=1128&") && asked[2].contains("&aid=6383&") && asked.len() == 3);
    assert!(asked[1].contains("&webid=a+b&") && !asked[1].contains("round_trip_time"));
    assert!(asked[1].contains("&aweme_id=7600000000000000104&"), "which post is not for the settings");
}

#[tokio::test]
async fn settings_name_hosts_and_the_signature() {
    let stub = Stub::new(|_: &Request| said(200, &[("Set-Cookie", "ttwid=x")], fixture!("douyin/detail_video.json")));
    let crawlers = with_settings(|settings| {
        settings.douyin.hosts.insert("web".into(), "http://127.0.0.1:9/".into());
        settings.douyin.signature = "none".into();
    });
    let with = With { only: Some("web_detail"), ..stub.with() };
    crawlers.resolve(&video(ID), with).await.unwrap();
    assert!(stub.asked()[1].starts_with("http://127.0.0.1:9/aweme/v1/web/aweme/detail/?device_platform=webapp&"));
    assert!(!stub.asked()[1].contains("a_bogus"));
    let mut settings = hasty();
    settings.douyin.signature = "x_bogus".into();
    assert!(Crawlers::new(settings).unwrap_err().contains("x_bogus"));
}

/// yt-dlp, which knows nothing and keeps what it was asked for.
#[derive(Default)]
struct Asked(std::sync::Mutex<Vec<String>>);

#[async_trait]
impl crate::External for Asked {
    async fn dump(&self, dump: crate::Dump<'_>) -> Result<crate::Dumped, crate::TransportError> {
        self.0.lock().unwrap().push(format!("{} {}", dump.link, dump.identity.is_some()));
        Ok(crate::Dumped {
            status: Some(1),
            stdout: Bytes::new(),
            stderr: "ERROR: [Douyin] Fresh cookies needed".into(),
        })
    }
}

#[tokio::test]
async fn the_last_way_is_the_page_in_the_hands_of_yt_dlp() {
    let stub = stub(Server::default());
    let (external, identity) = (Asked::default(), somebody());
    let with = With { external: Some(&external), ..stub.as_whom(&identity) };
    let link = "https://www.iesdouyin.com/share/video/7600000000000000101/?from=x";
    let error = crawlers().resolve(link, with).await.unwrap_err();
    assert_eq!(*external.0.lock().unwrap(), [format!("{} true", video(ID))]);
    assert_eq!(error.attempts.last().unwrap().strategy, "ytdlp");
}

#[tokio::test]
async fn live_rooms_and_lists_are_refused_without_a_request() {
    let stub = stub(Server::default());
    for (link, class) in [
        ("https://live.douyin.com/123456", ErrorClass::LiveNotSupported),
        ("https://www.douyin.com/user/MS4wLjABAAAAabc", ErrorClass::NoMediaFound),
    ] {
        assert_eq!(crawlers().resolve(link, stub.with()).await.unwrap_err().class, class);
    }
    assert!(stub.asked().is_empty());
}

#[test]
fn an_answer_without_the_post_says_why() {
    let class = |answer: serde_json::Value| match failures::withheld(&answer, ID) {
        Outcome::Answer(error) => ("answer", error.class),
        Outcome::Doubt(error) => ("doubt", error.class),
        Outcome::Failed(error) => ("failed", error.class),
        Outcome::Found(_) => panic!("nothing was found"),
    };
    let reason = |reason: &str| class(serde_json::json!({"filter_detail": {"aweme_id": ID, "filter_reason": reason}}));
    assert_eq!(reason("status_deleted"), ("answer", ErrorClass::NotFound));
    assert_eq!(reason("author_self_see"), ("answer", ErrorClass::Private));
    assert_eq!(reason("status_part_see"), ("answer", ErrorClass::Private));
    assert_eq!(reason("status_friend_see"), ("answer", ErrorClass::Private));
    assert_eq!(reason("something_new"), ("answer", ErrorClass::Unavailable));
    assert_eq!(reason("images_base_x"), ("failed", ErrorClass::Blocked));
    assert_eq!(reason(""), ("failed", ErrorClass::Blocked));
    let other = serde_json::json!({"filter_detail": {"aweme_id": "1", "filter_reason": "status_deleted"}});
    assert_eq!(class(other), ("failed", ErrorClass::Blocked), "that was about another post");
    let code = |code: &str| class(serde_json::from_str(&format!(r#"{{"status_code":{code}}}"#)).unwrap());
    assert_eq!(code("2053"), ("answer", ErrorClass::NotFound));
    assert_eq!(code("\"8\""), ("failed", ErrorClass::LoginRequired));
    assert_eq!(code("2483"), ("failed", ErrorClass::LoginRequired));
    assert_eq!(code("10000"), ("failed", ErrorClass::Captcha));
    assert_eq!(code("2154"), ("failed", ErrorClass::Blocked));
    assert_eq!(class(serde_json::json!({"status_code": 0, "verify_ticket": "x"})), ("failed", ErrorClass::Captcha));
    assert_eq!(class(serde_json::json!({"verify_center_decision_conf": {}})), ("failed", ErrorClass::Blocked));
    let tip = serde_json::json!({"not_login_module": {"guide_login_tip_exist": true}});
    assert_eq!(class(tip), ("failed", ErrorClass::LoginRequired));
    let status =
        |status, body: &str| failures::json(&said(status, &[("Retry-After", "9")], body.to_owned())).unwrap_err();
    for (code, body, class) in [
        (200, " \n", ErrorClass::Blocked),
        (200, "<html>", ErrorClass::Blocked),
        (200, "Blocked by ArgusSecurityPlugin Sign Expired", ErrorClass::SignatureRejected),
        (403, "<html>", ErrorClass::Blocked),
        (403, "<div class=captcha>", ErrorClass::Captcha),
        (302, "", ErrorClass::Blocked),
        (429, "", ErrorClass::RateLimited),
        (444, "", ErrorClass::RateLimited),
        (503, "", ErrorClass::SiteError),
    ] {
        assert_eq!(status(code, body).class, class, "{code} {body}");
    }
    assert_eq!(status(429, "").retry_after, Some(std::time::Duration::from_secs(9)));
}

fn post(change: impl FnOnce(&mut serde_json::Value)) -> Outcome {
    let mut file: serde_json::Value = serde_json::from_str(fixture!("douyin/detail_video.json")).unwrap();
    change(&mut file["aweme_detail"]);
    parse::resolved(&file["aweme_detail"], "ua")
}

fn found(change: impl FnOnce(&mut serde_json::Value)) -> Resolved {
    match post(change) {
        Outcome::Found(found) => *found,
        other => panic!("{other:?}"),
    }
}

#[test]
fn sound_alone_is_best_and_video_without_sound_is_left_out() {
    let sound = serde_json::json!([{"audio_meta": {"size": 500_000, "url_list": {"main_url":
        "http://v26.douyinvod.com/0123456789abcdef0123456789abcdef/6ad00000/video/media-audio-und-mp4a/?a=1"}}}]);
    let found = found(|post| post["video"]["bit_rate_audio"] = sound);
    let first = &found.candidates[0];
    assert_eq!((first.has_audio, first.container.as_deref()), (HasAudio::Yes, Some("m4a")));
    assert_eq!((first.url.scheme(), first.size), ("https", Some(500_000)));
    assert_eq!(first.expires_at.unwrap().timestamp(), 0x6ad0_0000);
    let silent = post(|post| {
        let only = post["video"]["bit_rate"][2].clone();
        post["video"] = serde_json::json!({"bit_rate": [only], "duration": 63210});
    });
    assert!(matches!(silent, Outcome::Failed(error) if error.class == ErrorClass::Blocked));
}

#[test]
fn a_sound_without_pictures_is_heard_when_it_is_the_authors() {
    let own = found(|post| post["video"] = serde_json::json!({}));
    assert_eq!((own.kind, own.candidates.len(), own.duration_ms), (MediaKind::Audio, 1, Some(63_000)));
    let song = found(|post| {
        post["video"]["bit_rate"] = serde_json::Value::Null;
        let music = post["music"]["play_url"].clone();
        post["video"] = serde_json::json!({"play_addr": music});
        post["music"]["is_original_sound"] = false.into();
    });
    assert!(song.candidates.is_empty() && song.silent.is_some());
    let pictures = found(|post| post["images"] = serde_json::json!([{}, {}]));
    assert_eq!((pictures.kind, pictures.candidates.len(), pictures.silent), (MediaKind::Images, 1, None));
}

#[test]
fn titles_and_states_are_told() {
    assert_eq!(found(|post| post["desc"] = "".into()).title, format!("douyin {ID}"));
    let two = found(|post| post["desc"] = "  First \nsecond".into());
    assert_eq!((two.title.as_str(), two.description.as_deref()), ("First", Some("First \nsecond")));
    assert_eq!(found(|post| post["status"]["video_mute"] = serde_json::json!({"is_mute": true})).warnings.len(), 1);
    let class = |outcome| match outcome {
        Outcome::Answer(error) => error.class,
        other => panic!("{other:?}"),
    };
    assert_eq!(class(post(|post| post["status"]["is_delete"] = true.into())), ErrorClass::NotFound);
    let hidden = |name: &'static str, value: u64| {
        class(post(move |post| {
            post["video"] = serde_json::Value::Null;
            post["music"] = serde_json::Value::Null;
            post["status"][name] = value.into();
        }))
    };
    let held_back = post(|post| {
        post["video"] = serde_json::json!({"duration": 63210});
        post["music"]["is_original_sound"] = false.into();
    });
    assert!(matches!(held_back, Outcome::Failed(error) if error.class == ErrorClass::Blocked), "no song is a video");
    assert_eq!(hidden("private_status", 2), ErrorClass::Private);
    assert_eq!(hidden("is_prohibited", 1), ErrorClass::Unavailable);
}
