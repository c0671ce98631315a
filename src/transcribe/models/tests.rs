//! The models folder: names, checks, downloads.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;

fn smoke() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke/ggml-smoke-q8_0.bin")).unwrap()
}

fn models(dir: &Path) -> Models {
    Models::new(&ModelsConfig {
        dir: dir.to_owned(),
        default: "auto".to_owned(),
        base_urls: ["https://one/x/", "https://two/y"].map(str::to_owned).into(),
        proxy: String::new(),
        offline: false,
        aliases: BTreeMap::from([("smoke".to_owned(), "smoke-q8_0".to_owned())]),
    })
}

fn checked(bytes: &[u8]) -> Result<ModelInfo> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("ggml-x.bin");
    fs::write(&path, bytes).unwrap();
    check_file(&path)
}

#[test]
fn a_good_file_passes_and_broken_ones_do_not() {
    let good = smoke();
    let info = checked(&good).unwrap();
    assert_eq!((info.ftype.as_str(), info.multilingual, info.size), ("q8_0", true, good.len() as u64));
    assert_eq!((info.dims.n_text_layer, info.dims.n_audio_state, info.dims.n_mels), (3, 96, 80));

    let with = |at: usize, value: i32| {
        let mut bytes = good.clone();
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
        bytes
    };
    // The weights begin where the vocabulary ends.
    let mut weights = 48 + 8 + 80 * 201 * 4;
    let number = |at: usize| i32::from_le_bytes(good[at..at + 4].try_into().unwrap());
    let tokens = number(weights);
    weights += 4;
    for _ in 0..tokens {
        weights += 4 + usize::try_from(number(weights)).unwrap();
    }
    let mut silero = 0x6767_6d6c_i32.to_le_bytes().to_vec();
    silero.extend(10i32.to_le_bytes());
    silero.extend(b"silero-16k and much more than a header's worth of bytes after it");
    for (bytes, told) in [
        (good[..good.len() - 1].to_vec(), "cut off"),
        (good[..weights + 100].to_vec(), "cut off"),
        (good[..weights].to_vec(), "no weights"),
        (good[..30].to_vec(), "cut off"),
        ([&good[..], b"<html>"].concat(), "goes on"),
        (b"<!DOCTYPE html><html>".to_vec(), "wrong bytes"),
        (Vec::new(), "wrong bytes"),
        (silero, "Silero"),
        (with(12, 0), "makes no sense"),
        (with(12, -96), "makes no sense"),
        (with(20, i32::MAX), "makes no sense"),
        (with(44, 9_999), "makes no sense"),
        (with(52, 400), "mel filters"),
        (with(weights, 99), "damaged"),
        (with(weights + 12, 97), "wrong size"),
        (with(weights + 8, 5), "wrong size"),
        (with(20, 3), "too much"),
        (with(20, 5), "missing"),
    ] {
        let error = checked(&bytes).unwrap_err();
        assert_eq!(error.code, Code::ModelInvalid);
        assert!(error.detail.starts_with("ggml-x.bin ") && error.detail.contains(told), "{told}: {}", error.detail);
    }
}

#[test]
fn names_are_resolved() {
    let dir = TempDir::new().unwrap();
    let models = models(dir.path());
    let missing = models.resolve(None).unwrap_err();
    assert_eq!(missing.code, Code::ModelMissing);
    assert!(missing.hint.contains("trawl models pull base"), "{}", missing.hint);

    fs::create_dir_all(dir.path().join("smoke/deep")).unwrap();
    for file in ["smoke/ggml-smoke-q8_0.bin", "smoke/deep/ggml-hidden.bin", "other.bin"] {
        fs::write(dir.path().join(file), b"x").unwrap();
    }
    let smoke = models.resolve(Some("smoke")).unwrap();
    assert_eq!((smoke.name.as_str(), &smoke.path), ("smoke-q8_0", &dir.path().join("smoke/ggml-smoke-q8_0.bin")));
    assert_eq!(models.resolve(None).unwrap_err().code, Code::ModelMissing, "never chosen silently");
    assert_eq!(Models { default: "smoke".to_owned(), ..models.clone() }.resolve(None).unwrap(), smoke);

    let unknown = models.resolve(Some("large-v3-trubo")).unwrap_err();
    assert_eq!((unknown.code, unknown.hint.as_str()), (Code::UnknownModel, "Did you mean \"large-v3-turbo\"?"));
    for bad in ["../smoke/ggml-smoke-q8_0", "hidden", "x/y", "\0"] {
        assert_eq!(models.resolve(Some(bad)).unwrap_err().code, Code::UnknownModel, "{bad}");
    }
    let list = models.list();
    assert_eq!(list.len(), OFFICIAL.len() + 1);
    let listed = list.iter().find(|model| model.name == "smoke-q8_0").unwrap();
    assert!(listed.present && !listed.official && !listed.default && listed.aliases == ["smoke"]);
    assert!(listed.problem.as_ref().unwrap().contains("wrong bytes"));
    assert!(list.iter().any(|model| model.name == "base" && model.default && !model.present));
}

