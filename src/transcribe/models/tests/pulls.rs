//! Downloads in the background.

use tokio::sync::watch;

use super::*;

/// Sends half, waits until it may go on, sends the rest. Knows who was cancelled.
struct Gated {
    open: watch::Receiver<bool>,
    bytes: Vec<u8>,
}

#[async_trait]
impl Fetch for Gated {
    async fn fetch(
        &self,
        _: &str,
        part: &Path,
        _: RangeInclusive<u64>,
        progress: &Progress<'_>,
        cancel: &CancellationToken,
    ) -> Result<u64> {
        let total = self.bytes.len();
        fs::write(part, &self.bytes[..total / 2])?;
        progress(total as u64 / 2, Some(total as u64));
        let mut open = self.open.clone();
        tokio::select! {
            _ = open.wait_for(|open| *open) => {}
            () = cancel.cancelled() => return Err(Error::new(Code::Cancelled, "stopped")),
        }
        fs::write(part, &self.bytes)?;
        progress(total as u64, Some(total as u64));
        Ok(total as u64)
    }
}

fn gated(dir: &Path, bytes: Vec<u8>) -> (watch::Sender<bool>, Models, Pulls) {
    let (gate, open) = watch::channel(false);
    let models = models(dir);
    let pulls = Pulls::new(models.clone(), Arc::new(Gated { open, bytes }));
    (gate, models, pulls)
}

fn running(started: Started) -> Pull {
    match started {
        Started::Running(pull) => pull,
        Started::Here(model) => panic!("{model:?} is here"),
    }
}

#[tokio::test]
async fn a_download_is_followed_and_its_end_is_told() {
    let dir = TempDir::new().unwrap();
    let (gate, models, pulls) = gated(dir.path(), smoke());
    let mut arrivals = pulls.arrivals();
    assert!(pulls.of("tiny-q5_1").is_none() && pulls.ended("tiny-q5_1").await.is_none());
    let pull = running(pulls.start("Tiny-Q5_1").unwrap());
    assert_eq!((pull.name.as_str(), pull.state, pull.total), ("tiny-q5_1", PullState::Running, None));
    assert_eq!(pulls.start("tiny-q5_1").unwrap_err().code, Code::Conflict);
    gate.send_replace(true);
    let end = pulls.ended("tiny-q5_1").await.unwrap();
    let size = smoke().len() as u64;
    assert_eq!((end.state, end.received, end.total, end.bytes_per_second), (PullState::Done, size, Some(size), 0));
    arrivals.changed().await.unwrap();
    assert!(models.resolve(Some("tiny-q5_1")).is_ok());
    assert!(matches!(pulls.start("tiny-q5_1").unwrap(), Started::Here(_)));
    assert_eq!(pulls.start("no such").unwrap_err().code, Code::UnknownModel);
}

/// A network that is not to be used.
struct Never;

#[async_trait]
impl Fetch for Never {
    async fn fetch(
        &self,
        _: &str,
        _: &Path,
        _: RangeInclusive<u64>,
        _: &Progress<'_>,
        _: &CancellationToken,
    ) -> Result<u64> {
        Err(Error::new(Code::ConnectFailed, "there is no network"))
    }
}

#[tokio::test]
async fn a_download_can_be_stopped_and_started_again() {
    let dir = TempDir::new().unwrap();
    let (gate, models, pulls) = gated(dir.path(), smoke());
    assert_eq!(pulls.cancel("tiny-q5_1").await.unwrap_err().code, Code::NotFound);
    running(pulls.start("tiny-q5_1").unwrap());
    let pull = pulls.cancel("tiny-q5_1").await.unwrap();
    assert_eq!((pull.state, pull.error), (PullState::Cancelled, None));
    assert!(!models.is_pulling("tiny-q5_1"));
    assert_eq!(pulls.cancel("tiny-q5_1").await.unwrap_err().code, Code::NotFound);
    gate.send_replace(true);
    running(pulls.start("tiny-q5_1").unwrap());
    assert_eq!(pulls.ended("tiny-q5_1").await.unwrap().state, PullState::Done);
}

#[tokio::test]
async fn a_failure_is_kept_for_whoever_looks_and_nothing_starts_after_the_end() {
    let dir = TempDir::new().unwrap();
    let pulls = Pulls::new(models(dir.path()), Arc::new(Never));
    running(pulls.start("tiny").unwrap());
    let end = pulls.ended("tiny").await.unwrap();
    let error = end.error.unwrap();
    assert_eq!((end.state, error.code.as_str()), (PullState::Failed, "model_pull"));
    assert_eq!(end.total, Some(75 << 20));
    assert_eq!(*pulls.arrivals().borrow(), 0);

    let (_gate, _, pulls) = gated(dir.path(), smoke());
    running(pulls.start("tiny-q5_1").unwrap());
    pulls.shutdown().await;
    assert_eq!(pulls.of("tiny-q5_1").unwrap().state, PullState::Cancelled);
    assert_eq!(pulls.start("tiny").unwrap_err().code, Code::ShuttingDown);
}
