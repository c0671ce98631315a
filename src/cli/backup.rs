//! `trawl backup`, `trawl restore`, and what retention would remove.

use std::path::Path;

use super::{print, write};
use crate::{
    backup::{self, Done},
    config::Config,
    domain::Span,
    error::Result,
    retention,
    store::Store,
};

/// Writes a backup.
pub(super) async fn backup(config: &Config, to: &Path, with_media: bool) -> Result<()> {
    let done = backup::write(config, to, with_media).await?;
    let without = if with_media { "" } else { " (only their list: --media copies them, too)" };
    told(
        &done,
        &format!("Written to {}", to.display()),
        without,
        "is not there, or is damaged: it is not in the backup",
    );
    Ok(())
}

/// Takes a backup back.
pub(super) async fn restore(config: &Config, from: &Path) -> Result<()> {
    let done = backup::restore(config, from).await?;
    told(
        &done,
        &format!("Restored into {}", config.paths.data.display()),
        "",
        "is not here: copy it, or fetch it again",
    );
    Ok(())
}

fn told(done: &Done, what: &str, without: &str, missing: &str) {
    let mib = done.database as f64 / f64::from(1 << 20);
    let (keys, media, copied) = (done.keys, done.media, done.copied);
    print(&format!("{what}: database ({mib:.1} MiB), {keys} keys, {copied} of {media} media files{without}."));
    for file in &done.missing {
        write(&mut std::io::stderr(), &format!("media/{file} {missing}\n"));
    }
}

/// Tells what would be removed now.
pub(super) async fn retention(config: &Config) -> Result<()> {
    let store = Store::look(&config.database_url()).await?;
    let gone = retention::look(&config.retention, &store).await?;
    let limits = &config.retention;
    let age = |span: Span| if span.0.is_zero() { "for ever".to_owned() } else { span.to_string() };
    let files = match limits.media_bytes {
        0 => age(limits.media),
        bytes => format!("{}, {bytes} bytes", age(limits.media)),
    };
    print(&format!("{:<14} {:<28} WOULD GO NOW", "WHAT", "STAYS"));
    print(&format!("{:<14} {:<28} {}", "tasks", age(limits.tasks), gone.tasks));
    print(&format!("{:<14} {files:<28} {} ({} bytes)", "media files", gone.files, gone.bytes));
    print(&format!("{:<14} {:<28} {}", "events", age(limits.events), gone.events));
    print(&format!("{:<14} {:<28} {}", "attempts", age(limits.attempts), gone.attempts + gone.alerts));
    Ok(())
}
