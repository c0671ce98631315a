//! The one way in: every link, upload and schedule becomes a task here.
//!
//! [`Intake::submit`] checks everything that can be checked without asking anyone, then writes the task, its steps and
//! its Idempotency-Key in one transaction and wakes the runner. Callers may rely on this: what it returns is stored.
//! Whoever has more to write with a task (a source, the post that it came from) takes the parts one by one:
//! [`Intake::check`], [`write`] inside the own transaction, and [`Intake::wake`] after its commit.

use serde_json::{Map, Value, json};

use crate::{
    domain::{MediaId, Options, Priority, StepKind, Task, TaskId, options::unknown},
    error::{Code, Error, Result},
    net::Net,
    queue::Queue,
    store::{NewStep, NewTask, Tx},
    transcribe::{self, Models},
    workflow::{
        Definition, Planned,
        definition::{Param, ParamType},
        plan,
        template::references,
    },
};

/// How long an Idempotency-Key is remembered.
const KEY_AGE_MS: i64 = 24 * 60 * 60 * 1000;

/// What someone wants done.
#[derive(Clone, Debug, Default)]
pub struct Submission {
    /// A link or a share text with one in it; or `upload:<id>`, `media:<id>`.
    pub link: String,
    /// The workflow's name; `transcribe` when empty.
    pub workflow: String,
    /// The workflow's parameters besides `link`.
    pub params: Map<String, Value>,
    /// Transcription options.
    pub options: Map<String, Value>,
    /// How urgent.
    pub priority: Option<Priority>,
    /// Where the end is told.
    pub callback_url: Option<String>,
    /// The caller's Idempotency-Key with the SHA-256 of the request's body.
    pub idempotency: Option<(String, String)>,
}

/// A submission that has passed every check.
#[derive(Clone, Debug)]
pub struct Checked {
    task: NewTask,
    planned: Vec<Planned>,
}

/// The way in. Cheap to clone.
#[derive(Clone)]
pub struct Intake {
    queue: Queue,
    net: Net,
    models: Models,
}

impl Intake {
    /// The way into `queue`.
    pub fn new(queue: Queue, net: Net, models: Models) -> Self {
        Self { queue, net, models }
    }

    /// Checks a submission, stores it as a task and wakes the runner.
    pub async fn submit(&self, mut submission: Submission) -> Result<Task> {
        let key = submission.idempotency.take();
        let checked = self.check(submission).await?;
        let tx = self.queue.store().begin().await?;
        if let Some((key, body)) = &key
            && let Some(id) = repeated(&tx, key, body).await?
        {
            return tx.lock_task(id).await?.ok_or_else(|| Error::new(Code::NotFound, format!("Task {id} is gone")));
        }
        let id = write(&tx, checked).await?;
        if let Some((key, body)) = &key {
            tx.remember_key(key, body, id).await?;
        }
        let task = tx.lock_task(id).await?;
        tx.commit().await?;
        self.wake();
        task.ok_or_else(|| Error::new(Code::Internal, "The task that was just written cannot be read"))
    }

    /// Checks a submission; its Idempotency-Key, if it has one, is not looked at.
    pub async fn check(&self, submission: Submission) -> Result<Checked> {
        let name = if submission.workflow.is_empty() { "transcribe" } else { &submission.workflow };
        let (revision, definition) = self.workflow(name).await?;
        let link = self.link(&submission.link).await?;
        self.check_options(&definition, &submission.options)?;
        let callback_url = submission.callback_url.filter(|url| !url.trim().is_empty());
        if let Some(url) = &callback_url {
            self.net.check_url(url).map_err(|error| error.with_field("callback_url"))?;
        }
        let params = params(&definition, submission.params, &link)?;
        let planned = plan(&definition).map_err(|error| Error::new(Code::InvalidWorkflow, error.to_string()))?;
        let priority = submission.priority.unwrap_or(Priority::Normal);
        // Named from the start, so that the media stays when the task that brought it here is deleted.
        let media_id = link.strip_prefix("media:").and_then(|id| id.parse().ok()).map(MediaId);
        let task = NewTask {
            workflow: definition.name,
            revision,
            priority,
            link,
            params,
            options: submission.options,
            media_id,
            callback_url,
            ..NewTask::default()
        };
        Ok(Checked { task, planned })
    }

