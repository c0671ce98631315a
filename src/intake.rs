//! The one way in: every link, upload and schedule becomes a task here.
//!
//! [`Intake::submit`] checks everything that can be checked without asking anyone, then writes the task, its steps and
//! its Idempotency-Key in one transaction and wakes the runner. Callers may rely on this: what it returns is stored.
//! Whoever has more to write with a task (a source, the post that it came from; a step whose work it is) takes the parts
//! one by one: [`Intake::check`], [`write`] inside the own transaction, and [`Intake::wake`] after its commit.

mod params;
mod rerun;

use serde_json::{Map, Value};

pub use self::{
    params::checked as check_params,
    rerun::{From, Rerun},
};
pub use crate::queue::new::{NewRun as Checked, write};
use crate::{
    domain::{Caller, Facade, MediaId, Options, Priority, StepKind, Task, TaskId, media, options::unknown},
    error::{Code, Error, Result},
    fault,
    net::Net,
    queue::{Queue, new::NewRun},
    store::{NewTask, Tx},
    transcribe::{self, Models},
    workflow::{Definition, definition::ParamType, plan, template::references},
};

/// How long an Idempotency-Key is remembered.
pub const KEY_AGE_MS: i64 = 24 * 60 * 60 * 1000;

/// What someone wants done.
#[derive(Clone, Debug, Default)]
pub struct Submission {
    /// A link or a share text with one in it; or `upload:<id>`, `media:<id>`. Empty when the workflow takes none, or when
    /// it is among the parameters.
    pub link: String,
    /// The workflow's name; `transcribe` when empty.
    pub workflow: String,
    /// The workflow's revision; the newest when there is none.
    pub revision: Option<i64>,
    /// The workflow's parameters; `link` need not be among them.
    pub params: Map<String, Value>,
    /// Transcription options.
    pub options: Map<String, Value>,
    /// How urgent.
    pub priority: Option<Priority>,
    /// Where the end is told.
    pub callback_url: Option<String>,
    /// Who wants it: whose the task will be, and what of others its link may name.
    pub caller: Caller,
    /// The system whose routes it came through; none for our own.
    pub facade: Option<Facade>,
    /// The caller's Idempotency-Key with the SHA-256 of the request's body.
    pub idempotency: Option<(String, String)>,
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
        let caller = submission.caller;
        let key = submission.idempotency.take().map(|(key, body)| (stored_key(caller, &key), body));
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
        fault::point("intake::written");
        tx.commit().await?;
        fault::point("intake::committed");
        self.wake();
        task.ok_or_else(|| Error::new(Code::Internal, "The task that was just written cannot be read"))
    }

    /// Checks a submission; its Idempotency-Key, if it has one, is not looked at.
    pub async fn check(&self, submission: Submission) -> Result<Checked> {
        let name = if submission.workflow.is_empty() { "transcribe" } else { &submission.workflow };
        let (revision, definition) = self.workflow(name, submission.revision).await?;
        self.checked(revision, definition, submission).await
    }

    async fn checked(&self, revision: i64, definition: Definition, submission: Submission) -> Result<Checked> {
        let mut given = submission.params;
        params::known(&definition, &given)?;
        let link = match pasted(&definition, &submission.link, &given) {
            Some(pasted) => self.link(pasted, submission.caller).await?,
            None => String::new(),
        };
        if definition.params.contains_key("link") && !link.is_empty() {
            given.insert("link".to_owned(), Value::String(link.clone()));
        }
        self.check_options(&definition, &submission.options).await?;
        let callback_url = submission.callback_url.filter(|url| !url.trim().is_empty());
        if let Some(url) = &callback_url {
            self.net.check_url(url).map_err(|error| error.with_field("callback_url"))?;
        }
        let mut params = params::checked(&definition, given)?;
        self.check_urls(&definition, &mut params, submission.caller).await?;
        let planned = plan(&definition).map_err(|error| Error::new(Code::InvalidWorkflow, error.to_string()))?;
        let priority = submission.priority.unwrap_or(Priority::Normal);
        let media_id = media::named(&link);
        let deadline = definition.deadline.map(|span| i64::try_from(span.0.as_millis()).unwrap_or(i64::MAX));
        let task = NewTask {
            workflow: definition.name,
            revision,
            priority,
            link,
            params,
            options: submission.options,
            media_id,
            callback_url,
            owner: submission.caller.token,
            facade: submission.facade,
            deadline_ms: deadline,
            ..NewTask::default()
        };
        Ok(NewRun { task, planned, most: definition.max_active_runs, reuse: Vec::new() })
    }

    /// Checks the parameters that hold links; of a share text, the link in it stays.
    async fn check_urls(&self, definition: &Definition, params: &mut Map<String, Value>, caller: Caller) -> Result<()> {
        let urls = definition.params.iter().filter(|(name, param)| param.kind == ParamType::Url && *name != "link");
        for (name, param) in urls {
            let Some(Value::String(text)) = params.get(name).filter(|value| Some(*value) != param.default.as_ref())
            else {
                continue;
            };
            let is_address = text.starts_with("http://") || text.starts_with("https://");
            let link = if is_address && !text.contains(char::is_whitespace) {
                self.net.check_url(text).map(|_| text.clone())
            } else {
                self.link(text, caller).await
            };
            params.insert(name.clone(), Value::String(link.map_err(|error| error.with_field(name))?));
        }
        Ok(())
    }

    /// Tells the runner, and whoever waits, that there are new tasks.
    pub fn wake(&self) {
        self.queue.wake().event();
        self.queue.wake().lanes();
    }

    async fn workflow(&self, name: &str, revision: Option<i64>) -> Result<(i64, Definition)> {
        let store = self.queue.store();
        let Some(newest) = store.workflow(name).await? else {
            let names = store.workflow_names().await?;
            let hint = unknown("workflow", name, names.iter().map(String::as_str)).hint;
            let detail = format!("There is no workflow \"{}\"", name.escape_debug());
            return Err(Error::new(Code::UnknownWorkflow, detail).with_hint(hint).with_field("workflow"));
        };
        let (revision, stored) = match revision.filter(|revision| *revision != newest.revision) {
            None => (newest.revision, newest.definition),
            Some(revision) => {
                let tx = store.begin().await?;
                let stored = tx.workflow_revision(name, revision).await?.ok_or_else(|| {
                    let detail = format!("Workflow \"{name}\" has no revision {revision}");
                    Error::new(Code::UnknownWorkflow, detail).with_field("version")
                })?;
                (revision, stored)
            }
        };
        let definition = serde_json::from_value(stored).map_err(|error| {
            Error::new(Code::InvalidWorkflow, "The stored workflow cannot be read").with_source(error)
        })?;
        Ok((revision, definition))
    }

    /// The link in what was pasted; what is already here must exist and be the caller's.
    async fn link(&self, pasted: &str, caller: Caller) -> Result<String> {
        let pasted = pasted.trim();
        let store = self.queue.store();
        let gone = |what: &str, id: &str| {
            Error::new(Code::NotFound, format!("There is no {what} {}", id.escape_debug())).with_field("link")
        };
        if let Some(id) = pasted.strip_prefix("upload:") {
            let upload = store.upload(id).await?.filter(|(upload, _)| caller.may_see(upload.owner));
            if upload.is_none() {
                return Err(self.unfinished(id, caller).await?.unwrap_or_else(|| gone("upload", id)));
            }
            return Ok(pasted.to_owned());
        }
        if let Some(id) = pasted.strip_prefix("media:") {
            let found = match id.parse() {
                Ok(id) => store.media(MediaId(id)).await?,
                Err(_) => None,
            };
            let media = found.ok_or_else(|| gone("media", id))?;
            // Whose a media is, is told by the tasks that are about it.
            if let Some(owner) = caller.only()
                && !store.has_media(owner, media.id).await?
            {
                return Err(gone("media", id));
            }
            return Ok(pasted.to_owned());
        }
        let link = crawlers::find_link(pasted)
            .map_err(|error| Error::new(Code::InvalidLink, error.message).with_field("link"))?;
        self.net.check_url(link.as_str()).map_err(|error| error.with_field("link"))?;
        Ok(link.to_string())
    }

    /// Why an upload that is no file yet cannot be used, if it has begun.
    async fn unfinished(&self, id: &str, caller: Caller) -> Result<Option<Error>> {
        let begun = self.queue.store().partial_upload(id).await?.filter(|upload| caller.may_see(upload.owner));
        Ok(begun.map(|_| {
            Error::new(Code::NotReady, format!("Upload {id} is not complete"))
                .with_hint(format!("Send the rest first; HEAD /api/uploads/{id} tells from where."))
                .with_field("upload_id")
        }))
    }

    /// Checks the options by themselves, and with what each `transcribe` step of the workflow adds.
    async fn check_options(&self, definition: &Definition, options: &Map<String, Value>) -> Result<()> {
        let alone = Options::from_json(options)?;
        transcribe::language::allowed(&alone)?;
        if alone.model.is_some() {
            self.model(alone.model.as_deref()).await?;
        }
        let steps = definition.steps.values().filter(|step| step.kind == StepKind::Transcribe.as_str());
        for given in steps.filter_map(|step| known(&step.with, options)) {
            let mut options = Options::from_json(&given)?;
            if let Some(only) = transcribe::language::allowed(&options)?.given {
                options.language = Some(only.to_owned());
            }
            let model = self.model(options.model.as_deref()).await?;
            transcribe::models::validate(&model, &options)?;
        }
        Ok(())
    }

    /// The name of a model that some node knows.
    async fn model(&self, given: Option<&str>) -> Result<String> {
        let unknown = match self.models.name(given) {
            Err(error) if error.code == Code::UnknownModel => error,
            name => return name.map_err(|error| error.with_field("model")),
        };
        let given = given.unwrap_or_default().trim();
        match self.queue.is_model_elsewhere(given, false).await? {
            true => Ok(given.to_owned()),
            false => Err(unknown.with_field("model")),
        }
    }
}

/// The name under which a caller's Idempotency-Key is kept: two tokens may use the same one.
pub fn stored_key(caller: Caller, key: &str) -> String {
    format!("{}:{key}", caller.token.map_or(0, |id| id.0))
}

/// What was pasted for a workflow: the link itself, or the parameter of that name. None when the workflow does without.
fn pasted<'a>(definition: &Definition, link: &'a str, params: &'a Map<String, Value>) -> Option<&'a str> {
    let given = Some(link).filter(|link| !link.trim().is_empty());
    let given = given.or_else(|| params.get("link").and_then(Value::as_str));
    let is_needed = definition.params.get("link").is_some_and(|param| param.default.is_none());
    given.or(is_needed.then_some(link))
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

#[cfg(test)]
mod tests {
    use serde_json::json;

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
