//! Through which system's routes a task came: what that system's shape of a task shows and ours does not.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::options::Goal;

/// The system whose routes a task came through.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case")]
pub enum Facade {
    /// Fast-Powerful-Whisper-AI-Services-API. Its tasks' callbacks have its shape, too.
    Services(Services),
    /// whisper-api.
    WhisperApi {
        /// What the transcription is shown as: the word of a transcript's format.
        output_format: String,
    },
}

/// What was said when a task was made through Fast-Powerful-Whisper-AI-Services-API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Services {
    /// The address that the daemon was called at, up to and with its base path.
    pub base: String,
    /// The link; none for an uploaded file.
    pub file_url: Option<String>,
    /// What an uploaded file is called.
    pub file_name: Option<String>,
    /// The platform's name: a label.
    pub platform: Option<String>,
    /// Transcribe or translate.
    pub task_type: Goal,
    /// The options of decoding, as that system echoes them.
    pub decode_options: Map<String, Value>,
}

impl Facade {
    /// What Fast-Powerful-Whisper-AI-Services-API shows of a task, if it came from there.
    pub fn services(&self) -> Option<&Services> {
        match self {
            Self::Services(services) => Some(services),
            Self::WhisperApi { .. } => None,
        }
    }
}
