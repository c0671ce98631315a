//! Mirrors, checks, and what stays when a download fails.

use super::{
    super::check::tests::{TINY, write_model},
    *,
};

/// Gives what it was made with, per host; counts calls.
struct Hosts {
    one: Result<Vec<u8>, Code>,
    two: Result<Vec<u8>, Code>,
    calls: AtomicU64,
}

#[async_trait]
impl Fetch for Hosts {
    async fn fetch(
        &self,
        url: &str,
        part: &Path,
        _: RangeInclusive<u64>,
        progress: &Progress<'_>,
        _: &CancellationToken,
    ) -> Result<u64> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        assert!(url.ends_with("/ggml-tiny-q5_1.bin") || url.ends_with("/ggml-tiny.bin"), "{url}");
        let answer = if url.starts_with("https://one/x/") { &self.one } else { &self.two };
        let bytes = answer.as_ref().map_err(|code| Error::new(*code, "no"))?;
        fs::write(part, bytes)?;
        progress(bytes.len() as u64, None);
        Ok(bytes.len() as u64)
    }
}

fn hosts(one: Result<Vec<u8>, Code>, two: Result<Vec<u8>, Code>) -> Hosts {
    Hosts { one, two, calls: AtomicU64::new(0) }
}

async fn pull(models: &Models, name: &str, fetch: &dyn Fetch) -> Result<ModelRef> {
    models.pull(name, fetch, &|_, _| {}, &CancellationToken::new()).await
}

#[tokio::test]
async fn mirrors_are_tried_in_order_and_downloads_checked() {
    let dir = TempDir::new().unwrap();
    let models = models(dir.path());

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
    models.remove("tiny-q5_1").unwrap();
    assert_eq!(models.resolve(Some("tiny-q5_1")).unwrap_err().code, Code::ModelMissing);

    fs::write(dir.path().join("ggml-tiny.bin.part"), b"half").unwrap();
    let down = hosts(Err(Code::ConnectFailed), Err(Code::SourceTimeout));
    assert_eq!(pull(&models, "tiny", &down).await.unwrap_err().code, Code::ModelPull);
    assert_eq!(models.started("tiny"), 4, "the part is kept");
    let offline = Models { offline: true, ..models };
    assert!(pull(&offline, "tiny", &down).await.unwrap_err().detail.contains("models.offline"));
    assert_eq!(down.calls.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_full_disk_is_told_and_no_reason_to_ask_the_next_mirror() {
    let dir = TempDir::new().unwrap();
    let full = hosts(Err(Code::InsufficientStorage), Ok(smoke()));
    let error = pull(&models(dir.path()), "tiny-q5_1", &full).await.unwrap_err();
    assert_eq!((error.code, full.calls.load(Ordering::Relaxed)), (Code::InsufficientStorage, 1));
    assert!(error.hint.contains("disk space") && error.detail.contains("tiny-q5_1"), "{} {}", error.detail, error.hint);
}

/// Puts a file of another hash in the place of any model.
struct Forged;

#[async_trait]
impl Fetch for Forged {
    async fn fetch(
        &self,
        _: &str,
        part: &Path,
        sizes: RangeInclusive<u64>,
        _: &Progress<'_>,
        _: &CancellationToken,
    ) -> Result<u64> {
        write_model(part, TINY);
        let size = part.metadata()?.len();
        assert!(sizes.contains(&size), "{size} is not in {sizes:?}");
        Ok(size)
    }
}

#[tokio::test]
async fn a_wrong_hash_throws_the_file_away() {
    let dir = TempDir::new().unwrap();
    let error = pull(&models(dir.path()), "tiny", &Forged).await.unwrap_err();
    assert_eq!(error.code, Code::ModelPull);
    assert!(error.detail.contains("not the official one"), "{}", error.detail);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// Stands in the middle of a download while another one is tried.
struct Tried<'a>(&'a Models);

#[async_trait]
impl Fetch for Tried<'_> {
    async fn fetch(
        &self,
        _: &str,
        part: &Path,
        _: RangeInclusive<u64>,
        _: &Progress<'_>,
        _: &CancellationToken,
    ) -> Result<u64> {
        let other = hosts(Ok(smoke()), Ok(smoke()));
        let error = pull(self.0, "tiny-q5_1", &other).await.unwrap_err();
        assert_eq!((error.code, other.calls.load(Ordering::Relaxed)), (Code::Conflict, 0));
        fs::write(part, smoke())?;
        Ok(smoke().len() as u64)
    }
}

#[tokio::test]
async fn one_process_at_a_time_downloads_a_model() {
    let dir = TempDir::new().unwrap();
    // Two that know nothing of each other but the folder, as two processes do.
    let (ours, theirs) = (models(dir.path()), models(dir.path()));
    pull(&ours, "tiny-q5_1", &Tried(&theirs)).await.unwrap();
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "more than the model is left");
    let other = hosts(Ok(smoke()), Ok(smoke()));
    pull(&theirs, "tiny-q5_1", &other).await.unwrap();
    assert_eq!(other.calls.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_whole_download_that_was_not_checked_is_checked_before_anything_is_fetched() {
    let dir = TempDir::new().unwrap();
    let (models, part) = (models(dir.path()), dir.path().join("ggml-tiny-q5_1.bin.part"));
    fs::write(&part, smoke()).unwrap();
    let down = hosts(Err(Code::ConnectFailed), Err(Code::ConnectFailed));
    let model = pull(&models, "tiny-q5_1", &down).await.unwrap();
    assert_eq!((fs::read(&model.path).unwrap(), down.calls.load(Ordering::Relaxed)), (smoke(), 0));
    assert!(!part.exists());

    models.remove("tiny-q5_1").unwrap();
    for (bytes, meta) in [(&smoke()[..2_000_000], false), (&smoke()[..], true)] {
        fs::write(&part, bytes).unwrap();
        if meta {
            fs::write(dir.path().join("ggml-tiny-q5_1.bin.part.meta"), "{}").unwrap();
        }
        let down = hosts(Err(Code::ConnectFailed), Err(Code::ConnectFailed));
        assert_eq!(pull(&models, "tiny-q5_1", &down).await.unwrap_err().code, Code::ModelPull);
        assert_eq!(down.calls.load(Ordering::Relaxed), 2, "what is not whole was taken");
        assert_eq!(fs::read(&part).unwrap(), bytes, "what is not whole was thrown away");
    }
}

#[test]
fn addresses_are_shown_without_secrets() {
    let shown = crate::transcribe::models::pull::shown;
    assert_eq!(shown("https://me:secret@a.example:8443/x/y.bin?key=secret#secret"), "https://a.example:8443/x/y.bin");
    assert!(!shown("secret").contains("secret"));
}

#[test]
fn published_sizes_fit_what_is_downloaded() {
    // Sizes of real downloads, in bytes.
    for (name, size) in [
        ("tiny", 77_691_713),
        ("base", 147_951_465),
        ("small", 487_601_967),
        ("medium", 1_533_763_059),
        ("large-v3", 3_095_033_483),
        ("large-v3-q5_0", 1_081_140_203),
        ("large-v3-turbo", 1_624_555_275),
        ("large-v3-turbo-q5_0", 574_041_195),
        ("tiny-q5_1", 32_152_673),
        ("large-v2-q8_0", 1_656_129_691),
    ] {
        let sizes = catalogue::official(name).unwrap().sizes();
        assert!(sizes.contains(&size), "{name}: {size} is not in {sizes:?}");
        assert!(!sizes.contains(&20_000) && !sizes.contains(&(5 << 30)), "{name}");
    }
}