#[test]
fn models_say_what_they_cannot_do() {
    let ask =
        |language: Option<&str>, task| Options { language: language.map(str::to_owned), task, ..Options::default() };
    let field = |name: &str, options: &Options| validate(name, options).unwrap_err().field.unwrap();
    assert_eq!(field("base.en", &ask(Some("zh"), Goal::Transcribe)), "language");
    assert_eq!(field("tiny.en-q5_1", &ask(None, Goal::Translate)), "task");
    assert_eq!(field("large-v3-turbo-q5_0", &ask(None, Goal::Translate)), "task");
    assert_eq!(field("base", &ask(Some("klingon"), Goal::Transcribe)), "language");
    validate("base.en", &ask(Some("english"), Goal::Transcribe)).unwrap();
    validate("large-v3", &ask(Some("zh"), Goal::Translate)).unwrap();
}

/// Gives what it was made with, per host; counts calls.
struct Hosts {
    one: Result<Vec<u8>, Code>,
    two: Result<Vec<u8>, Code>,
    calls: AtomicU64,
}

#[async_trait]
impl Fetch for Hosts {
    async fn fetch(&self, url: &str, part: &Path, progress: &Progress<'_>, _: &CancellationToken) -> Result<u64> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        assert!(url.ends_with("/ggml-tiny-q5_1.bin") || url.ends_with("/ggml-tiny.bin"), "{url}");
        let answer = if url.starts_with("https://one/x/") { &self.one } else { &self.two };
        let bytes = answer.as_ref().map_err(|code| Error::new(*code, "no"))?;
        fs::write(part, bytes)?;
        progress(bytes.len() as u64, None);
        Ok(bytes.len() as u64)
    }
}

async fn pull(models: &Models, name: &str, hosts: &Hosts) -> Result<ModelRef> {
    models.pull(name, hosts, &|_, _| {}, &CancellationToken::new()).await
}

#[tokio::test]
async fn mirrors_are_tried_in_order_and_downloads_checked() {
    let dir = TempDir::new().unwrap();
    let models = models(dir.path());
    let hosts = |one, two| Hosts { one, two, calls: AtomicU64::new(0) };

    let broken = hosts(Err(Code::ConnectFailed), Ok(smoke()[..5_000].to_vec()));
    let error = pull(&models, "tiny-q5_1", &broken).await.unwrap_err();
    assert_eq!((error.code, broken.calls.load(Ordering::Relaxed)), (Code::ModelPull, 2));
    assert!(error.detail.contains("cut off"), "{}", error.detail);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "a wrong file is no start to go on from");

    let good = hosts(Err(Code::ConnectFailed), Ok(smoke()));
    let model = pull(&models, "tiny-q5_1", &good).await.unwrap();
    assert_eq!(models.resolve(Some("tiny-q5_1")).unwrap(), model);
    assert!(matches!(models.verify("tiny-q5_1").unwrap(), Verdict::UnknownButValid { sha1 } if sha1.len() == 40));
    pull(&models, "tiny-q5_1", &good).await.unwrap();
    assert_eq!(good.calls.load(Ordering::Relaxed), 2, "what is here is not fetched again");

    let error = pull(&models, "tiny", &hosts(Ok(smoke()), Ok(smoke()))).await.unwrap_err();
    assert!(error.detail.contains("not the official one"), "{}", error.detail);
    models.remove("tiny-q5_1").unwrap();
    assert_eq!(models.resolve(Some("tiny-q5_1")).unwrap_err().code, Code::ModelMissing);

    fs::write(dir.path().join("ggml-tiny.bin.part"), b"half").unwrap();
    let down = hosts(Err(Code::ConnectFailed), Err(Code::SourceTimeout));
    assert_eq!(pull(&models, "tiny", &down).await.unwrap_err().code, Code::ModelPull);
    assert!(dir.path().join("ggml-tiny.bin.part").exists(), "the part is kept");
    let offline = Models { offline: true, ..models };
    assert!(pull(&offline, "tiny", &down).await.unwrap_err().detail.contains("models.offline"));
    assert_eq!(down.calls.load(Ordering::Relaxed), 2);
}
