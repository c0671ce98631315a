//! Sources: lists that are followed.

use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{
    Context, Group,
    source_views::{PolledView, SourceItemList, SourceList, SourceView},
    source_wishes::{NewSource, SourceChange},
};
use crate::{
    api::{body::JsonBody, cursor, words::Word},
    domain::{Source, SourceId, SourceState},
    error::Result,
};

/// Sources.
pub(in crate::api) struct Sources(pub(super) Context);

/// A source that is followed from now on.
#[derive(ApiResponse)]
enum Followed {
    /// The list is followed; the first poll has been made. / 已开始跟踪，并完成首次检查。
    #[oai(status = 201)]
    Source(
        Json<PolledView>,
        /// The source's path.
        #[oai(header = "Location")]
        String,
    ),
}

/// A source that is gone.
#[derive(ApiResponse)]
enum Forgotten {
    /// The source and the list of posts seen in it are gone. / 订阅源及其已见条目已删除。
    #[oai(status = 204)]
    Done,
}

fn default_limit() -> u64 {
    50
}

#[OpenApi(tag = "Group::Sources")]
impl Sources {
    /// Follow a list
    ///
    /// An account, a playlist or a feed. Looks at it once before the answer; a link that cannot be listed is refused, and one
    /// that is followed already is a conflict which names the source. Later polls come from `POST /api/sources/{id}/run` and
    /// from schedules.
    ///
    /// 跟踪账号、播放列表或订阅；会立即检查一次。无法列出的链接会被拒绝，已跟踪的返回冲突。
    #[oai(path = "/api/sources", method = "post", operation_id = "create_source")]
    async fn create(&self, body: JsonBody<NewSource>) -> poem::Result<Followed> {
        let (source, polled) = self.0.state.follow.create(body.value.start()?).await?;
        let path = format!("{}/api/sources/{}", self.0.base(), source.id);
        let view = PolledView { source: self.0.source_view(source).await?, poll: polled.into() };
        Ok(Followed::Source(Json(view), path))
    }

    /// List sources
    ///
    /// The newest first.
    ///
    /// 列出订阅源，最新的在前。
    #[oai(path = "/api/sources", method = "get", operation_id = "list_sources")]
    async fn list(
        &self,
        /// In this state.
        state: Query<Option<Word<SourceState>>>,
        /// At most this many.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<u64>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> poem::Result<Json<SourceList>> {
        let before = cursor.0.as_deref().map(cursor::decode).transpose()?.map(SourceId);
        let page = self.0.store().sources(state.0.map(|word| word.0), limit.0, before).await?;
        Ok(Json(SourceList {
            items: page.sources.into_iter().map(|(source, items)| SourceView::new(source, items)).collect(),
            next_cursor: page.next.map(|id| cursor::encode(id.0)),
            total: page.total,
        }))
    }

    /// Look at a source
    ///
    /// How it is polled, what is done with new posts, and how the last poll ended.
    ///
    /// 查看订阅源的设置与最近一次检查的情况。
    #[oai(path = "/api/sources/:id", method = "get", operation_id = "get_source")]
    async fn get(
        &self,
        /// The source.
        id: Path<i64>,
    ) -> poem::Result<Json<SourceView>> {
        let source = self.0.state.follow.source(SourceId(id.0)).await?;
        Ok(Json(self.0.source_view(source).await?))
    }

    /// Change a source
    ///
    /// Pauses or resumes it, or changes what is done with new posts from the next poll on. What is left out stays.
    ///
    /// 暂停、恢复或修改订阅源；省略的字段保持不变，下次检查起生效。
    #[oai(path = "/api/sources/:id", method = "patch", operation_id = "change_source")]
    async fn change(
        &self,
        /// The source.
        id: Path<i64>,
        body: JsonBody<SourceChange>,
    ) -> poem::Result<Json<SourceView>> {
        let source = self.0.state.follow.change(SourceId(id.0), body.value.applier()?).await?;
        Ok(Json(self.0.source_view(source).await?))
    }

    /// Stop following a list
    ///
    /// Which posts were seen is forgotten with it; the tasks that were made of them stay.
    ///
    /// 停止跟踪；已见条目的记录一并删除，已创建的任务保留。
    #[oai(path = "/api/sources/:id", method = "delete", operation_id = "delete_source")]
    async fn delete(
        &self,
        /// The source.
        id: Path<i64>,
    ) -> poem::Result<Forgotten> {
        self.0.state.follow.delete(SourceId(id.0)).await?;
        Ok(Forgotten::Done)
    }

    /// Poll a source
    ///
    /// Looks at it now, paused or not, and makes tasks of what is new. How the site answers is told in `poll.error`; a poll
    /// while another one of the same source runs is a conflict.
    ///
    /// 立即检查订阅源（暂停的也可以），为新条目创建任务；正在检查时返回冲突。
    #[oai(path = "/api/sources/:id/run", method = "post", operation_id = "run_source")]
    async fn run(
        &self,
        /// The source.
        id: Path<i64>,
    ) -> poem::Result<Json<PolledView>> {
        let id = SourceId(id.0);
        let polled = self.0.state.follow.poll(id).await?;
        let source = self.0.state.follow.source(id).await?;
        Ok(Json(PolledView { source: self.0.source_view(source).await?, poll: polled.into() }))
    }

    /// List a source's posts
    ///
    /// Every post seen in it, those seen last first, with the task that was made of each. Posts stay when their tasks are
    /// deleted.
    ///
    /// 列出订阅源中见过的条目及其任务，最近见到的在前；任务删除后条目仍保留。
    #[oai(path = "/api/sources/:id/items", method = "get", operation_id = "source_items")]
    async fn items(
        &self,
        /// The source.
        id: Path<i64>,
        /// At most this many.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<u64>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> poem::Result<Json<SourceItemList>> {
        let before = cursor.0.as_deref().map(cursor::decode).transpose()?;
        let source = self.0.state.follow.source(SourceId(id.0)).await?;
        let page = self.0.store().source_items(source.id, limit.0, before).await?;
        Ok(Json(SourceItemList {
            items: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(cursor::encode),
            total: page.total,
        }))
    }
}

impl Context {
    async fn source_view(&self, source: Source) -> Result<SourceView> {
        let items = self.store().count_items(source.id).await?;
        Ok(SourceView::new(source, items))
    }
}
