//! What workflows reach outside trawl: language models and programs of the operator's. Nothing is asked or run.

use std::{os::unix::fs::PermissionsExt, path::Path, time::Instant};

use url::Url;

use super::{Check, Found};
use crate::{
    config::{Config, ExecConfig, LlmModel},
    error::{Code, Error, Result},
    media::{Ports, locate},
    net::Net,
};

/// One for each language model, and one for each program.
pub fn checks(config: &Config, net: &Net) -> Vec<Check> {
    let mut checks = Vec::new();
    let begun = Instant::now();
    let models = config.llm.all();
    if models.is_empty() {
        let detail = "None is configured: steps `llm` fail.".to_owned();
        checks.push(Check::of("llm", false, begun, Ok(Found::Nothing(detail))));
    }
    for llm in &models {
        checks.push(Check::of(&format!("llm.{}", llm.alias), false, Instant::now(), model(llm, net)));
    }
    for (name, exec) in &config.exec {
        let ports = Ports::here(config.media.sandbox);
        checks.push(Check::of(&format!("exec.{name}"), false, Instant::now(), program(name, exec, ports)));
    }
    checks
}

/// What is configured, and whether requests there may leave at all.
fn model(llm: &LlmModel, net: &Net) -> Result<Found> {
    net.check_url(&llm.base_url)?;
    let url = Url::parse(&llm.base_url).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    let key = if llm.api_key.is_empty() { "without a key" } else { "with a key" };
    Ok(Found::Here(format!("{} at {host}, {key}; it was not asked.", llm.model)))
}

/// Whether a program is there and may be run.
fn program(name: &str, exec: &ExecConfig, ports: Ports) -> Result<Found> {
    let wanted = exec.argv.first().map(Path::new).unwrap_or(Path::new(""));
    let Some(found) = locate(wanted) else {
        let detail = format!("{} is not there", wanted.display());
        return Err(Error::new(Code::Config, detail).with_hint(format!("Install it, or correct `exec.{name}.argv`.")));
    };
    let is_executable = found.metadata()?.permissions().mode() & 0o111 != 0;
    if !is_executable {
        let detail = format!("{} may not be run", found.display());
        return Err(Error::new(Code::Config, detail).with_hint("Let the user that trawl runs as execute it."));
    }
    if let Some(problem) = ports.problem().filter(|_| exec.network) {
        return Err(problem);
    }
    Ok(Found::Here(format!("{} is here.", found.display())))
}