    /// Tells the runner, and whoever waits, that there are new tasks.
    pub fn wake(&self) {
        self.queue.wake().event();
        self.queue.wake().lanes();
    }

    async fn workflow(&self, name: &str) -> Result<(i64, Definition)> {
        let store = self.queue.store();
        let Some(found) = store.workflow(name).await? else {
            let names = store.workflow_names().await?;
            let hint = unknown("workflow", name, names.iter().map(String::as_str)).hint;
            let detail = format!("There is no workflow \"{}\"", name.escape_debug());
            return Err(Error::new(Code::UnknownWorkflow, detail).with_hint(hint).with_field("workflow"));
        };
        let definition = serde_json::from_value(found.definition).map_err(|error| {
            Error::new(Code::InvalidWorkflow, "The stored workflow cannot be read").with_source(error)
        })?;
        Ok((found.revision, definition))
    }

    /// The link in what was pasted; what is already here must exist.
    async fn link(&self, pasted: &str) -> Result<String> {
        let pasted = pasted.trim();
        let store = self.queue.store();
        let gone = |what: &str, id: &str| {
            Error::new(Code::NotFound, format!("There is no {what} {}", id.escape_debug())).with_field("link")
        };
        if let Some(id) = pasted.strip_prefix("upload:") {
            store.upload(id).await?.ok_or_else(|| gone("upload", id))?;
            return Ok(pasted.to_owned());
        }
        if let Some(id) = pasted.strip_prefix("media:") {
            let found = match id.parse() {
                Ok(id) => store.media(MediaId(id)).await?,
                Err(_) => None,
            };
            found.ok_or_else(|| gone("media", id))?;
            return Ok(pasted.to_owned());
        }
        let link = crawlers::find_link(pasted)
            .map_err(|error| Error::new(Code::InvalidLink, error.message).with_field("link"))?;
        self.net.check_url(link.as_str()).map_err(|error| error.with_field("link"))?;
        Ok(link.to_string())
    }

    /// Checks the options by themselves, and with what each `transcribe` step of the workflow adds.
    fn check_options(&self, definition: &Definition, options: &Map<String, Value>) -> Result<()> {
        let alone = Options::from_json(options)?;
        transcribe::language::allowed(&alone)?;
        if alone.model.is_some() {
            self.models.name(alone.model.as_deref()).map_err(|error| error.with_field("model"))?;
        }
        let steps = definition.steps.values().filter(|step| step.kind == StepKind::Transcribe.as_str());
        for given in steps.filter_map(|step| known(&step.with, options)) {
            let mut options = Options::from_json(&given)?;
            if let Some(only) = transcribe::language::allowed(&options)?.given {
                options.language = Some(only.to_owned());
            }
            let model = self.models.name(options.model.as_deref()).map_err(|error| error.with_field("model"))?;
            transcribe::models::validate(&model, &options)?;
        }
        Ok(())
    }
}

/// Writes a checked submission as a task with its steps.
pub async fn write(tx: &Tx, Checked { task, planned }: Checked) -> Result<TaskId> {
    let level = task.priority.level();
    let id = tx.insert_task(task).await?;
    let steps: Vec<NewStep> = planned.into_iter().map(|row| new_step(row, level)).collect();
    tx.insert_steps(id, &steps).await?;
    tx.add_event(id, "status", json!({ "status": "queued" })).await?;
    tracing::info!(task = %id, "task accepted");
    Ok(id)
}

/// A step's options as far as they are known before it runs; none when its model is not known, and with it what fits.
fn known(with: &Map<String, Value>, options: &Map<String, Value>) -> Option<Map<String, Value>> {
    let is_open = |value: &Value| {
        let mut found = Vec::new();
        references(value, "", &mut found);
        !found.is_empty()
    };
    if !options.contains_key("model") && with.get("model").is_some_and(is_open) {
        return None;
    }
    let fixed = with.iter().filter(|(name, value)| *name != "media" && !is_open(value));
    let mut known: Map<String, Value> = fixed.map(|(name, value)| (name.clone(), value.clone())).collect();
    known.extend(options.clone());
    Some(known)
}

