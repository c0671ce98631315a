//! The schema, one file per change, applied in order at the start.
//!
//! A migration spells its tables out and never imports the daemon's entities: an old migration must keep meaning what it
//! meant when it was written.

mod m20261120_000001_initial;
mod m20261120_000002_transcript_cache;
mod m20261120_000003_identities;
mod m20261120_000004_sources;
mod m20261120_000005_workflow_runs;
mod m20261120_000006_secrets;
mod m20261120_000007_schedules;
mod m20261120_000008_task_indexes;
mod m20261120_000009_task_media;
mod m20261120_000010_fires_told;
mod m20261120_000011_owners;
mod m20261120_000012_tokens;
mod m20261120_000013_results;
mod m20261120_000014_facades;
mod m20261120_000015_partial_uploads;
mod m20261120_000016_watched_files;
mod m20261120_000017_endpoints;
mod m20261120_000018_retention;
mod m20261120_000019_upload_files;
mod m20261120_000020_nodes;
mod m20261121_000021_servers;
mod m20261121_000022_deletions;
mod m20261121_000023_counts;

use sea_orm_migration::prelude::*;

/// Applies and reverts migrations.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261120_000001_initial::Migration),
            Box::new(m20261120_000002_transcript_cache::Migration),
            Box::new(m20261120_000003_identities::Migration),
            Box::new(m20261120_000004_sources::Migration),
            Box::new(m20261120_000005_workflow_runs::Migration),
            Box::new(m20261120_000006_secrets::Migration),
            Box::new(m20261120_000007_schedules::Migration),
            Box::new(m20261120_000008_task_indexes::Migration),
            Box::new(m20261120_000009_task_media::Migration),
            Box::new(m20261120_000010_fires_told::Migration),
            Box::new(m20261120_000011_owners::Migration),
            Box::new(m20261120_000012_tokens::Migration),
            Box::new(m20261120_000013_results::Migration),
            Box::new(m20261120_000014_facades::Migration),
            Box::new(m20261120_000015_partial_uploads::Migration),
            Box::new(m20261120_000016_watched_files::Migration),
            Box::new(m20261120_000017_endpoints::Migration),
            Box::new(m20261120_000018_retention::Migration),
            Box::new(m20261120_000019_upload_files::Migration),
            Box::new(m20261120_000020_nodes::Migration),
            Box::new(m20261121_000021_servers::Migration),
            Box::new(m20261121_000022_deletions::Migration),
            Box::new(m20261121_000023_counts::Migration),
        ]
    }
}
