//! The log: lines on stderr.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::{
    config::{LogConfig, LogFormat},
    error::{Code, Error, Result},
};

/// Starts the log of this process.
pub(super) fn start(config: &LogConfig) -> Result<()> {
    let filter = EnvFilter::try_new(&config.level).map_err(|error| {
        Error::new(Code::Config, "`log.level` must be a level such as info, or a filter").with_source(error)
    })?;
    // These speak of every frame and statement at info, and at debug repeat what was fetched: a page that only this
    // machine can reach must not be readable in its log.
    let filter = [
        "sqlx=warn",
        "sea_orm_migration=warn",
        "poem=warn",
        "hyper=warn",
        "hyper_util=warn",
        "h2=warn",
        "html5ever=warn",
        "selectors=warn",
        "tokio_cron_scheduler=warn",
        // These speak of what a file holds, at warn, as often as the file wants it.
        "symphonia=off",
        // It repeats what models say even at error; what goes wrong is told by the step.
        "async_openai=off",
    ]
    .iter()
    .filter_map(|directive| directive.parse().ok())
    .fold(filter, EnvFilter::add_directive);
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => log.with_target(false).with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}
