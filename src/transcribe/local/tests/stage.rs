//! A program in `sh` in place of the real one.

use std::{os::unix::fs::PermissionsExt, path::Path};

use serde_json::json;
use tempfile::TempDir;

use super::*;

pub(super) const LONG: Duration = Duration::from_secs(600);

/// A process in `sh`: it notes its model and device, then `body` runs with `$id` set for every window.
pub(super) struct Stage {
    pub(super) dir: TempDir,
    pub(super) config: EngineConfig,
}

impl Stage {
    pub(super) fn new(body: &str) -> Self {
        Self::with("", body)
    }

    /// `loading` runs before the process says that it is ready. `$model` and `$device` are set.
    pub(super) fn with(loading: &str, body: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let script = format!(
            r#"#!/bin/sh
cd '{}'
[ "$2" = --list-devices ] && {{ echo listed >> lists; cat devices; exit; }}
model=$5 device=$7
echo "$model $device" >> started
done_() {{ echo '{{"type":"done","id":'$id',"inference_ms":5,"probabilities":[],"warnings":[]}}'; }}
progress() {{ echo '{{"type":"progress","id":'$id',"value":0.5}}'; }}
unusable() {{ echo '{{"type":"unusable","code":"'$1'","detail":"it is '$1'"}}'; exit 1; }}
{loading}
echo '{{"type":"ready","model":"m","engine":"e","device":"cpu","slots":1}}'
while read -r line; do
  case "$line" in
    *'"recognise"'*) id=$(echo "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
{body}
    ;;
    *shutdown*) exit 0 ;;
  esac
done
"#,
            dir.path().display(),
        );
        let path = dir.path().join("program");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        let config = EngineConfig {
            devices: vec!["cpu".to_owned()],
            threads: 1,
            idle_unload: Span(LONG),
            hang_timeout: Span(LONG),
            ..EngineConfig::default()
        };
        let stage = Self { dir, config };
        stage.gpus(&[]);
        stage
    }

    /// These GPUs are there, each with so many bytes.
    pub(super) fn gpus(&self, gpus: &[(&str, u64)]) {
        let list: Vec<_> = gpus
            .iter()
            .map(|(name, bytes)| json!({ "name": name, "description": "a GPU", "memory_total": bytes, "memory_free": bytes }))
            .collect();
        std::fs::write(self.dir.path().join("devices"), json!(list).to_string()).unwrap();
    }

    /// A pipe `bell` in the process's folder; what is returned ends when something is written into it.
    pub(super) fn bell(&self) -> impl Future<Output = ()> + use<> {
        let fifo = self.dir.path().join("bell");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let (rung, wait) = tokio::sync::oneshot::channel();
        // Nothing waits for this thread, so that a bell that stays silent fails its test and does not hold it up.
        std::thread::spawn(move || rung.send(std::fs::read(fifo)));
        async {
            let rung = tokio::time::timeout(Duration::from_secs(30), wait).await.expect("the bell stays silent");
            assert!(!rung.unwrap().unwrap().is_empty());
        }
    }

    pub(super) fn devices(mut self, devices: &[&str]) -> Self {
        self.config.devices = devices.iter().map(|&device| device.to_owned()).collect();
        self
    }

    pub(super) fn pool(&self) -> Local {
        Local::new(&self.config, self.dir.path().join("program")).unwrap()
    }

    /// The models and devices of the processes in the order of their starts, in one line.
    pub(super) fn started(&self) -> String {
        let started = std::fs::read_to_string(self.dir.path().join("started")).unwrap_or_default();
        started.lines().collect::<Vec<_>>().join(", ")
    }
}

/// A model with the sizes of the smoke model.
pub(super) fn model(name: &str) -> ModelRef {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke/ggml-smoke-q8_0.bin");
    ModelRef::new(name, path)
}

pub(super) fn window(model: &str) -> Window {
    Window { job: 1, is_urgent: false, model: self::model(model), pcm: "/tmp/x".into(), range: 0..1 }
}

pub(super) fn ask() -> Ask {
    Ask { language: Some("en".to_owned()), previous: String::new(), options: Options::default() }
}

pub(super) async fn run(pool: &Local, model: &str) -> Result<Recognised> {
    pool.recognise(&window(model), &ask(), &|_| {}, &CancellationToken::new()).await
}

/// Runs a window that the process holds on to, as long as `meanwhile` takes; then its caller is gone.
pub(super) async fn held<T>(pool: &Local, model: &str, meanwhile: impl Future<Output = T>) -> T {
    let begun = tokio::sync::Notify::new();
    let (window, ask, cancel) = (window(model), ask(), CancellationToken::new());
    let listener = |_| begun.notify_one();
    tokio::select! {
        end = pool.recognise(&window, &ask, &listener, &cancel) => panic!("it was to be held: {end:?}"),
        done = async {
            begun.notified().await;
            meanwhile.await
        } => done,
    }
}
