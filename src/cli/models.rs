//! `trawl models`.

use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use super::{ModelsCommand, complain, print};
use crate::{
    app::{NetFetch, open_models},
    config::Config,
    error::{Code, Error, Result},
    transcribe::{Models, models::Verdict},
};

/// Does what was asked.
pub(super) async fn run(config: &Config, command: ModelsCommand) -> Result<()> {
    let (models, _) = open_models(config).await?;
    match command {
        ModelsCommand::List => list(&models),
        ModelsCommand::Pull { names } => pull_all(&models, &NetFetch::new(config)?, &names).await?,
        ModelsCommand::Verify { names } => verify(&models, names)?,
        ModelsCommand::Remove { names } => {
            for name in names {
                models.remove(&name)?;
                print(&format!("{name}: removed"));
            }
        }
    }
    Ok(())
}

fn list(models: &Models) {
    print(&format!("{:<22} {:>9}  {:<8} NOTES", "NAME", "MIB", "HERE"));
    for model in models.list() {
        let mut notes = Vec::new();
        if model.default {
            notes.push("default".to_owned());
        }
        if !model.aliases.is_empty() {
            notes.push(format!("also {}", model.aliases.join(", ")));
        }
        notes.extend(model.problem);
        let here = if model.present { "yes" } else { "-" };
        if !model.present && models.started(&model.name) > 0 {
            notes.push(format!("{:.1} MIB of it are here: pull it to go on", mib(models.started(&model.name))));
        }
        let size = model.size.map_or_else(|| "-".to_owned(), |size| format!("{:.1}", mib(size)));
        print(format!("{:<22} {size:>9}  {here:<8} {}", model.name, notes.join("; ")).trim_end());
    }
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Downloads models one after the other; one that fails is told, and the others are downloaded all the same.
async fn pull_all(models: &Models, fetch: &NetFetch, names: &[String]) -> Result<()> {
    let mut failed: Option<Error> = None;
    for name in names {
        let pulled = async {
            let name = models.name(Some(name))?;
            let before = models.started(&name);
            pull(models, fetch, &name).await?;
            print(&match before {
                0 => format!("{name}: here"),
                before => format!("{name}: here; {:.1} MIB of it were there before", mib(before)),
            });
            Ok::<_, Error>(())
        };
        if let Err(error) = pulled.await {
            // No room for this one is no room for the next; and an interrupt is meant for all.
            let ends = matches!(error.code, Code::InsufficientStorage | Code::Cancelled);
            if let Some(earlier) = failed.replace(error) {
                complain(&earlier);
            }
            if ends {
                break;
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Downloads a model with a progress bar on stderr.
pub(super) async fn pull(models: &Models, fetch: &NetFetch, name: &str) -> Result<()> {
    let bar = ProgressBar::no_length().with_message(name.to_owned()).with_position(models.started(name));
    bar.set_style(
        ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let shown = bar.clone();
    let progress = move |done: u64, total: Option<u64>| {
        if let Some(total) = total {
            shown.set_length(total);
        }
        shown.set_position(done);
    };
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    let interrupt = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    let pulled = models.pull(name, fetch, &progress, &cancel).await;
    interrupt.abort();
    bar.finish_and_clear();
    pulled.map(drop)
}

fn verify(models: &Models, mut names: Vec<String>) -> Result<()> {
    if names.is_empty() {
        names = models.list().into_iter().filter(|model| model.present).map(|model| model.name).collect();
    }
    if names.is_empty() {
        print("No model files are here.");
    }
    let mut broken = 0;
    for name in names {
        match models.verify(&name) {
            Ok(Verdict::Official) => print(&format!("{name}: ok, the official file")),
            Ok(Verdict::UnknownButValid { sha1 }) => {
                print(&format!("{name}: well formed; SHA-1 {sha1}, no official one known"))
            }
            Err(error) => {
                broken += 1;
                print(&format!("{name}: {} [{}]", error.detail, error.code.as_str()));
            }
        }
    }
    if broken > 0 {
        Err(Error::new(
            Code::ModelInvalid,
            match broken {
                1 => "One model file is not usable".to_owned(),
                _ => format!("{broken} model files are not usable"),
            },
        ))
    } else {
        Ok(())
    }
}
