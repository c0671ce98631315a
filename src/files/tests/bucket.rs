//! Files in a bucket: what goes there, what comes back, and what happens when the wire breaks.

use std::{net::SocketAddr, sync::Arc};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    s3::{BUCKET, KEYS, S3, Way, Wire},
    *,
};

const MIB: u64 = 1024 * 1024;

/// More than two parts of an upload.
const LARGE: u64 = 12 * MIB + 5;

pub(super) fn storage(address: SocketAddr) -> StorageConfig {
    StorageConfig {
        url: format!("s3://{BUCKET}/under/here"),
        endpoint: format!("http://{address}"),
        access_key: KEYS.0.to_owned(),
        secret_key: KEYS.1.to_owned(),
        allow_http: true,
        ..Config::defaults().storage
    }
}

/// A server, a wire to it, and a node whose files lie there.
struct Stage {
    home: TempDir,
    s3: S3,
    wire: Wire,
    files: Files,
}

impl Stage {
    async fn set() -> Self {
        let (home, s3) = (tempfile::tempdir().unwrap(), S3::start().await);
        let wire = Wire::to(s3.address).await;
        let files = open_with(home.path(), &storage(wire.address)).await.unwrap();
        Self { home, s3, wire, files }
    }

    /// Another node on the same bucket.
    async fn other(&self) -> (TempDir, Files) {
        let home = tempfile::tempdir().unwrap();
        let files = open_with(home.path(), &storage(self.wire.address)).await.unwrap();
        (home, files)
    }

    /// Empties the cache behind the daemon's back.
    fn wipe(&self) {
        let cache = self.home.path().join("temp/cache");
        fs::remove_dir_all(&cache).unwrap();
        fs::create_dir(cache).unwrap();
    }

    fn cached(&self) -> usize {
        fs::read_dir(self.home.path().join("temp/cache")).unwrap().count()
    }
}

/// Bytes that compress badly and repeat nowhere.
fn noise(length: u64) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    std::iter::repeat_with(next).take(usize::try_from(length).unwrap()).collect()
}

