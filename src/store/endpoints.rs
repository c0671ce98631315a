//! Receivers of callbacks, as they fare.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, Query, SelectStatement},
};

use super::{
    Store, Tx, date,
    entities::{
        delivery,
        endpoint::{ActiveModel, Column, Entity, Model},
    },
};
use crate::{
    domain::{DeliveryState, Endpoint, EndpointHealth, EndpointState, Heard},
    error::{Error, Result},
};

/// States in which an endpoint is sent nothing.
const OFF: [EndpointState; 3] = [EndpointState::Gone, EndpointState::Failed, EndpointState::Off];

/// So many deliveries of an older schema are given their endpoint at once.
const AT_ONCE: u64 = 500;

/// An endpoint as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredEndpoint {
    /// Its id.
    pub id: String,
    /// Scheme, host, port and path.
    pub address: String,
    /// How it fares.
    pub health: EndpointHealth,
    /// Since when it is in its state.
    pub since: DateTime<Utc>,
    /// When it last took something.
    pub last_success_at: Option<DateTime<Utc>>,
    /// When it last did not.
    pub last_failure_at: Option<DateTime<Utc>>,
}

/// Which endpoints to list.
#[derive(Clone, Debug, Default)]
pub struct EndpointFilter {
    /// In this state.
    pub state: Option<EndpointState>,
    /// At most this many.
    pub limit: u64,
    /// Only those after the one with this id: the last one of the page before.
    pub after: Option<String>,
}

/// One page of endpoints.
#[derive(Clone, Debug)]
pub struct EndpointPage {
    /// The endpoints, in the order of their ids.
    pub endpoints: Vec<StoredEndpoint>,
    /// What to ask for next.
    pub next: Option<String>,
}

impl Tx {
    /// Notes what an attempt says of the endpoint that a URL leads to, and what it was before and is now. After
    /// `patience_ms` of failures alone it is switched off.
    pub async fn note_endpoint(
        &self,
        url: &str,
        heard: Heard,
        patience_ms: i64,
    ) -> Result<(Endpoint, [EndpointState; 2])> {
        let endpoint = Endpoint::of(url);
        let known = Entity::find_by_id(&endpoint.id).one(&self.inner).await?;
        let before = known.as_ref().map_or(Ok(EndpointHealth::NEW), health)?;
        let after = before.after(heard, self.now, patience_ms);
        let is_well = heard == Heard::Taken;
        let seen = Some(self.now);
        let row = ActiveModel {
            id: Set(endpoint.id.clone()),
            address: Set(endpoint.address.clone()),
            state: Set(after.state.as_str().to_owned()),
            since: Set(known.as_ref().filter(|_| after.state == before.state).map_or(self.now, |row| row.since)),
            failures: Set(after.failures),
            failing_since: Set(after.failing_since),
            last_success_at: Set(if is_well { seen } else { known.as_ref().and_then(|row| row.last_success_at) }),
            last_failure_at: Set(if is_well { known.as_ref().and_then(|row| row.last_failure_at) } else { seen }),
        };
        if known.is_some() {
            row.update(&self.inner).await?;
        } else {
            Entity::insert(row).exec_without_returning(&self.inner).await?;
        }
        Ok((endpoint, [before.state, after.state]))
    }

    /// Switches an endpoint on, with nothing held against it, or off; false when it is not known.
    pub async fn switch_endpoint(&self, id: &str, state: EndpointState) -> Result<bool> {
        let update = Entity::update_many()
            .col_expr(Column::State, Expr::value(state.as_str()))
            .col_expr(Column::Since, Expr::value(self.now));
        let update = match state {
            EndpointState::On => update
                .col_expr(Column::Failures, Expr::value(0_i64))
                .col_expr(Column::FailingSince, Expr::value(Option::<i64>::None)),
            _ => update,
        };
        let changed =
            update.filter(Column::Id.eq(id)).filter(Column::State.ne(state.as_str())).exec(&self.inner).await?;
        Ok(changed.rows_affected > 0 || Entity::find_by_id(id).one(&self.inner).await?.is_some())
    }

    /// Forgets endpoints that are on and to which nothing was sent that is still known.
    pub async fn forget_endpoints(&self) -> Result<u64> {
        let own = (delivery::Entity, delivery::Column::Endpoint);
        let sent = Query::select()
            .expr(Expr::val(1))
            .from(delivery::Entity)
            .and_where(Expr::col(own).equals((Entity, Column::Id)))
            .to_owned();
        let idle = Entity::delete_many().filter(Column::State.eq(EndpointState::On.as_str()));
        Ok(idle.filter(Expr::exists(sent).not()).exec(&self.inner).await?.rows_affected)
    }

    /// Gives the deliveries of an older schema their endpoints.
    pub(super) async fn fill_endpoints(&self) -> Result<()> {
        use delivery::Column;
        loop {
            let rows: Vec<(String, String)> = delivery::Entity::find()
                .select_only()
                .columns([Column::Id, Column::Url])
                .filter(Column::Endpoint.eq(""))
                .limit(AT_ONCE)
                .into_tuple()
                .all(&self.inner)
                .await?;
            if rows.is_empty() {
                return Ok(());
            }
            for (id, url) in rows {
                let update = delivery::Entity::update_many();
                let update = update.col_expr(Column::Endpoint, Expr::value(Endpoint::of(&url).id));
                update.filter(Column::Id.eq(id)).exec(&self.inner).await?;
            }
        }
    }
}

impl Store {
    /// One endpoint.
    pub async fn endpoint(&self, id: &str) -> Result<Option<StoredEndpoint>> {
        Entity::find_by_id(id).one(&self.read).await?.map(TryInto::try_into).transpose()
    }

    /// A page of endpoints.
    pub async fn endpoints(&self, filter: &EndpointFilter) -> Result<EndpointPage> {
        let mut rows = Entity::find()
            .apply_if(filter.state, |query, state| query.filter(Column::State.eq(state.as_str())))
            .apply_if(filter.after.as_ref(), |query, after| query.filter(Column::Id.gt(after)))
            .order_by_asc(Column::Id)
            .limit(filter.limit + 1)
            .all(&self.read)
            .await?;
        let more = rows.len() as u64 > filter.limit;
        rows.truncate(usize::try_from(filter.limit).unwrap_or(usize::MAX));
        let next = rows.last().filter(|_| more).map(|row| row.id.clone());
        let endpoints = rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?;
        Ok(EndpointPage { endpoints, next })
    }

    /// How many deliveries to an endpoint are in a state.
    pub async fn deliveries_to(&self, endpoint: &str, state: DeliveryState) -> Result<u64> {
        use delivery::Column;
        let rows = delivery::Entity::find().filter(Column::Endpoint.eq(endpoint));
        Ok(rows.filter(Column::State.eq(state.as_str())).count(&self.read).await?)
    }
}

/// The ids of the endpoints that are switched off.
pub(super) fn switched_off() -> SelectStatement {
    let off = Entity::find().select_only().column(Column::Id);
    off.filter(Column::State.is_in(OFF.map(EndpointState::as_str))).into_query()
}

fn health(row: &Model) -> Result<EndpointHealth> {
    let Model { state, failures, failing_since, .. } = row;
    Ok(EndpointHealth { state: state.parse()?, failures: *failures, failing_since: *failing_since })
}

impl TryFrom<Model> for StoredEndpoint {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            health: health(&row)?,
            id: row.id,
            address: row.address,
            since: date(row.since),
            last_success_at: row.last_success_at.map(date),
            last_failure_at: row.last_failure_at.map(date),
        })
    }
}
