//! The receivers of callbacks.

use chrono::DateTime;
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{Context, Group};
use crate::{
    api::{
        body::JsonBody,
        cursor,
        sample::sample,
        words::{Time, Word},
    },
    domain::{DeliveryState, EndpointState},
    error::{Code, Error, Result},
    store::{EndpointFilter, StoredEndpoint},
};

/// Endpoints.
pub(in crate::api) struct Endpoints(pub(super) Context);

/// A page of endpoints. / 一页接收端。
#[derive(Debug, Object)]
#[oai(rename = "EndpointPage")]
struct PageView {
    /// The endpoints.
    items: Vec<EndpointView>,
    /// What to ask for next; null on the last page.
    #[oai(nullable)]
    next_cursor: Option<String>,
}

/// A receiver of callbacks. / 一个回调接收端。
#[derive(Debug, Object)]
#[oai(rename = "Endpoint")]
struct EndpointView {
    /// Its id.
    id: String,
    /// Scheme, host, port and path of the addresses that it stands for; they differ in their query only.
    url: String,
    /// `on`; or switched off: `gone` after a 410, `failed` after nothing but failures for `callbacks.off_after`, `off` by hand.
    state: Word<EndpointState>,
    /// Since when it is in this state.
    since: Time,
    /// Failures since it last took something.
    failures: i64,
    /// When the first of them was.
    #[oai(nullable)]
    failing_since: Option<Time>,
    /// When it last took something.
    #[oai(nullable)]
    last_success_at: Option<Time>,
    /// When it last did not.
    #[oai(nullable)]
    last_failure_at: Option<Time>,
    /// Callbacks that wait for their time.
    pending: u64,
    /// Callbacks on their way.
    sending: u64,
    /// Callbacks that wait until it is on again.
    held: u64,
    /// Callbacks that are tried no more.
    dead: u64,
}

/// What to change of an endpoint. / 要修改的接收端状态。
#[derive(Debug, Object)]
#[oai(example)]
struct EndpointChange {
    /// `on` or `off`.
    state: Word<EndpointState>,
}

sample!(EndpointChange, { "state": "on" });

fn default_limit() -> u64 {
    50
}

#[OpenApi(tag = "Group::Results")]
impl Endpoints {
    /// List receivers of callbacks
    ///
    /// Every address that was sent something, with how it fares.
    ///
    /// 列出回调接收端及其状况。
    #[oai(path = "/api/endpoints", method = "get", operation_id = "list_endpoints")]
    async fn list(
        &self,
        /// In this state.
        state: Query<Option<Word<EndpointState>>>,
        /// At most this many.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<u64>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> poem::Result<Json<PageView>> {
        let filter = EndpointFilter {
            state: state.0.map(|word| word.0),
            limit: limit.0,
            after: cursor.0.as_deref().map(cursor::decode_text).transpose()?,
        };
        let page = self.0.store().endpoints(&filter).await?;
        let mut items = Vec::with_capacity(page.endpoints.len());
        for endpoint in page.endpoints {
            items.push(self.0.counted(endpoint).await?);
        }
        Ok(Json(PageView { items, next_cursor: page.next.as_deref().map(cursor::encode_text) }))
    }

    /// Look at a receiver of callbacks
    ///
    /// How it fares, and how many callbacks wait for it.
    ///
    /// 查询一个回调接收端的状况。
    #[oai(path = "/api/endpoints/:id", method = "get", operation_id = "get_endpoint")]
    async fn get(
        &self,
        /// The endpoint's id.
        id: Path<String>,
    ) -> poem::Result<Json<EndpointView>> {
        Ok(Json(self.0.endpoint(&id.0).await?))
    }

    /// Switch a receiver of callbacks on or off
    ///
    /// Switched on, it is sent what was held for it; what is `dead` stays so until `POST /api/deliveries/redeliver`. Switched
    /// off, it is sent nothing: what becomes due is held.
    ///
    /// 启用或停用回调接收端；启用后发送此前扣留的回调。
    #[oai(path = "/api/endpoints/:id", method = "patch", operation_id = "change_endpoint")]
    async fn change(
        &self,
        /// The endpoint's id.
        id: Path<String>,
        body: JsonBody<EndpointChange>,
    ) -> poem::Result<Json<EndpointView>> {
        let on = match body.value.state.0 {
            EndpointState::On => true,
            EndpointState::Off => false,
            _ => {
                let error = Error::new(Code::InvalidValue, "Field \"state\": must be on or off").with_field("state");
                return Err(error.into());
            }
        };
        self.0.state.queue.switch_endpoint(&id.0, on).await?;
        Ok(Json(self.0.endpoint(&id.0).await?))
    }
}

impl Context {
    async fn endpoint(&self, id: &str) -> Result<EndpointView> {
        let none = || Error::new(Code::NotFound, format!("There is no endpoint \"{}\"", id.escape_debug()));
        self.counted(self.store().endpoint(id).await?.ok_or_else(none)?).await
    }

    async fn counted(&self, endpoint: StoredEndpoint) -> Result<EndpointView> {
        let count = async |state| self.store().deliveries_to(&endpoint.id, state).await;
        Ok(EndpointView {
            pending: count(DeliveryState::Pending).await?,
            sending: count(DeliveryState::Sending).await?,
            held: count(DeliveryState::Held).await?,
            dead: count(DeliveryState::Dead).await?,
            url: endpoint.address.clone(),
            state: Word(endpoint.health.state),
            since: Time(endpoint.since),
            failures: endpoint.health.failures,
            failing_since: endpoint.health.failing_since.and_then(DateTime::from_timestamp_millis).map(Time),
            last_success_at: endpoint.last_success_at.map(Time),
            last_failure_at: endpoint.last_failure_at.map(Time),
            id: endpoint.id,
        })
    }
}