#[tokio::test]
async fn a_file_goes_up_in_parts_and_reaches_another_node() {
    let stage = Stage::set().await;
    let bytes = noise(LARGE);
    let kept = stage.files.keep(&put(&stage.files, &bytes)).await.unwrap();
    assert_eq!((stage.s3.objects().len(), stage.s3.unfinished(), stage.cached()), (1, 0, 1));
    let object = &stage.s3.objects()[0];
    assert!(object.ends_with(format!("{BUCKET}/under/here/{}", kept.key)), "{}", object.display());
    assert!(fs::read(object).unwrap() == bytes);
    let (_home, other) = stage.other().await;
    let path = other.kept_path(&kept.key).await.unwrap();
    assert!(fs::read(&*path).unwrap() == bytes);
    stage.wire.mend();
    other.kept_path(&kept.key).await.unwrap();
    assert_eq!(stage.wire.passed(Way::Down), 0, "it was here already");
    // Deleted by one, it is gone for all; whoever reads it may go on.
    stage.files.delete_kept(&kept.key).await.unwrap();
    assert_eq!((stage.s3.objects().len(), stage.cached()), (0, 0));
    assert!(fs::read(&*path).unwrap() == bytes);
    assert_eq!(other.cached(), std::slice::from_ref(&kept.key));
    other.forget(&kept.key);
    assert!(path.is_file(), "somebody reads it");
    drop(path);
    assert!(other.cached().is_empty());
    assert_eq!(other.kept_path(&kept.key).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn a_broken_upload_goes_on() {
    let stage = Stage::set().await;
    let bytes = noise(LARGE);
    stage.wire.cut_after(Way::Up, 7 * MIB, false);
    let kept = stage.files.keep(&put(&stage.files, &bytes)).await.unwrap();
    assert_eq!((stage.wire.cuts(), stage.s3.objects().len(), stage.s3.unfinished()), (1, 1, 0));
    stage.wipe();
    assert!(fs::read(&*stage.files.kept_path(&kept.key).await.unwrap()).unwrap() == bytes);
}

#[tokio::test]
async fn an_upload_that_cannot_end_leaves_the_file_where_it_is() {
    let stage = Stage::set().await;
    let bytes = noise(LARGE);
    let source = put(&stage.files, &bytes);
    stage.wire.cut_after(Way::Up, 7 * MIB, true);
    let error = stage.files.keep(&source).await.unwrap_err();
    assert_eq!((error.code, error.is_retryable()), (Code::Storage, true), "{}", error.chain());
    assert!(source.exists() && stage.s3.objects().is_empty());
    stage.wire.mend();
    stage.files.keep(&source).await.unwrap();
    assert!(!source.exists());
}

#[tokio::test]
async fn a_broken_download_goes_on() {
    let stage = Stage::set().await;
    let bytes = noise(LARGE);
    let kept = stage.files.keep(&put(&stage.files, &bytes)).await.unwrap();
    stage.wipe();
    stage.wire.cut_after(Way::Down, 5 * MIB, false);
    let path = stage.files.kept_path(&kept.key).await.unwrap();
    assert!(fs::read(&*path).unwrap() == bytes);
    assert_eq!(stage.wire.cuts(), 1);
    let passed = stage.wire.passed(Way::Down);
    assert!(passed < LARGE + 2 * MIB, "{passed} bytes came: it began anew");
    // So does what is read for the API.
    stage.wire.cut_after(Way::Down, 5 * MIB, false);
    let open = stage.files.open_kept(&kept.key, Some(1..LARGE)).await.unwrap();
    let pieces: Vec<bytes::Bytes> = open.stream.try_collect().await.unwrap();
    assert!(pieces.concat() == bytes[1..] && stage.wire.cuts() == 2);
}

#[tokio::test]
async fn a_download_that_cannot_end_is_resumed_by_the_next() {
    let stage = Stage::set().await;
    let bytes = noise(LARGE);
    let kept = stage.files.keep(&put(&stage.files, &bytes)).await.unwrap();
    stage.wipe();
    stage.wire.cut_after(Way::Down, 9 * MIB, true);
    let error = stage.files.kept_path(&kept.key).await.unwrap_err();
    assert_eq!((error.code, error.is_retryable()), (Code::Storage, true), "{}", error.chain());
    assert!(stage.files.cached().is_empty(), "half a file counts for nothing");
    assert_eq!(stage.files.is_whole(&kept.key, None).await.unwrap_err().code, Code::Storage, "nobody can say");
    stage.wire.mend();
    let path = stage.files.kept_path(&kept.key).await.unwrap();
    assert!(fs::read(&*path).unwrap() == bytes);
    let passed = stage.wire.passed(Way::Down);
    assert!(passed < 6 * MIB, "{passed} bytes came though most was here");
}

#[tokio::test]
async fn other_bytes_than_were_kept_are_never_used() {
    let stage = Stage::set().await;
    let kept = stage.files.keep(&put(&stage.files, &noise(LARGE))).await.unwrap();
    stage.wipe();
    let object = &stage.s3.objects()[0];
    let good = fs::read(object).unwrap();
    let mut bad = good.clone();
    bad[1000] ^= 1;
    fs::write(object, &bad).unwrap();
    let error = stage.files.kept_path(&kept.key).await.unwrap_err();
    assert!(error.code == Code::Storage && !error.is_retryable() && error.detail.contains("SHA-256"), "{error}");
    assert_eq!((stage.cached(), stage.files.cached().len()), (0, 0));
    // The beginning that is here may be what is wrong.
    fs::write(object, &good).unwrap();
    let name = kept.key.split_once('/').unwrap().1;
    fs::write(stage.home.path().join(format!("temp/cache/{name}.part")), &bad[..5000]).unwrap();
    assert!(fs::read(&*stage.files.kept_path(&kept.key).await.unwrap()).unwrap() == good);
    // More than there is, too.
    stage.wipe();
    fs::write(stage.home.path().join(format!("temp/cache/{name}.part")), [bad.as_slice(), b"more"].concat()).unwrap();
    assert!(fs::read(&*stage.files.kept_path(&kept.key).await.unwrap()).unwrap() == good);
}

#[tokio::test]
async fn bytes_that_change_on_the_way_are_found_out() {
    let stage = Stage::set().await;
    let bytes = noise(LARGE);
    let source = put(&stage.files, &bytes);
    // Up: the other side compares what it gets with what was signed, and the part is sent again.
    stage.wire.damage_after(Way::Up, 7 * MIB);
    let kept = stage.files.keep(&source).await.unwrap();
    assert_eq!((stage.wire.cuts(), stage.s3.objects().len(), stage.s3.unfinished()), (1, 1, 0));
    assert!(fs::read(&stage.s3.objects()[0]).unwrap() == bytes);
    // Down: the hash tells, and it is fetched once more.
    stage.wipe();
    stage.wire.damage_after(Way::Down, 7 * MIB);
    let path = stage.files.kept_path(&kept.key).await.unwrap();
    assert!(fs::read(&*path).unwrap() == bytes && stage.wire.cuts() == 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_want_one_file_fetch_it_once() {
    let stage = Stage::set().await;
    let kept = stage.files.keep(&put(&stage.files, &noise(LARGE))).await.unwrap();
    stage.wipe();
    stage.wire.mend();
    let wanted = (0..8).map(|_| {
        let (files, key) = (stage.files.clone(), kept.key.clone());
        tokio::spawn(async move { files.kept_path(&key).await.unwrap().metadata().unwrap().len() })
    });
    for size in futures_util::future::join_all(wanted).await {
        assert_eq!(size.unwrap(), LARGE);
    }
    let passed = stage.wire.passed(Way::Down);
    assert!(passed < LARGE + MIB, "{passed} bytes came for one file");
}

/// Each has a name of its own, so that deleting one can never take another's, unless it is known to be the same.
#[tokio::test]
async fn the_same_bytes_are_one_file_where_that_is_known() {
    let stage = Stage::set().await;
    let one = stage.files.keep(&put(&stage.files, MP4)).await.unwrap();
    let two = stage.files.keep(&put(&stage.files, MP4)).await.unwrap();
    assert!(one.key != two.key && one.sha256 == two.sha256 && stage.s3.objects().len() == 2);
    let again = stage.files.keep_again(&put(&stage.files, MP4), Some(&one.key)).await.unwrap();
    assert_eq!((again.key.as_str(), again.reused, stage.s3.objects().len()), (one.key.as_str(), true, 2));
    let other = stage.files.keep_again(&put(&stage.files, b"other bytes"), Some(&one.key)).await.unwrap();
    assert!(!other.reused && other.key != one.key);
    stage.files.delete_kept(&one.key).await.unwrap();
    let anew = stage.files.keep_again(&put(&stage.files, MP4), Some(&one.key)).await.unwrap();
    assert!(!anew.reused && anew.key != one.key, "what is gone is no good");
}

#[tokio::test]
async fn a_bucket_is_listed_by_its_own_clock_and_our_names() {
    let stage = Stage::set().await;
    let old = stage.files.keep(&put(&stage.files, MP4)).await.unwrap();
    let object = stage.s3.objects().remove(0);
    make_old(&object);
    fs::copy(&object, object.with_file_name("holiday.mp4")).unwrap();
    stage.files.keep(&put(&stage.files, b"new")).await.unwrap();
    assert_eq!(listed(&stage.files, HOUR).await, [old.key]);
    assert_eq!(listed(&stage.files, Duration::ZERO).await.len(), 2);
}

#[tokio::test]
async fn the_cache_is_bounded() {
    let (home, s3) = (tempfile::tempdir().unwrap(), S3::start().await);
    let small = StorageConfig { cache_bytes: 2 * MIB, ..storage(s3.address) };
    let files = open_with(home.path(), &small).await.unwrap();
    let mut keys = Vec::new();
    for n in 0..3 {
        let bytes = [noise(MIB), vec![n]].concat();
        keys.push(files.keep(&put(&files, &bytes)).await.unwrap().key);
    }
    assert_eq!(files.cached(), [keys[2].clone()], "two of them do not fit");
    let held = files.kept_path(&keys[0]).await.unwrap();
    let too = files.kept_path(&keys[1]).await.unwrap();
    assert!(held.is_file() && too.is_file(), "what is in use stays");
    drop((held, too));
    assert_eq!(files.cached().len(), 1);
    // One that will never fit is not shelved, and nothing makes way for it; it can be used all the same.
    let large = files.keep(&put(&files, &noise(3 * MIB))).await.unwrap();
    assert_eq!(files.cached().len(), 1);
    let path = files.kept_path(&large.key).await.unwrap();
    assert_eq!(path.metadata().unwrap().len(), 3 * MIB);
    drop(path);
    assert!(files.cached().is_empty());
}

/// Whoever gives up waiting leaves no half upload that the bucket is charged for.
#[tokio::test]
async fn an_upload_that_nobody_waits_for_is_taken_back() {
    let stage = Stage::set().await;
    let files = stage.files.clone();
    let source = put(&stage.files, &noise(40 * MIB));
    let keeping = tokio::spawn(async move { files.keep(&source).await });
    while stage.s3.unfinished() == 0 {
        tokio::task::yield_now().await;
    }
    keeping.abort();
    assert!(keeping.await.unwrap_err().is_cancelled());
    let stopped = async {
        while stage.s3.unfinished() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), stopped).await.expect("parts are left");
    assert!(stage.s3.objects().is_empty());
}

/// A server without that bucket, in the words of S3; the one over a folder makes any that is written to.
async fn without_bucket() -> SocketAddr {
    const SAYS: &str = "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code></Error>";
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let read = socket.read(&mut head).await.unwrap();
            assert!(head[..read].starts_with(b"PUT /media/under/here/.trawl-"));
            let length = SAYS.len();
            let answer =
                format!("HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{SAYS}");
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_storage_that_does_not_work_is_told_at_the_start() {
    let s3 = S3::start().await;
    let wire = Wire::to(s3.address).await;
    let home = tempfile::tempdir().unwrap();
    check_storage(&storage(wire.address)).await.unwrap();
    assert!(s3.objects().is_empty(), "the check leaves nothing");
    let wrong_key = StorageConfig { secret_key: "another".to_owned(), ..storage(wire.address) };
    let no_bucket = storage(without_bucket().await);
    for (config, code, words) in [
        (wrong_key, Code::Config, "access is refused"),
        (no_bucket, Code::Config, "there is no such bucket"),
        (storage(wire.address), Code::Storage, "it does not answer"),
    ] {
        if code == Code::Storage {
            wire.cut_after(Way::Up, 1, true);
        }
        for error in [check_storage(&config).await.unwrap_err(), open_with(home.path(), &config).await.unwrap_err()] {
            assert_eq!(error.code, code, "{}", error.chain());
            assert!(error.detail.contains(words) && error.detail.contains(&config.url), "{error}");
            assert!(!error.chain().contains(KEYS.1), "{}", error.chain());
        }
    }
    let place = home.path().join("new");
    let folder = StorageConfig { url: format!("file://{}", place.display()), ..Config::defaults().storage };
    assert!(check_storage(&folder).await.unwrap().contains(place.to_str().unwrap()));
    fs::write(home.path().join("file"), "").unwrap();
    let blocked = StorageConfig { url: format!("file://{}/file", home.path().display()), ..Config::defaults().storage };
    let error = check_storage(&blocked).await.unwrap_err();
    assert!(error.code == Code::Config && error.detail.contains("storage.url"), "{error}");
}

#[tokio::test]
async fn two_nodes_take_in_and_delete_the_same_bytes_at_once() {
    let stage = Stage::set().await;
    let (_home, other) = stage.other().await;
    let both = [Arc::new(stage.files.clone()), Arc::new(other)];
    for _ in 0..10 {
        let mine = both[0].keep(&put(&both[0], MP4)).await.unwrap();
        let source = put(&both[1], MP4);
        let (theirs, gone) = tokio::join!(both[1].keep(&source), both[0].delete_kept(&mine.key));
        gone.unwrap();
        let theirs = theirs.unwrap();
        assert!(
            both[1].is_whole(&theirs.key, Some(MP4.len() as i64)).await.unwrap(),
            "one node's deletion took another's file"
        );
        both[1].delete_kept(&theirs.key).await.unwrap();
    }
}
