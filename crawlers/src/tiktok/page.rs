//! The video page, which carries its data as JSON.

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{
    Post,
    html::script,
    miss::{Miss, outcome},
    parse,
    web::{Web, unsolved},
};
use crate::{ErrorClass, Outcome, Resolved, Rhythm, Strategy, Visit, challenge};

const ENDPOINT: &str = "tiktok.page";

/// The strategy.
pub(super) struct VideoPage;

#[async_trait]
impl Strategy<Post> for VideoPage {
    fn name(&self) -> &'static str {
        "page"
    }

    async fn find(&self, post: &Post, visit: &Visit<'_>) -> Outcome {
        let first = outcome(look(post, Web::new(visit, 0)).await);
        // Some browsers' versions are refused for weeks while others pass.
        let is_refused = matches!(&first, Outcome::Failed(error) if error.class == ErrorClass::Blocked);
        if is_refused && Web::has_another(visit) { outcome(look(post, Web::new(visit, 1)).await) } else { first }
    }
}

async fn look(post: &Post, mut web: Web<'_>) -> Result<Resolved, Miss> {
    let path = post.path();
    let mut html = web.page(Rhythm::Post, ENDPOINT, &path).await?;
    let mut sight = look_at(&html, &post.id);
    if let Sight::Elsewhere(next) = &sight
        && *next != path
    {
        html = web.page(Rhythm::Post, ENDPOINT, next).await?;
        sight = look_at(&html, &post.id);
    }
    match sight {
        Sight::Detail(detail) => parse::detail(&detail, &post.id, &web.access()),
        Sight::Elsewhere(_) => Err(Miss::failed(ErrorClass::Blocked, "TikTok's page comes without the post's data.")),
        Sight::Nothing if challenge::is_in(html.as_bytes()) => Err(unsolved()),
        Sight::Nothing => Err(Miss::failed(
            ErrorClass::Blocked,
            "TikTok shows a page without any data, as it does to visitors that it does not like. Try again later.",
        )),
    }
}

/// What there is to see on a page.
#[derive(Debug, PartialEq)]
pub(super) enum Sight {
    /// What the web API would say about the post.
    Detail(Value),
    /// The page has the data under another path.
    Elsewhere(String),
    /// Neither.
    Nothing,
}

pub(super) fn look_at(html: &str, id: &str) -> Sight {
    let data = |script_id| serde_json::from_str::<Value>(script(html, script_id)?).ok();
    if let Some(mut data) = data("__UNIVERSAL_DATA_FOR_REHYDRATION__") {
        for key in ["webapp.video-detail", "webapp.reflow.video.detail"] {
            let detail = taken(&mut data, &format!("/__DEFAULT_SCOPE__/{key}"));
            if detail["itemInfo"].is_object() || super::status::judge(&detail, false).is_some() {
                return Sight::Detail(detail);
            }
        }
        return elsewhere(&data["__DEFAULT_SCOPE__"]["seo.abtest"]["canonical"], id);
    }
    // Pages of earlier years.
    if let Some(mut state) = data("SIGI_STATE") {
        let item = taken(&mut state, &format!("/ItemModule/{id}"));
        return Sight::Detail(
            json!({"statusCode": state["VideoPage"]["statusCode"], "itemInfo": {"itemStruct": item}}),
        );
    }
    if let Some(mut data) = data("__NEXT_DATA__") {
        return Sight::Detail(taken(&mut data, "/props/pageProps"));
    }
    Sight::Nothing
}

/// What is at a path; nothing where there is none. To index with a name for taking would panic on a list.
fn taken(data: &mut Value, path: &str) -> Value {
    data.pointer_mut(path).map(Value::take).unwrap_or_default()
}

/// The page of a post of pictures has its data only where a video would have it.
fn elsewhere(canonical: &Value, id: &str) -> Sight {
    let link = canonical.as_str().and_then(|link| url::Url::parse(link).ok());
    let form = link.and_then(|link| super::links::read(&link)).filter(|form| form.part("id") == Some(id));
    form.and_then(|form| Post::of(&form)).map_or(Sight::Nothing, |post| Sight::Elsewhere(post.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "7611111111111111113";

    #[test]
    fn a_page_of_pictures_leads_to_where_a_video_would_be() {
        let html = include_str!("../../fixtures/tiktok/photo_page_no_video_detail.html");
        assert_eq!(look_at(html, ID), Sight::Elsewhere(format!("/@weekly.wren/video/{ID}")));
        assert_eq!(look_at(html, "7611111111111111119"), Sight::Nothing);
    }

    #[test]
    fn pages_of_earlier_years_are_read() {
        let item = json!({"id": ID, "desc": "x"});
        let sigi = json!({"ItemModule": {ID: item}, "VideoPage": {"statusCode": 0}});
        let next = json!({"props": {"pageProps": {"statusCode": 0, "itemInfo": {"itemStruct": item}}}});
        for (id, data) in [("SIGI_STATE", sigi), ("__NEXT_DATA__", next)] {
            let html = format!("<html><script id='{id}' type=json>{data}</script></html>");
            let Sight::Detail(detail) = look_at(&html, ID) else { panic!("{html}") };
            assert_eq!(detail["itemInfo"]["itemStruct"], item);
        }
    }

    #[test]
    fn other_types_than_expected_are_no_obstacle() {
        for id in ["__UNIVERSAL_DATA_FOR_REHYDRATION__", "SIGI_STATE", "__NEXT_DATA__"] {
            for data in ["[]", "7", "\"x\"", r#"{"__DEFAULT_SCOPE__":[1],"ItemModule":[2],"props":[3]}"#] {
                let html = format!("<script id='{id}'>{data}</script>");
                assert!(!matches!(look_at(&html, ID), Sight::Elsewhere(_)), "{html}");
            }
        }
    }

    #[test]
    fn a_page_without_data_shows_nothing() {
        for html in ["", include_str!("../../fixtures/tiktok/maintenance.html"), "<script id=SIGI_STATE>{</script>"] {
            assert_eq!(look_at(html, ID), Sight::Nothing);
        }
    }
}
