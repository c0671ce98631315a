//! Schedules: what starts again and again.

use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{
    Context, Group,
    schedule_views::{FireList, FireView, PreviewView, ScheduleList, ScheduleView},
    schedule_wishes::{NewSchedule, Preview, ScheduleChange},
};
use crate::{
    api::{body::JsonBody, cursor, words::Word},
    domain::{ScheduleId, ScheduleState, SourceId},
    schedule::Scheduler,
    store::ScheduleFilter,
};

/// Schedules.
pub(in crate::api) struct Schedules(pub(super) Context);

/// A schedule that fires from now on.
#[derive(ApiResponse)]
enum Made {
    /// The schedule is stored. / 定时计划已保存。
    #[oai(status = 201)]
    Schedule(
        Json<ScheduleView>,
        /// The schedule's path.
        #[oai(header = "Location")]
        String,
    ),
}

/// A schedule that is gone.
#[derive(ApiResponse)]
enum Removed {
    /// The schedule and the list of its fires are gone. / 定时计划及其触发记录已删除。
    #[oai(status = 204)]
    Done,
}

/// A fire by hand.
#[derive(ApiResponse)]
enum Fired {
    /// The fire is under way, or has failed at once: see its `state`. / 已触发；结果见 `state`。
    #[oai(status = 202)]
    Fire(Json<FireView>),
}

fn default_limit() -> u64 {
    50
}

#[OpenApi(tag = "Group::Schedules")]
impl Schedules {
    /// Make a schedule
    ///
    /// Starts a workflow, or polls a source, at the times of a cron pattern. Each time fires once, also over restarts and
    /// where clocks are changed: a pattern with `*` for its hours follows the time that passes; in every other one, a time
    /// that comes twice fires once, and one that is left out fires when the clock is changed. What could not run (an unknown
    /// zone, a missing parameter, a day that never comes) is refused.
    ///
    /// 按 cron 表达式定时启动工作流或检查订阅源；每个时间点只触发一次，重启与夏令时切换也不例外。无法执行的计划会被拒绝。
    #[oai(path = "/api/schedules", method = "post", operation_id = "create_schedule")]
    async fn create(&self, body: JsonBody<NewSchedule>) -> poem::Result<Made> {
        let schedule = self.0.state.scheduler.create(body.value.schedule()?).await?;
        let path = format!("{}/api/schedules/{}", self.0.base(), schedule.id);
        Ok(Made::Schedule(Json(schedule.into()), path))
    }

    /// List schedules
    ///
    /// The newest first, those of workflow definitions among them.
    ///
    /// 列出定时计划（含工作流定义中的），最新的在前。
    #[oai(path = "/api/schedules", method = "get", operation_id = "list_schedules")]
    async fn list(
        &self,
        /// In this state.
        state: Query<Option<Word<ScheduleState>>>,
        /// Of this workflow.
        workflow: Query<Option<String>>,
        /// Over this source.
        source_id: Query<Option<i64>>,
        /// At most this many.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<u64>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> poem::Result<Json<ScheduleList>> {
        let filter = ScheduleFilter {
            state: state.0.map(|word| word.0),
            workflow: workflow.0,
            source: source_id.0.map(SourceId),
            limit: limit.0,
            before: cursor.0.as_deref().map(cursor::decode).transpose()?.map(ScheduleId),
        };
        let page = self.0.store().schedules(&filter).await?;
        Ok(Json(ScheduleList {
            items: page.schedules.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(|id| cursor::encode(id.0)),
            total: page.total,
        }))
    }

    /// Preview times
    ///
    /// When a pattern fires next; nothing is stored.
    ///
    /// 预览表达式接下来的触发时间，不保存任何内容。
    #[oai(path = "/api/schedules/preview", method = "post", operation_id = "preview_schedule")]
    async fn preview(&self, body: JsonBody<Preview>) -> poem::Result<Json<PreviewView>> {
        let Preview { cron, tz, count } = body.value;
        let count = usize::try_from(count.unwrap_or(5)).unwrap_or(5);
        let now = chrono::Utc::now().timestamp_millis();
        let times = Scheduler::preview(&cron, tz.as_deref().unwrap_or("UTC"), now, count)?;
        Ok(Json(times.into()))
    }

    /// Look at a schedule
    ///
    /// What it starts, when it fires next, and how often it failed.
    ///
    /// 查看定时计划：启动什么、接下来何时触发、连续失败次数。
    #[oai(path = "/api/schedules/:id", method = "get", operation_id = "get_schedule")]
    async fn get(
        &self,
        /// The schedule.
        id: Path<i64>,
    ) -> poem::Result<Json<ScheduleView>> {
        Ok(Json(self.0.state.scheduler.schedule(ScheduleId(id.0)).await?.into()))
    }

    /// Change a schedule
    ///
    /// Pauses it, resumes it or changes what it does. What is left out stays. Times that pass while it is paused are not
    /// made up for. A schedule of a workflow's definition can be paused here and get alerts; everything else stands there.
    ///
    /// 暂停、恢复或修改定时计划；省略的字段保持不变，暂停期间的时间点不会补触发。
    #[oai(path = "/api/schedules/:id", method = "patch", operation_id = "change_schedule")]
    async fn change(
        &self,
        /// The schedule.
        id: Path<i64>,
        body: JsonBody<ScheduleChange>,
    ) -> poem::Result<Json<ScheduleView>> {
        Ok(Json(self.0.state.scheduler.change(ScheduleId(id.0), body.value.applier()?).await?.into()))
    }

    /// Delete a schedule
    ///
    /// The list of its fires goes with it; the tasks that it made stay.
    ///
    /// 删除定时计划及其触发记录；已创建的任务保留。
    #[oai(path = "/api/schedules/:id", method = "delete", operation_id = "delete_schedule")]
    async fn delete(
        &self,
        /// The schedule.
        id: Path<i64>,
    ) -> poem::Result<Removed> {
        self.0.state.scheduler.delete(ScheduleId(id.0)).await?;
        Ok(Removed::Done)
    }

    /// Fire a schedule now
    ///
    /// Whether or not it is paused or the fire before has ended. The time table goes on as it was.
    ///
    /// 立即触发一次（暂停中也可以），不影响原有时间表。
    #[oai(path = "/api/schedules/:id/run", method = "post", operation_id = "run_schedule")]
    async fn run(
        &self,
        /// The schedule.
        id: Path<i64>,
    ) -> poem::Result<Fired> {
        Ok(Fired::Fire(Json(self.0.state.scheduler.run_now(ScheduleId(id.0)).await?.into())))
    }

    /// List a schedule's fires
    ///
    /// Every time it fired, was passed over or missed, with what came of it; those written last first. They are kept for
    /// 90 days.
    ///
    /// 列出触发记录及其结果，最近的在前；保留 90 天。
    #[oai(path = "/api/schedules/:id/fires", method = "get", operation_id = "schedule_fires")]
    async fn fires(
        &self,
        /// The schedule.
        id: Path<i64>,
        /// At most this many.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<u64>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> poem::Result<Json<FireList>> {
        let before = cursor.0.as_deref().map(cursor::decode).transpose()?;
        let schedule = self.0.state.scheduler.schedule(ScheduleId(id.0)).await?;
        let page = self.0.store().fires(schedule.id, limit.0, before).await?;
        Ok(Json(FireList {
            items: page.fires.into_iter().map(Into::into).collect(),
            next_cursor: page.next.map(cursor::encode),
            total: page.total,
        }))
    }
}
