//! How rows are taken: the first free ones by their index, no row twice.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, ExprTrait, Iterable, QueryResult,
    sea_query::{
        Alias, Condition, Expr, LockBehavior, LockType, Order, Query, SelectStatement, UpdateStatement,
        extension::mysql::{IndexHintScope, MySqlSelectStatementExt},
    },
};

use super::Dialect;
use crate::{
    domain::StepState,
    store::{Claim, entities::step},
};

impl Dialect {
    /// Marks the first free rows of a lane as running and returns them whole.
    pub(in crate::store) async fn claim(
        self,
        on: &DatabaseTransaction,
        claim: &Claim<'_>,
        now: i64,
    ) -> Result<Vec<QueryResult>, DbErr> {
        use step::Column;
        let update = Query::update()
            .table(step::Entity)
            .value(Column::State, StepState::Running.as_str())
            .value(Column::Attempt, Expr::col(Column::Attempt).add(1))
            .value(Column::Progress, 0.0)
            .value(Column::LeaseToken, Expr::col(Column::LeaseToken).add(1))
            .value(Column::LeaseOwner, claim.owner)
            .value(Column::LeaseUntil, now + claim.lease_ms)
            .value(Column::CancelAt, Option::<i64>::None)
            .value(Column::StartedAt, now)
            .to_owned();
        self.take(on, self.free_steps(claim, now), update).await
    }

    /// The ids of the first free rows of a lane, as the database reads them.
    pub(in crate::store) fn free_steps(self, claim: &Claim<'_>, now: i64) -> SelectStatement {
        use step::Column;
        let mut kinds = Condition::any().add(Column::Kind.is_not_in(claim.skip_kinds.iter().map(|kind| kind.as_str())));
        if claim.spare_urgent {
            kinds = kinds.add(Column::Level.eq(0));
        }
        let mut free = Query::select();
        free.column(Column::Id)
            .from(step::Entity)
            .and_where(Column::Lane.eq(claim.lane.as_str()))
            .and_where(Column::State.eq(StepState::Ready.as_str()))
            .and_where(Column::EligibleAt.lte(now))
            .cond_where(kinds)
            .order_by(Column::SortKey, Order::Asc)
            .order_by(Column::Id, Order::Asc)
            .limit(claim.limit as u64);
        if claim.urgent {
            free.and_where(Column::Level.eq(0)).and_where(Column::Crashes.eq(0));
        }
        self.skip_locked(free)
    }

    /// Rows that another worker is just taking are left to it. MySQL without the very index locks every row that it looks
    /// at, and whoever comes second gets none.
    fn skip_locked(self, mut free: SelectStatement) -> SelectStatement {
        match self {
            Self::Sqlite => free,
            Self::Postgres => free.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked).to_owned(),
            Self::MySql => free
                .force_index(Alias::new("steps_claim"), IndexHintScope::All)
                .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
                .to_owned(),
        }
    }

    /// Changes the rows that `free` finds and returns them.
    async fn take(
        self,
        on: &DatabaseTransaction,
        free: SelectStatement,
        mut update: UpdateStatement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        use step::Column;
        if self == Self::Sqlite {
            update.and_where(Column::Id.in_subquery(free)).returning(Query::returning().all());
            return on.query_all(&update).await;
        }
        let mut ids: Vec<String> = Vec::new();
        for row in on.query_all(&free).await? {
            ids.push(row.try_get_by_index(0)?);
        }
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        update.and_where(Column::Id.is_in(ids.clone()));
        if self == Self::Postgres {
            return on.query_all(update.returning(Query::returning().all())).await;
        }
        on.execute(&update).await?;
        let mut taken = Query::select();
        taken.columns(Column::iter()).from(step::Entity).and_where(Column::Id.is_in(ids));
        on.query_all(&taken).await
    }
}
