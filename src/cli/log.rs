//! The log: lines on stderr, or in files of which the old ones go away.

use std::{fs::File, io::IsTerminal, os::unix::fs::OpenOptionsExt, sync::Mutex};

use logroller::{LogRoller, LogRollerBuilder, Rotation, RotationAge, RotationSize, TimeZone};
use tracing_subscriber::{EnvFilter, fmt::writer::BoxMakeWriter};

use crate::{
    config::{LogConfig, LogFormat, LogRotation},
    error::{Code, Error, Result},
};

/// Lines hold links and titles, which are not everybody's on this machine.
const MODE: u32 = 0o640;

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
    let is_file = !config.file.as_os_str().is_empty();
    let colours = !is_file && std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer(config)?);
    match config.format {
        LogFormat::Text => log.with_target(false).with_ansi(colours).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

/// Where lines go.
fn writer(config: &LogConfig) -> Result<BoxMakeWriter> {
    if config.file.as_os_str().is_empty() {
        return Ok(BoxMakeWriter::new(std::io::stderr));
    }
    let wrong = |error: &(dyn std::error::Error + 'static)| {
        Error::new(Code::Config, format!("The log file {} cannot be written", config.file.display()))
            .with_hint("Check `log.file`: its folder must be one that trawl may write to.")
            .with_source(error.to_string())
    };
    if let Some(folder) = config.file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| wrong(&error))?;
    }
    Ok(match config.rotate {
        LogRotation::Never => {
            let file = File::options().append(true).create(true).mode(MODE).open(&config.file);
            let file = file.map_err(|error| wrong(&error))?;
            BoxMakeWriter::new(Mutex::new(file))
        }
        LogRotation::Daily => {
            let files = roller(config, Rotation::AgeBased(RotationAge::Daily)).map_err(|error| wrong(&error))?;
            BoxMakeWriter::new(Mutex::new(files))
        }
        LogRotation::Size => {
            let size = Rotation::SizeBased(RotationSize::Bytes(config.max_bytes));
            BoxMakeWriter::new(Mutex::new(roller(config, size).map_err(|error| wrong(&error))?))
        }
    })
}

fn roller(config: &LogConfig, rotation: Rotation) -> Result<LogRoller, logroller::LogRollerError> {
    let folder = config.file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let name = config.file.file_name().unwrap_or(config.file.as_os_str());
    LogRollerBuilder::new(folder.unwrap_or(std::path::Path::new(".")), std::path::Path::new(name))
        .rotation(rotation)
        .time_zone(TimeZone::UTC)
        .max_keep_files(config.keep)
        .file_mode(MODE)
        .graceful_shutdown(true)
        .build()
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, io::Write, path::Path};

    use super::*;
    use crate::config::Config;

    fn config(file: &Path, rotate: LogRotation) -> LogConfig {
        LogConfig { file: file.to_owned(), rotate, max_bytes: 4096, keep: 2, ..Config::defaults().log }
    }

    fn files(folder: &Path) -> BTreeMap<String, u64> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len())).collect()
    }

    #[test]
    fn full_files_are_put_aside_and_old_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder.path().join("trawl.log"), LogRotation::Size);
        let mut log = roller(&config, Rotation::SizeBased(RotationSize::Bytes(config.max_bytes))).unwrap();
        let line = [b'x'; 1000];
        for _ in 0..40 {
            log.write_all(&line).unwrap();
        }
        drop(log);
        let files = files(folder.path());
        assert_eq!(files.keys().collect::<Vec<_>>(), ["trawl.log", "trawl.log.1", "trawl.log.2"], "{files:?}");
        assert!(files.values().all(|size| *size <= config.max_bytes), "{files:?}");
    }

    #[test]
    fn a_log_goes_on_where_it_was() {
        for rotate in [LogRotation::Daily, LogRotation::Size, LogRotation::Never] {
            let folder = tempfile::tempdir().unwrap();
            let config = config(&folder.path().join("logs/trawl.log"), rotate);
            for _ in 0..2 {
                use tracing_subscriber::fmt::MakeWriter;
                writer(&config).unwrap().make_writer().write_all(b"a line\n").unwrap();
            }
            let files = files(&folder.path().join("logs"));
            assert_eq!(files.values().sum::<u64>(), 14, "{files:?}");
            assert!(files.keys().all(|name| name.starts_with("trawl.log")), "{files:?}");
        }
    }

    #[test]
    fn a_log_that_cannot_be_written_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let config = config(&folder.path().join("file/trawl.log"), LogRotation::Daily);
        assert_eq!(writer(&config).err().map(|error| error.code), Some(Code::Config));
    }
}
