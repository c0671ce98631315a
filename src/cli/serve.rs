//! `trawl serve`.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{app::App, config::Config, error::Result};

/// Runs the daemon until SIGTERM or SIGINT; a second one cuts the drain short.
pub(super) async fn serve(config: Config) -> Result<()> {
    let program = std::env::current_exe()?;
    // Shells and systemd give 1,024 where they may give more; every connection is one.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let app = App::open(config, program).await?;
    let (listener, _) = app.listen().await?;
    let (shutdown, now) = (CancellationToken::new(), CancellationToken::new());
    let (first, second) = (shutdown.clone(), now.clone());
    let signals = tokio::spawn(async move {
        either(&mut term, &mut interrupt).await;
        first.cancel();
        either(&mut term, &mut interrupt).await;
        second.cancel();
    });
    let result = app.run(Some(listener), shutdown, now).await;
    signals.abort();
    result
}

async fn either(term: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
}
