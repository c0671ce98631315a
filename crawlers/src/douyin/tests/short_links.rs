use super::*;
use crate::{
    Request,
    stub::{Stub, said},
};

async fn resolve(code: &str, location: &'static str) -> (Result<Resolved, CrawlError>, Vec<String>) {
    let server = Server::default().when("v.douyin.com/", move |_| said(302, &[("Location", location)], "")).at(
        "www.iesdouyin.com/web/api/v2/aweme/slidesinfo/",
        200,
        fixture!("douyin/slidesinfo_video.json"),
    );
    let stub = Stub::new(move |request: &Request| server.answer(request));
    let pasted =
        format!("7.43 pda:/ 晨光读书 这本书 https://v.douyin.com/{code}/ 复制此链接，打开Dou音搜索，直接观看视频！");
    (crawlers().resolve(&pasted, stub.with()).await, stub.asked())
}

#[tokio::test]
async fn share_texts_lead_to_the_post() {
    let location = "http://www.iesdouyin.com/share/video/7600000000000000101/?region=CN&mid=7600000000000009001";
    let (found, asked) = resolve("iInvent1", location).await;
    let found = found.unwrap();
    assert_eq!((found.id.as_str(), found.strategy.as_str(), asked.len()), (ID, "slidesinfo", 2));
    assert_eq!(found.page_url.as_str(), "https://www.douyin.com/video/7600000000000000101");
}

#[tokio::test]
async fn pictures_are_asked_for_as_pictures_first() {
    let (_, asked) = resolve("_2invent-9", "https://www.iesdouyin.com/share/note/7600000000000000104/?region=CN").await;
    assert!(asked[1].ends_with("aweme_ids=%5B7600000000000000104%5D&request_source=200"), "{}", asked[1]);
}

#[tokio::test]
async fn short_links_end_dead_live_or_at_a_list() {
    for (location, class) in [
        ("https://www.douyin.com/", ErrorClass::ShortLinkDead),
        ("http://169.254.169.254/latest/meta-data/", ErrorClass::RedirectNotAllowed),
        ("https://webcast.amemv.com/douyin/webcast/reflow/7600000000000000999?x=1", ErrorClass::LiveNotSupported),
        ("https://www.iesdouyin.com/share/user/1?sec_uid=MS4wLjABAAAAabc", ErrorClass::NoMediaFound),
    ] {
        let (found, asked) = resolve("iGone404", location).await;
        assert_eq!((found.unwrap_err().class, asked.len()), (class, 1), "{location}");
    }
}