async fn repeated(tx: &Tx, key: &str, body: &str) -> Result<Option<TaskId>> {
    match tx.idempotent(key, KEY_AGE_MS).await? {
        Some((id, same)) if same == body => Ok(Some(id)),
        Some(_) => Err(Error::new(Code::InvalidValue, "This Idempotency-Key was used for another request")
            .with_hint("Take a new key for a new request.")
            .with_field("Idempotency-Key")),
        None => Ok(None),
    }
}

fn new_step(row: Planned, level: i64) -> NewStep {
    NewStep {
        key: row.key,
        kind: row.kind,
        needs: row.needs,
        with: row.with,
        retry: json!(row.retry),
        timeout_ms: row.timeout.map(|span| i64::try_from(span.0.as_millis()).unwrap_or(i64::MAX)),
        level,
        rule: json!(row.rule),
        reuse: false,
    }
}

/// The parameters with their defaults; what is unknown, missing or of the wrong type is told.
fn params(definition: &Definition, mut given: Map<String, Value>, link: &str) -> Result<Map<String, Value>> {
    if definition.params.contains_key("link") {
        given.insert("link".to_owned(), json!(link));
    }
    let known = || definition.params.keys().map(String::as_str);
    if let Some(name) = given.keys().find(|name| !definition.params.contains_key(*name)) {
        return Err(unknown("parameter", name, known()));
    }
    let mut params = Map::new();
    for (name, param) in &definition.params {
        let value = given.remove(name).or_else(|| param.default.clone()).ok_or_else(|| {
            Error::new(Code::InvalidValue, format!("Parameter \"{name}\" is missing")).with_field(name)
        })?;
        check_param(name, param, &value)?;
        params.insert(name.clone(), value);
    }
    Ok(params)
}

fn check_param(name: &str, param: &Param, value: &Value) -> Result<()> {
    let fits = match param.kind {
        ParamType::String | ParamType::Url => value.is_string(),
        ParamType::Integer => value.is_i64() || value.is_u64(),
        ParamType::Number => value.is_number(),
        ParamType::Boolean => value.is_boolean(),
        ParamType::Array => value.is_array(),
        ParamType::Object => value.is_object(),
    };
    let wrong =
        |rule: String| Err(Error::new(Code::InvalidValue, format!("Parameter \"{name}\" {rule}")).with_field(name));
    if !fits {
        return wrong(format!("must be of type {}", json!(param.kind).as_str().unwrap_or_default()));
    }
    if let Some(allowed) = param.allowed.as_ref().filter(|allowed| !allowed.contains(value)) {
        return wrong(format!("must be one of {}", Value::Array(allowed.clone())));
    }
    let length = value.as_str().map_or(0, |text| text.chars().count());
    if let Some(max) = param.max_length.filter(|max| length > *max) {
        return wrong(format!("is longer than {max} characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn what_a_step_sets_counts_before_the_default() {
        let of = |with, options| known(&map(with), &map(options)).map(Value::Object);
        let media = "${steps.media.output}";
        let task = json!({"task": "translate"});
        assert_eq!(of(json!({"media": media}), task.clone()), Some(task.clone()));
        let named = json!({"media": media, "model": "medium", "beam_size": 2, "zh": "${params.zh}"});
        assert_eq!(
            of(named.clone(), task.clone()),
            Some(json!({"model": "medium", "beam_size": 2, "task": "translate"}))
        );
        assert_eq!(of(named, json!({"model": "tiny"})), Some(json!({"model": "tiny", "beam_size": 2})));
        // What is not known before the step runs is left to the step.
        let open = json!({"media": media, "model": "${params.model}"});
        assert_eq!(of(open.clone(), task), None);
        assert_eq!(of(open, json!({"model": "tiny"})), Some(json!({"model": "tiny"})));
    }
}
