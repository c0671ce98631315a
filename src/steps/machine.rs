//! What this machine has for steps that name it: programs, prompts, language models.

use crate::{config::Config, error::Result, llm, workflow::validate::Machine};

/// What a configuration declares; secrets stand in the database.
///
/// # Errors
/// `config` when the folder `llm.prompts` cannot be read.
pub fn machine(config: &Config) -> Result<Machine> {
    Ok(Machine {
        programs: Some(config.exec.keys().cloned().collect()),
        prompts: Some(llm::prompts(&config.llm)?),
        secrets: None,
        models: Some(config.llm.all().into_iter().map(|model| model.alias).collect()),
    })
}
