//! Leases that are over, as everybody sees them.

use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

use super::{
    Store, Tx,
    entities::{delivery, event, step},
};
use crate::{domain::StepState, error::Result};

/// A lease that is over: it is another one when it was renewed, or the row was claimed again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lapsed {
    /// The step or delivery.
    pub id: String,
    /// The claim's token.
    pub token: i64,
    /// When the lease ended, in milliseconds since 1970.
    pub until: Option<i64>,
}

/// The leases that are over.
#[derive(Clone, Debug, Default)]
pub struct LapsedLeases {
    /// The database's time of the look, in milliseconds since 1970.
    pub now: i64,
    /// Those of steps.
    pub steps: Vec<Lapsed>,
    /// Those of deliveries.
    pub deliveries: Vec<Lapsed>,
}

impl Store {
    /// Looks for leases that are over.
    pub async fn lapsed(&self) -> Result<LapsedLeases> {
        use delivery::Column as D;
        use step::Column as S;
        let now = self.dialect.now(&self.read).await?;
        let steps = step::Entity::find()
            .select_only()
            .columns([S::Id, S::LeaseToken, S::LeaseUntil])
            .filter(S::State.eq(StepState::Running.as_str()))
            .filter(S::LeaseUntil.lt(now));
        let deliveries = delivery::Entity::find()
            .select_only()
            .columns([D::Id, D::LeaseToken, D::LeaseUntil])
            .filter(D::State.eq("sending"))
            .filter(D::LeaseUntil.lt(now));
        let lapsed = |(id, token, until): (String, i64, Option<i64>)| Lapsed { id, token, until };
        let steps: Vec<_> = steps.into_tuple().all(&self.read).await?;
        let deliveries: Vec<_> = deliveries.into_tuple().all(&self.read).await?;
        Ok(LapsedLeases {
            now,
            steps: steps.into_iter().map(lapsed).collect(),
            deliveries: deliveries.into_iter().map(lapsed).collect(),
        })
    }
}

impl Tx {
    /// By how many milliseconds the last event is ahead of the clock, which was put back since then.
    pub async fn put_back(&self) -> Result<i64> {
        use event::Column;
        let last = event::Entity::find().select_only().column(Column::CreatedAt).order_by_desc(Column::Id);
        let last: Option<i64> = last.into_tuple().one(&self.inner).await?;
        Ok(last.map_or(0, |at| Ord::max(at - self.now, 0)))
    }

    /// Brings forward what waits for its time by so many milliseconds: the clock was put back by as much. It may be done
    /// by several nodes; then another try comes earlier than planned.
    pub async fn bring_forward(&self, ms: i64) -> Result<()> {
        use delivery::Column as D;
        use step::Column as S;
        step::Entity::update_many()
            .col_expr(S::EligibleAt, Expr::col(S::EligibleAt).sub(ms))
            .filter(S::State.eq(StepState::Ready.as_str()))
            .filter(S::EligibleAt.gt(self.now))
            .exec(&self.inner)
            .await?;
        delivery::Entity::update_many()
            .col_expr(D::NextAt, Expr::col(D::NextAt).sub(ms))
            .filter(D::State.eq("pending"))
            .filter(D::NextAt.gt(self.now))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Gives a delivery back whose sender is gone, unless somebody was faster.
    pub async fn requeue_delivery(&self, lapsed: &Lapsed) -> Result<bool> {
        use delivery::Column;
        let done = delivery::Entity::update_many()
            .col_expr(Column::State, Expr::value("pending"))
            .col_expr(Column::NextAt, Expr::value(self.now))
            .filter(Column::Id.eq(&lapsed.id))
            .filter(Column::LeaseToken.eq(lapsed.token))
            .filter(Column::State.eq("sending"))
            .exec(&self.inner)
            .await?;
        Ok(done.rows_affected == 1)
    }
}
