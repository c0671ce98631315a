//! Lists: a person's posts, the episodes of a mix, the posts that use a sound.
//!
//! Guests get the first page only, which holds what is new and is all that following a person needs. Asking for more
//! without a logged-in cookie ends in an error, because the empty answer that comes would look like the end of the list.

use std::collections::HashSet;

use serde_json::Value;

use super::{NAME, failures, parse, web_api};
use crate::{CrawlError, ErrorClass, Form, LinkKind, ListRequest, Outcome, Page, Rhythm, Visit, loose, tikhub};

/// Posts on a page.
const COUNT: &str = "18";

/// One list, and where to continue it.
struct Source<'a> {
    kind: LinkKind,
    id: &'a str,
    cursor: &'a str,
}

/// One page of the list that a link leads to.
pub(super) async fn page(form: &Form, request: &ListRequest, visit: &Visit<'_>) -> Result<Page, CrawlError> {
    let cursor = request.cursor.as_deref().unwrap_or("0");
    let id = form.part("sec").or_else(|| form.part("id")).unwrap_or_default();
    let source = Source { kind: form.kind, id, cursor };
    if form.kind == LinkKind::Live {
        let message = "This is a live room, which is no list. Follow the link of the person instead.";
        return Err(CrawlError::new(ErrorClass::LiveNotSupported, message));
    }
    if !matches!(form.kind, LinkKind::User | LinkKind::Mix | LinkKind::Music) {
        return Err(CrawlError::new(ErrorClass::NoMediaFound, "This link is not a list of posts on Douyin."));
    }
    if cursor.is_empty() || !cursor.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CrawlError::new(ErrorClass::InvalidLink, "This is not where a page of a list on Douyin begins."));
    }
    let answer = match source.ask(visit).await {
        Ok(answer) => source.opened(answer, visit),
        Err(error) => Err(Outcome::Failed(error)),
    };
    match answer {
        Ok(answer) => Ok(source.page(&answer)),
        Err(Outcome::Failed(error)) => source.bought(visit).await.ok_or(error),
        Err(Outcome::Answer(error) | Outcome::Doubt(error)) => Err(error),
        Err(Outcome::Found(_)) => Err(failures::blocked("Douyin answered with a post instead of a list.")),
    }
}

impl Source<'_> {
    async fn ask(&self, visit: &Visit<'_>) -> Result<Value, CrawlError> {
        let of_a_list = |name| [(name, self.id), ("cursor", self.cursor), ("count", COUNT)];
        let of_a_person = [
            ("sec_user_id", self.id),
            ("max_cursor", self.cursor),
            ("locate_query", "false"),
            ("show_live_replay_strategy", "1"),
            ("need_time_list", "1"),
            ("time_list_query", "0"),
            ("whale_cut_token", ""),
            ("cut_version", "1"),
            ("count", COUNT),
            ("publish_video_strategy_type", "2"),
            ("from_user_page", "1"),
        ];
        let (path, endpoint, parameters) = match self.kind {
            LinkKind::Mix => ("/aweme/v1/web/mix/aweme/", "douyin.mix", &of_a_list("mix_id")[..]),
            LinkKind::Music => ("/aweme/v1/web/music/aweme/", "douyin.music", &of_a_list("music_id")[..]),
            _ => ("/aweme/v1/web/aweme/post/", "douyin.posts", &of_a_person[..]),
        };
        let question = web_api::Question { path, parameters, rhythm: Rhythm::List, endpoint, as_other: false };
        web_api::ask(&question, visit).await
    }

    /// An answer that really is a list.
    fn opened(&self, answer: Value, visit: &Visit<'_>) -> Result<Value, Outcome> {
        let posts = loose::list(&answer["aweme_list"]).len();
        // An empty one is at times null.
        let is_list = answer.get("aweme_list").is_some_and(|list| list.is_array() || list.is_null())
            && loose::number(&answer["status_code"]).unwrap_or(0) == 0;
        let is_guest = visit.identity(NAME).is_none_or(|identity| identity.cookie("sessionid").is_none());
        let tipped = loose::is_on(&answer["not_login_module"]["guide_login_tip_exist"]);
        if posts > 0 || is_list && !(self.continues() && is_guest && tipped) {
            return Ok(answer);
        }
        Err(match failures::withheld(&answer, "") {
            Outcome::Failed(error) if self.continues() && is_guest && error.class == ErrorClass::Blocked => {
                Outcome::Failed(failures::login_required())
            }
            outcome => outcome,
        })
    }

    /// The same list from TikHub, when that is switched on and has it.
    async fn bought(&self, visit: &Visit<'_>) -> Option<Page> {
        let is_on = visit.chosen(&visit.settings.douyin.strategies).any(|name| name == tikhub::NAME);
        if !is_on || tikhub::hindrance(visit).is_some() {
            return None;
        }
        let Self { id, cursor, .. } = self;
        let path = match self.kind {
            LinkKind::User => {
                format!("fetch_user_post_videos?sec_user_id={id}&max_cursor={cursor}&count={COUNT}&sort_type=0")
            }
            LinkKind::Mix => format!("fetch_video_mix_post_list?mix_id={id}&cursor={cursor}&count={COUNT}"),
            _ => return None,
        };
        match tikhub::fetch(visit, &format!("/api/v1/douyin/app/v3/{path}")).await {
            Ok(answer) => answer["aweme_list"].is_array().then(|| self.page(&answer)),
            Err(error) => {
                tracing::debug!(class = %error.class, "TikHub has not given a list");
                None
            }
        }
    }

    fn continues(&self) -> bool {
        self.cursor != "0"
    }

    fn page(&self, answer: &Value) -> Page {
        let posts = loose::list(&answer["aweme_list"]);
        let mut seen = HashSet::new();
        let items = posts.iter().filter_map(parse::item).filter(|item| seen.insert(item.id.clone())).collect();
        let cursor = ["max_cursor", "cursor"].iter().find_map(|name| loose::number(&answer[*name]));
        // A list that goes on from where it was asked would go on for ever.
        let next = cursor.map(|cursor| cursor.to_string()).filter(|next| next != self.cursor);
        Page {
            title: self.title(posts),
            items,
            next: next.filter(|_| loose::is_on(&answer["has_more"])),
            ..Page::default()
        }
    }

    /// The list's name: every post in it knows it.
    fn title(&self, posts: &[Value]) -> Option<String> {
        let (of, id, name) = match self.kind {
            LinkKind::Mix => ("mix_info", "mix_id", "mix_name"),
            LinkKind::Music => ("music", "id_str", "title"),
            _ => ("author", "sec_uid", "nickname"),
        };
        let is_this = |owner: &&Value| loose::id(&owner[id]).is_some_and(|found| found == self.id);
        posts
            .iter()
            .map(|post| &post[of])
            .filter(is_this)
            .find_map(|owner| loose::text(&owner[name]))
            .map(str::to_owned)
    }
}
