//! `GET /v1/models`: the models that can be asked for now, by every name that leads to them.

use std::time::Duration;

use poem_openapi::{Object, OpenApi, param::Path, payload::Json};

use crate::{
    api::native::{Context, Group},
    error::{Code, Error, Result},
    transcribe::{ModelRef, models::Listed},
};

/// What other servers' names of Whisper models begin with.
const HEADS: [&str; 2] = ["faster-", "whisper-"];

/// When to come back for a model that is being downloaded.
const SOON: Duration = Duration::from_secs(30);

/// The model routes.
pub(in crate::api) struct OpenAiModels(pub(in crate::api) Context);

/// The models that can be asked for now. / 当前可用的模型。
#[derive(Debug, Object)]
#[oai(rename = "OpenAiModels")]
struct List {
    /// `list`.
    object: String,
    /// Every name that may be given as `model`.
    data: Vec<Model>,
    /// Always true; for clients of an older system, which read the members below.
    success: bool,
    /// The same models by their own names.
    models: Vec<Own>,
    /// The model of requests that name none.
    default: String,
}

/// A name of a model. / 模型名称。
#[derive(Clone, Debug, Object)]
#[oai(rename = "OpenAiModel")]
struct Model {
    /// The name.
    id: String,
    /// `model`.
    object: String,
    /// When its file was written, in seconds since 1970; 0 when it is on another server.
    created: u64,
    /// `trawl`.
    owned_by: String,
}

/// A model by its own name. / 模型。
#[derive(Debug, Object)]
#[oai(rename = "OpenAiModelState")]
struct Own {
    /// Its name.
    name: String,
    /// Whether a device has it in memory.
    loaded: bool,
}

#[OpenApi(tag = "Group::Compatibility")]
impl OpenAiModels {
    /// List models, as with OpenAI
    ///
    /// Those that are here or on a server that is set up, by their names and by every alias, OpenAI's names among them. Also
    /// at `/models`; `success`, `models` and `default` are for clients of an older system there. All models, also those that
    /// are not here, are at `/api/models`.
    ///
    /// 列出当前可用的模型及其别名（含 OpenAI 的名称）；`/models` 返回相同内容，并兼容旧系统的字段。
    #[oai(path = "/v1/models", method = "get", operation_id = "openai_models")]
    async fn list(&self) -> poem::Result<Json<List>> {
        let usable = self.0.usable().await?;
        let has = |name: &str| self.0.state.pool.status().iter().any(|engine| engine.has(name));
        Ok(Json(List {
            object: "list".to_owned(),
            data: usable.iter().flat_map(names).collect(),
            success: true,
            models: usable.iter().map(|model| Own { name: model.name.clone(), loaded: has(&model.name) }).collect(),
            default: self.0.state.models.name(None)?,
        }))
    }

    /// Look at a model, as with OpenAI
    ///
    /// By one of the names of the list.
    ///
    /// 按列表中的名称查看模型。
    #[oai(path = "/v1/models/:model", method = "get", operation_id = "openai_model")]
    async fn get(
        &self,
        /// The model's name or alias.
        model: Path<String>,
    ) -> poem::Result<Json<Model>> {
        let name = self.0.model_called(&model.0)?;
        let usable = self.0.usable().await?;
        let found = usable.iter().find(|listed| listed.name == name).ok_or_else(|| {
            let hint = format!("Run `trawl models pull {name}`, or choose one of /v1/models.");
            Error::new(Code::UnknownModel, format!("The model {name} is not here")).with_hint(hint).with_field("model")
        })?;
        Ok(Json(Model { id: model.0, ..entry(found) }))
    }
}

impl Context {
    /// The model's own name, when something can hear with it now, here or on another node; `given` is what the client
    /// calls it.
    pub(in crate::api) async fn hearing(&self, given: &str) -> Result<String> {
        let elsewhere = async |name, is_known| self.state.queue.is_model_elsewhere(name, is_known).await;
        let name = match self.model_called(given) {
            Err(error) if error.code == Code::UnknownModel => {
                return if elsewhere(given.trim(), false).await? { Ok(given.trim().to_owned()) } else { Err(error) };
            }
            name => name?,
        };
        let missing = match self.state.models.resolve(Some(&name)) {
            Err(error) if error.code == Code::ModelMissing && !self.state.pool.is_remote(&name) => error,
            _ => return Ok(name),
        };
        if elsewhere(&name, true).await? {
            return Ok(name);
        }
        // A task would wait for the model; a client that waits for the task would not know for what.
        let missing = missing.with_field("model");
        Err(match self.state.models.is_pulling(&name) {
            true => missing.with_retry_after(Some(SOON)),
            false => missing.for_good(),
        })
    }

    fn model_called(&self, given: &str) -> Result<String> {
        let models = &self.state.models;
        models.name(Some(given)).or_else(|error| models.name(Some(short(given))).map_err(|_| error))
    }

    /// The models that can hear now. Those that are only on a server are in it, too.
    async fn usable(&self) -> Result<Vec<Listed>> {
        let models = self.state.models.clone();
        let all = tokio::task::spawn_blocking(move || models.list()).await;
        let all =
            all.map_err(|error| Error::new(Code::Internal, "The models folder cannot be read").with_source(error))?;
        let can_hear =
            |model: &Listed| (model.present && model.problem.is_none()) || self.state.pool.is_remote(&model.name);
        Ok(all.into_iter().filter(can_hear).collect())
    }
}

/// What a name of another server comes to here: `large-v3` of `Systran/faster-whisper-large-v3`.
fn short(given: &str) -> &str {
    let name = given.trim();
    let name = name.rsplit('/').next().unwrap_or(name);
    HEADS.iter().fold(name, |name, head| name.strip_prefix(head).unwrap_or(name))
}

fn names(model: &Listed) -> Vec<Model> {
    let own = entry(model);
    let alias = |alias: &String| Model { id: alias.clone(), ..own.clone() };
    std::iter::once(own.clone()).chain(model.aliases.iter().map(alias)).collect()
}

fn entry(model: &Listed) -> Model {
    let changed = model.path.as_ref().map(|path| ModelRef::new(&model.name, path).version.changed / 1000);
    Model {
        id: model.name.clone(),
        object: "model".to_owned(),
        created: changed.unwrap_or(0),
        owned_by: "trawl".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_other_servers_are_understood() {
        for (given, name) in [
            ("Systran/faster-whisper-large-v3", "large-v3"),
            ("openai/whisper-small.en", "small.en"),
            (" whisper-large-v3-turbo ", "large-v3-turbo"),
            ("base", "base"),
            ("", ""),
        ] {
            assert_eq!(short(given), name);
        }
    }
}
