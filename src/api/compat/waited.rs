//! What the routes share whose clients wait for the words of a file.

use serde_json::{Map, Value};

use crate::{
    api::{
        facade::{Ended, Fields, Given},
        native::Context,
    },
    domain::{Caller, Priority},
    error::{Code, Error, Result},
    intake::Submission,
};

impl Context {
    /// Transcription options: those of `names` that were sent, as texts, and the model, which must be here.
    pub(super) async fn options(&self, fields: &Fields, names: &[&str]) -> Result<Map<String, Value>> {
        let given = names.iter().filter_map(|name| Some(((*name).to_owned(), fields.text(name)?.trim().into())));
        let mut options: Map<String, Value> = given.collect();
        let model = self.hearing(fields.text("model").as_deref().unwrap_or_default().trim()).await?;
        options.insert("model".to_owned(), model.into());
        Ok(options)
    }

    /// Makes a task of a file and waits for its end. The task goes on when the client goes away.
    pub(super) async fn heard(&self, given: Given, options: Map<String, Value>, caller: Caller) -> Result<Ended> {
        let submission = Submission { options, caller, priority: Some(Priority::High), ..Submission::default() };
        let task = self.take(Some(given), submission).await?;
        self.outcome(task.id).await
    }
}

/// The file that must have come as the part `part`.
pub(super) fn file(given: Option<Given>, part: &str) -> Result<Given> {
    given.ok_or_else(|| {
        let hint = format!("Send multipart/form-data with it, for example: curl -F {part}=@talk.mp3 URL.");
        Error::new(Code::InvalidRequest, format!("There is no file \"{part}\"")).with_hint(hint).with_field(part)
    })
}
