//! The language of workflows: its schema, its kinds of steps, and definitions tried out.

use std::collections::BTreeMap;

use poem_openapi::{Object, OpenApi, param::Path, payload::Json};
use serde_json::{Map, Value};

use super::{
    Context, Group,
    workflow_views::{Verdict, shown},
};
use crate::{
    api::{
        body::{Document, JsonBody},
        sample::{Sample, sample},
    },
    error::{Code, Error, Result},
    workflow::{
        Definition, kinds,
        schema::schema,
        simulate::{Simulated, simulate},
        validate::{self, Checked},
    },
};

/// The language of workflows.
pub(in crate::api) struct Language(pub(super) Context);

/// The kinds of steps. / 步骤类型。
#[derive(Debug, Object)]
struct KindList {
    /// They.
    items: Vec<KindView>,
}

/// A kind of step. / 一种步骤。
#[derive(Debug, Object)]
struct KindView {
    /// The word after `use`; `exec:<name>` stands for every program that the operator has declared.
    kind: String,
    /// What it does.
    description: String,
    /// The JSON Schema of `with`; anything in it may be a `${…}`.
    with: Value,
    /// The JSON Schema of the output.
    output: Value,
    /// The fields of `with` that may hold `${secrets.NAME}`.
    secret_fields: Vec<String>,
    /// The fields of `with` that may not come from `steps.*`.
    own_fields: Vec<String>,
}

/// What a workflow is tried with. / 试运行的输入。
#[derive(Debug, Object)]
#[oai(example, skip_serializing_if_is_none)]
struct Trial {
    /// Its parameters.
    #[oai(nullable)]
    params: Option<BTreeMap<String, Value>>,
    /// By step: its output, or `{"error": {"code": …}}`; for a step with `foreach`, a list gives each item its own.
    #[oai(nullable)]
    mocks: Option<BTreeMap<String, Value>>,
    /// A definition to try instead of the stored one.
    #[oai(nullable)]
    definition: Option<Value>,
    /// The revision to try; the newest when there is none.
    #[oai(nullable)]
    revision: Option<i64>,
}

/// How a trial went. / 试运行的结果。
#[derive(Debug, Object)]
struct TrialView {
    /// `completed` or `failed`.
    status: String,
    /// The task's result.
    output: Value,
    /// Why it failed.
    error: Value,
    /// The steps in the order in which they ran: `step`, `use`, `status`, `with`, `items`, `output`, `error`, `why`.
    steps: Vec<Value>,
    /// What a reader should know.
    warnings: Vec<String>,
    /// What is odd about the definition.
    #[oai(default, skip_serializing_if_is_empty)]
    problems: Vec<Value>,
}

#[OpenApi(tag = "Group::Workflows")]
impl Language {
    /// The schema of definitions
    ///
    /// JSON Schema (2020-12), for editors; it knows the form of a definition. What it means is checked by
    /// `POST /api/workflows/validate`.
    ///
    /// 工作流定义的 JSON Schema，可供编辑器使用。
    #[oai(path = "/api/workflows/schema.json", method = "get", operation_id = "workflow_schema")]
    async fn schema(&self) -> Json<Value> {
        Json(schema().clone())
    }

    /// The kinds of steps
    ///
    /// What each takes and what it makes, as JSON Schemas.
    ///
    /// 各种步骤的输入与输出。
    #[oai(path = "/api/workflows/kinds", method = "get", operation_id = "workflow_kinds")]
    async fn kinds(&self) -> Json<KindList> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let view = |kind: &kinds::KindSpec| KindView {
            kind: kind.word.to_owned(),
            description: kind.with["description"].as_str().unwrap_or_default().to_owned(),
            with: kind.with.clone(),
            output: kind.output.clone(),
            secret_fields: owned(kind.secrets),
            own_fields: owned(kind.ours),
        };
        Json(KindList { items: kinds::all().iter().map(view).collect() })
    }

    /// Check a definition
    ///
    /// The body is the definition. Everything that is wrong with it is told at once; nothing is stored.
    ///
    /// 检查定义并一次性列出所有问题，不保存。
    #[oai(path = "/api/workflows/validate", method = "post", operation_id = "validate_workflow")]
    async fn validate(&self, body: Document<Definition>) -> poem::Result<Json<Verdict>> {
        Ok(Json(Verdict::of(&self.0.checked(&body.0).await?.problems)))
    }

    /// Try a workflow
    ///
    /// Runs it in memory: expressions are evaluated for real, the outputs of steps are mocks. Nothing is fetched, sent or
    /// stored; secrets stay hidden.
    ///
    /// 在内存中试运行：表达式真实求值，步骤输出使用模拟值；不产生任何副作用。
    #[oai(path = "/api/workflows/:name/test", method = "post", operation_id = "test_workflow")]
    async fn test(
        &self,
        /// The workflow's name.
        name: Path<String>,
        body: JsonBody<Trial>,
    ) -> poem::Result<Json<TrialView>> {
        Ok(Json(self.0.trial(&name.0, body.value).await?))
    }
}

impl Context {
    async fn trial(&self, name: &str, trial: Trial) -> Result<TrialView> {
        let given = match (trial.definition, trial.revision) {
            (Some(definition), _) => definition,
            (None, None) => self.workflow(name).await?.definition,
            (None, Some(revision)) => {
                let tx = self.store().begin().await?;
                tx.workflow_revision(name, revision).await?.ok_or_else(|| {
                    Error::new(
                        Code::NotFound,
                        format!("Workflow \"{}\" has no revision {revision}", name.escape_debug()),
                    )
                })?
            }
        };
        let Checked { definition, problems, .. } = self.checked(&given.to_string()).await?;
        let definition = definition.ok_or_else(|| validate::refused(&problems))?;
        let map = |fields: Option<BTreeMap<String, Value>>| fields.unwrap_or_default().into_iter().collect();
        let went = play(definition, map(trial.params), map(trial.mocks)).await?;
        Ok(TrialView {
            status: went.status.to_owned(),
            output: went.output.unwrap_or_default(),
            error: went.error.map(|error| serde_json::json!(error)).unwrap_or_default(),
            steps: went.steps.iter().filter_map(|step| serde_json::to_value(step).ok()).collect(),
            warnings: went.warnings,
            problems: shown(&problems),
        })
    }
}

/// Expressions may take a while.
async fn play(definition: Definition, params: Map<String, Value>, mocks: Map<String, Value>) -> Result<Simulated> {
    let went = tokio::task::spawn_blocking(move || simulate(&definition, &params, &mocks));
    went.await.map_err(|error| Error::new(Code::Internal, "The trial was lost").with_source(error))?
}

sample!(Trial, {
    "params": { "link": "https://example.com/talk.mp4" },
    "mocks": { "text": { "text": "Good morning.", "language": "en", "duration": 4.2 } }
});

impl Sample for Definition {
    fn sample() -> Value {
        serde_json::json!({
            "dsl": 1,
            "name": "summarise",
            "params": { "link": { "type": "url" } },
            "steps": {
                "source": { "use": "resolve", "with": { "link": "${params.link}" } },
                "media": { "use": "download", "with": { "from": "${steps.source.output}" } },
                "text": { "use": "transcribe", "with": { "media": "${steps.media.output}" } },
                "short": { "use": "llm", "with": { "prompt": "summary", "input": "${steps.text.output.text}" } },
            },
            "output": { "summary": "${steps.short.output.text}" },
        })
    }
}
