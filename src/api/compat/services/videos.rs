//! `POST /api/tiktok/video_task` and `POST /api/douyin/video_task`: a post's link becomes a task.

use crawlers::{Crawlers, find_link};
use poem::Request;
use poem_openapi::OpenApi;

use super::{answer::Answer, ask::Wanted, asked::Asked, fields::VideoFields};
use crate::{
    api::{
        facade::Form,
        native::{Context, Group},
        who::Who,
    },
    domain::Caller,
    error::{Code, Error, Result},
};

/// Tasks of platforms' posts.
pub(in crate::api) struct Videos(pub(super) Context);

/// A platform with its name as people write it.
struct Platform {
    name: &'static str,
    title: &'static str,
}

#[OpenApi(tag = "Group::Compatibility")]
impl Videos {
    /// Transcribe a TikTok post
    ///
    /// The link is looked up when the task runs, so that nothing expires in the queue. A share text with the link in it
    /// will do.
    ///
    /// 通过 TikTok 作品链接（或含链接的分享文本）创建转写任务；执行时才解析，不会因排队而过期。
    #[oai(path = "/api/tiktok/video_task", method = "post", operation_id = "services_tiktok")]
    async fn tiktok(&self, request: &Request, who: Who, form: Form<VideoFields>) -> poem::Result<Answer> {
        let platform = Platform { name: "tiktok", title: "TikTok" };
        Ok(self.0.video(platform, Asked::of(request), who.0, form).await?)
    }

    /// Transcribe a Douyin post
    ///
    /// The link is looked up when the task runs, so that nothing expires in the queue. A share text with the link in it
    /// will do.
    ///
    /// 通过抖音作品链接（或含链接的分享文本）创建转写任务；执行时才解析，不会因排队而过期。
    #[oai(path = "/api/douyin/video_task", method = "post", operation_id = "services_douyin")]
    async fn douyin(&self, request: &Request, who: Who, form: Form<VideoFields>) -> poem::Result<Answer> {
        let platform = Platform { name: "douyin", title: "Douyin" };
        Ok(self.0.video(platform, Asked::of(request), who.0, form).await?)
    }
}

impl Context {
    async fn video(&self, platform: Platform, asked: Asked, who: Caller, form: Form<VideoFields>) -> Result<Answer> {
        let (fields, _) = self.read(form, "file").await?;
        let pasted = fields.text("url").ok_or_else(|| {
            Error::new(Code::InvalidValue, "Field \"url\" is missing")
                .with_field("url")
                .with_hint("Paste the post's link.")
        })?;
        let mut wanted = Wanted::read(&fields)?;
        let link = self.post_of(&platform, &pasted)?;
        wanted.platform = wanted.platform.or(Some(platform.name.to_owned()));
        self.services_task(asked, wanted, Some(link), None, who).await
    }

    /// The link of a platform's post in what was pasted.
    fn post_of(&self, platform: &Platform, pasted: &str) -> Result<String> {
        let wrong =
            || Error::new(Code::InvalidRequest, format!("Invalid {} video URL", platform.title)).with_field("url");
        let link = find_link(pasted).map_err(|_| wrong())?;
        let crawlers =
            Crawlers::new(self.state.config.crawlers.clone()).map_err(|why| Error::new(Code::Config, why))?;
        let claimant = crawlers.claimant(&link).map(|crawler| crawler.name());
        if claimant == Some(platform.name) { Ok(link.into()) } else { Err(wrong()) }
    }
}
