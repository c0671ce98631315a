//! What is counted and measured, for Prometheus.

use poem::{IntoResponse, Response};
use poem_openapi::{
    ApiResponse, OpenApi,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

use super::{Context, Group};
use crate::{
    error::Result,
    metrics::{EngineLoad, Snapshot},
};

/// Metrics.
pub(in crate::api) struct Metrics(pub(super) Context);

/// A scrape.
struct Scrape(String);

#[OpenApi(tag = "Group::System")]
impl Metrics {
    /// Metrics for Prometheus
    ///
    /// OpenMetrics text: requests by route, steps by lane and outcome, engines, downloads, deliveries, language models,
    /// tasks by status, and what the process takes. Counters are of this process since its start. No series is of one
    /// task, link or person, so their number does not grow with use.
    ///
    /// 供 Prometheus 抓取的指标（OpenMetrics 文本）：请求、步骤、引擎、下载、回调、语言模型、任务数与进程资源；
    /// 标签中不含任务编号、链接等无界的值。
    #[oai(path = "/metrics", method = "get", operation_id = "metrics")]
    async fn metrics(&self) -> poem::Result<Scrape> {
        Ok(Scrape(self.0.snapshot().await?.text()))
    }
}

impl Context {
    async fn snapshot(&self) -> Result<Snapshot> {
        let load = self.store().load().await?;
        let engines = self.state.pool.status().into_iter().map(|engine| EngineLoad {
            device: engine.device,
            slots: engine.slots,
            busy: engine.busy,
            restarts: engine.restarts,
            rss: engine.rss.unwrap_or_default(),
        });
        Ok(Snapshot {
            tasks: load.tasks.iter().map(|(status, count)| (status.as_str(), *count)).collect(),
            steps: load.steps.iter().map(|(lane, state, count)| (lane.as_str(), state.as_str(), *count)).collect(),
            deliveries: load.deliveries,
            nodes: self.node_counts().await?,
            engines: engines.collect(),
        })
    }
}

impl IntoResponse for Scrape {
    fn into_response(self) -> Response {
        Response::builder().content_type(Snapshot::CONTENT_TYPE).body(self.0)
    }
}

impl ApiResponse for Scrape {
    fn meta() -> MetaResponses {
        let response = MetaResponse {
            description: "The metrics. / 指标。",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType {
                content_type: "application/openmetrics-text",
                schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
            }],
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}
