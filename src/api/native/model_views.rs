//! Models as the API shows them.

use poem_openapi::{Object, types::Example};

use super::views::Report;
use crate::{
    api::words::Time,
    transcribe::{
        ModelInfo,
        models::{Listed, Pull},
    },
};

/// The models that there are. / 模型列表。
#[derive(Debug, Object)]
pub(super) struct ModelList {
    /// The official ones in their usual order, then the others by name.
    pub items: Vec<ModelView>,
}

/// One model. / 一个模型。
#[derive(Debug, Object)]
#[oai(rename = "Model", example)]
pub(super) struct ModelView {
    /// Its name; the file is `ggml-NAME.bin`.
    name: String,
    /// Whether its file is here.
    present: bool,
    /// Bytes of the file, or of the download as published (rounded); null where nothing is published.
    #[oai(nullable)]
    size: Option<u64>,
    /// Whether it is one of whisper.cpp's published models, which can be downloaded.
    official: bool,
    /// Whether tasks that name no model get it.
    default: bool,
    /// Other names that lead to it.
    aliases: Vec<String>,
    /// What its file says of itself; null when the file is not here or is wrong.
    #[oai(nullable)]
    info: Option<Header>,
    /// Why its file cannot be used.
    #[oai(nullable)]
    problem: Option<String>,
    /// Its download: the one that runs, or how the last one ended since the daemon was started.
    #[oai(nullable)]
    pull: Option<PullView>,
    /// The devices that have it in memory.
    loaded_on: Vec<String>,
}

/// What a model file says of itself. / 模型文件头信息。
#[derive(Debug, Object)]
#[oai(rename = "ModelInfo")]
struct Header {
    /// Whether it knows languages besides English.
    multilingual: bool,
    /// How its weights are stored: `f16`, `q8_0`, …
    ftype: String,
    /// Entries of its vocabulary.
    n_vocab: u32,
    /// Width of its layers.
    n_state: u32,
    /// Layers that hear.
    n_audio_layer: u32,
    /// Layers that write.
    n_text_layer: u32,
    /// Frequency bands that it hears.
    n_mels: u32,
}

/// How a download is. / 下载进度。
#[derive(Debug, Object)]
#[oai(rename = "ModelPull")]
struct PullView {
    /// `running`, `done`, `failed` or `cancelled`.
    state: String,
    /// Bytes here, those of earlier downloads included.
    received: u64,
    /// Bytes in all, as published (rounded) until the server has said.
    #[oai(nullable)]
    total: Option<u64>,
    /// How fast it is now.
    bytes_per_second: u64,
    /// When it was started.
    started_at: Time,
    /// Why it failed.
    #[oai(nullable)]
    error: Option<Report>,
}

impl ModelView {
    /// A model with its download and the devices that hold it.
    pub(super) fn new(model: Listed, pull: Option<Pull>, loaded_on: Vec<String>) -> Self {
        Self {
            name: model.name,
            present: model.present,
            size: model.size,
            official: model.official,
            default: model.default,
            aliases: model.aliases,
            info: model.info.map(Into::into),
            problem: model.problem,
            pull: pull.map(Into::into),
            loaded_on,
        }
    }
}

impl From<ModelInfo> for Header {
    fn from(info: ModelInfo) -> Self {
        Self {
            multilingual: info.multilingual,
            ftype: info.ftype,
            n_vocab: info.dims.n_vocab,
            n_state: info.dims.n_audio_state,
            n_audio_layer: info.dims.n_audio_layer,
            n_text_layer: info.dims.n_text_layer,
            n_mels: info.dims.n_mels,
        }
    }
}

impl From<Pull> for PullView {
    fn from(pull: Pull) -> Self {
        Self {
            state: pull.state.as_str().to_owned(),
            received: pull.received,
            total: pull.total,
            bytes_per_second: pull.bytes_per_second,
            started_at: Time(pull.started_at),
            error: pull.error.map(Into::into),
        }
    }
}

impl Example for ModelView {
    fn example() -> Self {
        Self {
            name: "large-v3-turbo".to_owned(),
            present: false,
            size: Some(1_610_612_736),
            official: true,
            default: false,
            aliases: vec!["turbo".to_owned()],
            info: None,
            problem: None,
            pull: Some(PullView {
                state: "running".to_owned(),
                received: 405_274_624,
                total: Some(1_624_555_275),
                bytes_per_second: 11_534_336,
                started_at: Time(chrono::DateTime::from_timestamp(1_795_000_000, 0).unwrap_or_default()),
                error: None,
            }),
            loaded_on: Vec::new(),
        }
    }
}
