mod bucket;
pub(crate) mod s3;

use std::{
    collections::HashSet,
    fs::{self, File, FileTimes},
    os::unix::fs::symlink,
    path::Path,
    time::{Duration, SystemTime},
};

use futures_util::TryStreamExt;
use tempfile::TempDir;

use super::*;
use crate::{config::Config, domain::TaskId};

const MP4: &[u8] = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41 and so on";
const HOUR: Duration = Duration::from_secs(3600);

async fn open() -> (TempDir, Files) {
    let home = tempfile::tempdir().unwrap();
    let files = open_in(home.path()).await.unwrap();
    (home, files)
}

async fn open_in(home: &Path) -> Result<Files> {
    open_with(home, &Config::defaults().storage).await
}

async fn open_with(home: &Path, storage: &StorageConfig) -> Result<Files> {
    let paths = PathsConfig { data: home.join("data"), temp: home.join("temp"), workflows: home.join("workflows") };
    let uploads = UploadsConfig { max_bytes: 1000, reserve_bytes: 0, ..Config::defaults().uploads };
    Files::open(&paths, storage, &uploads).await
}

/// Files whose storage is what its name says.
struct Place {
    name: &'static str,
    files: Files,
    home: TempDir,
    _s3: Option<s3::S3>,
}

/// One of each kind of storage: whatever holds for kept files holds in all of them.
async fn everywhere() -> [Place; 3] {
    let (home, files) = open().await;
    let own = Place { name: "the data folder", files, home, _s3: None };
    let home = tempfile::tempdir().unwrap();
    let url = format!("file://{}", home.path().join("elsewhere").display());
    let storage = StorageConfig { url, ..Config::defaults().storage };
    let files = open_with(home.path(), &storage).await.unwrap();
    let folder = Place { name: "a folder", files, home, _s3: None };
    let (home, s3) = (tempfile::tempdir().unwrap(), s3::S3::start().await);
    let files = open_with(home.path(), &bucket::storage(s3.address)).await.unwrap();
    [own, folder, Place { name: "a bucket", files, home, _s3: Some(s3) }]
}

fn put(files: &Files, bytes: &[u8]) -> PathBuf {
    let path = files.inner.temp.join(uuid::Uuid::new_v4().to_string());
    fs::write(&path, bytes).unwrap();
    path
}

fn make_old(path: &Path) {
    let times = FileTimes::new().set_modified(SystemTime::now() - 2 * HOUR);
    File::open(path).unwrap().set_times(times).unwrap();
}

#[tokio::test]
async fn folders_are_made_and_their_paths_are_absolute() {
    let (home, files) = open().await;
    assert!(files.task_dir(TaskId(7)).is_absolute());
    assert!(home.path().join("data/media").is_dir() && home.path().join("temp/uploads").is_dir());
    let blocked = home.path().join("file");
    fs::write(&blocked, "").unwrap();
    let error = open_in(&blocked).await.unwrap_err();
    assert_eq!(error.code, Code::Config);
    assert!(error.detail.contains("paths.data"), "{}", error.detail);
}

#[tokio::test]
async fn a_task_folder_goes_with_all_that_is_in_it() {
    let (_home, files) = open().await;
    let folder = files.task_dir(TaskId(7));
    assert!(folder.ends_with("7"));
    fs::create_dir_all(folder.join("fetch")).unwrap();
    fs::write(folder.join("fetch/0.part"), "x").unwrap();
    files.remove_task_dir(TaskId(7)).await.unwrap();
    assert!(!folder.exists());
    files.remove_task_dir(TaskId(7)).await.unwrap();
}

#[tokio::test]
async fn the_same_bytes_are_kept_once() {
    let (home, files) = open().await;
    let (one, two) = (put(&files, MP4), put(&files, MP4));
    let kept = files.keep(&one).await.unwrap();
    assert_eq!((kept.size, kept.content_type.as_str()), (MP4.len() as u64, "video/mp4"));
    assert_eq!(kept.key, format!("{}/{}.mp4", &kept.sha256[..2], kept.sha256));
    assert_eq!(files.keep(&two).await.unwrap(), kept);
    assert!(!one.exists() && !two.exists());
    let path = files.kept_path(&kept.key).await.unwrap();
    assert!(path.starts_with(home.path().canonicalize().unwrap().join("data/media")));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    assert_eq!(fs::read(&path).unwrap(), MP4);
}

#[tokio::test]
async fn what_is_kept_is_there_until_it_is_deleted() {
    for Place { name, files, .. } in everywhere().await {
        let source = put(&files, MP4);
        let kept = files.keep(&source).await.unwrap();
        assert!(!source.exists(), "{name}");
        assert_eq!((kept.size, kept.content_type.as_str(), kept.reused), (MP4.len() as u64, "video/mp4", false));
        assert!(
            files.is_whole(&kept.key, None).await.unwrap()
                && files.is_whole(&kept.key, Some(MP4.len() as i64)).await.unwrap()
        );
        assert!(!files.is_whole(&kept.key, Some(1)).await.unwrap(), "{name}");
        files.confirm(&kept.key).await.unwrap();
        let path = files.kept_path(&kept.key).await.unwrap();
        assert_eq!(fs::read(&*path).unwrap(), MP4, "{name}");
        drop(path);
        files.delete_kept(&kept.key).await.unwrap();
        files.delete_kept(&kept.key).await.unwrap();
        assert!(!files.is_whole(&kept.key, None).await.unwrap(), "{name}");
        assert_eq!(files.kept_path(&kept.key).await.unwrap_err().code, Code::NotFound, "{name}");
        assert_eq!(files.open_kept(&kept.key, None).await.unwrap_err().code, Code::NotFound, "{name}");
    }
}

#[tokio::test]
async fn a_damaged_kept_file_is_replaced() {
    let (_home, files) = open().await;
    let kept = files.keep(&put(&files, MP4)).await.unwrap();
    let path = files.kept_path(&kept.key).await.unwrap();
    fs::write(&*path, "short").unwrap();
    files.keep(&put(&files, MP4)).await.unwrap();
    assert_eq!(fs::read(&*path).unwrap(), MP4);
}

#[tokio::test]
async fn files_from_another_file_system_are_copied() {
    let (_home, files) = open().await;
    let bytes = vec![7; 3 * 1024 * 1024 + 5];
    let source = put(&files, &bytes);
    let key = format!("aa/aa{}.bin", "0".repeat(62));
    files.copy(&source, &key, bytes.len() as u64, &tokio_util::sync::CancellationToken::new()).await.unwrap();
    let path = files.kept_path(&key).await.unwrap();
    assert!(fs::read(&path).unwrap() == bytes);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    // And for real where this machine has a second file system.
    if let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") {
        let source = elsewhere.path().join("x");
        fs::write(&source, MP4).unwrap();
        let kept = files.keep(&source).await.unwrap();
        assert_eq!(fs::read(files.kept_path(&kept.key).await.unwrap()).unwrap(), MP4);
        assert!(!source.exists());
    }
}

#[tokio::test]
async fn parts_of_kept_files() {
    for Place { name, files, .. } in everywhere().await {
        let kept = files.keep(&put(&files, MP4)).await.unwrap();
        let len = MP4.len() as u64;
        for (range, expected) in
            [(None, 0..len), (Some(4..8), 4..8), (Some(4..1000), 4..len), (Some(len - 1..len), len - 1..len)]
        {
            let open = files.open_kept(&kept.key, range).await.unwrap();
            assert_eq!((open.total, &open.range), (len, &expected));
            let pieces: Vec<bytes::Bytes> = open.stream.try_collect().await.unwrap();
            assert_eq!(pieces.concat(), MP4[expected.start as usize..expected.end as usize], "{name}");
        }
        for bad in [len..len + 1, 5..5, 1000..2000] {
            assert_eq!(
                files.open_kept(&kept.key, Some(bad)).await.unwrap_err().code,
                Code::RangeNotSatisfiable,
                "{name}"
            );
        }
    }
}

#[tokio::test]
async fn keys_that_are_not_ours_are_not_there() {
    for Place { name, files, home, .. } in everywhere().await {
        fs::write(home.path().join("data/secret"), "x").unwrap();
        let hash = "a".repeat(64);
        for key in [
            "../secret".to_owned(),
            "secret".to_owned(),
            "/etc/passwd".to_owned(),
            String::new(),
            format!("ab/{hash}.mp4"),
            format!("aa/{hash}"),
            format!("aa/{hash}.mp4/../../secret"),
            format!("aa/{}.mp4", "A".repeat(64)),
            format!("aa/{hash}.mp4#1"),
            format!("aa/{hash}-.mp4"),
            format!("aa/{hash}-{}.mp4", "g".repeat(32)),
        ] {
            assert_eq!(files.kept_path(&key).await.unwrap_err().code, Code::NotFound, "{name}: {key}");
            assert_eq!(files.open_kept(&key, None).await.unwrap_err().code, Code::NotFound, "{name}: {key}");
            assert_eq!(files.delete_kept(&key).await.unwrap_err().code, Code::NotFound, "{name}: {key}");
            assert!(!files.is_whole(&key, None).await.unwrap(), "{name}: {key}");
        }
    }
}

#[tokio::test]
async fn only_regular_files_are_kept() {
    for Place { name: place, files, home, .. } in everywhere().await {
        let link = files.inner.temp.join("link");
        symlink("/etc/passwd", &link).unwrap();
        let pipe = files.inner.temp.join("pipe");
        let name = std::ffi::CString::new(pipe.to_str().unwrap()).unwrap();
        // SAFETY: the name ends with a zero byte.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        for odd in [link, pipe, home.path().to_owned(), PathBuf::from("/dev/zero")] {
            assert_eq!(files.keep(&odd).await.unwrap_err().code, Code::Io, "{place}: {}", odd.display());
        }
    }
}

#[test]
fn kinds_are_told_by_bytes() {
    let mut stream = vec![0; 600];
    (stream[0], stream[188], stream[376]) = (b'G', b'G', b'G');
    for (bytes, expected) in [
        (MP4, ("video/mp4", "mp4")),
        (b"RIFF\x24\0\0\0WAVEfmt ", ("audio/wav", "wav")),
        (b"ID3\x04\0\0", ("audio/mpeg", "mp3")),
        (b"OggS\0\x02", ("audio/ogg", "ogg")),
        (b"fLaC\0\0\0\x22", ("audio/flac", "flac")),
        (&stream, ("video/mp2t", "ts")),
        (b"<!DOCTYPE html><script>", ("application/octet-stream", "bin")),
        (b"%PDF-1.7", ("application/octet-stream", "bin")),
        (b"\x7fELF\x02\x01\x01", ("application/octet-stream", "bin")),
        (b"", ("application/octet-stream", "bin")),
    ] {
        assert_eq!(kind::of(bytes), expected);
    }
}

#[tokio::test]
async fn uploads_vanish_unless_kept() {
    let (_home, files) = open().await;
    let upload = files.new_upload().await.unwrap();
    let path = upload.path().to_owned();
    assert!(path.exists());
    drop(upload);
    assert!(!path.exists());
    let mut upload = files.new_upload().await.unwrap();
    upload.write(MP4).await.unwrap();
    upload.finish().await.unwrap();
    let kept = files.keep(upload.path()).await.unwrap();
    assert_eq!(upload.size(), kept.size);
    drop(upload);
    assert!(files.kept_path(&kept.key).await.is_ok());
    let mut upload = files.new_upload().await.unwrap();
    assert_eq!(upload.finish().await.unwrap_err().code, Code::EmptyMedia);
    assert_eq!(upload.write(&[0; 1001]).await.unwrap_err().code, Code::TooLarge);
}

#[tokio::test]
async fn some_space_stays_in_reserve() {
    let (home, files) = open().await;
    let free = files.free_bytes().unwrap();
    assert!(free > 0);
    files.check_free(0).unwrap();
    assert!(files.room().unwrap() > 0);
    assert_eq!(files.check_free(u64::MAX).unwrap_err().code, Code::InsufficientStorage);
    drop(files);
    let paths = PathsConfig {
        data: home.path().join("data"),
        temp: home.path().join("temp"),
        workflows: home.path().join("workflows"),
    };
    let full = Files::open(
        &paths,
        &Config::defaults().storage,
        &UploadsConfig { max_bytes: 1, reserve_bytes: u64::MAX, ..Config::defaults().uploads },
    )
    .await
    .unwrap();
    assert_eq!(full.new_upload().await.unwrap_err().code, Code::InsufficientStorage);
    assert_eq!(full.room().unwrap(), 0);
}

#[tokio::test]
async fn the_sweep_takes_what_is_old_and_nobodys() {
    let (home, files) = open().await;
    let outside = home.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("precious"), "x").unwrap();
    for task in [1, 2, 3] {
        let dir = files.task_dir(TaskId(task)).join("fetch");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("media"), [0; 100]).unwrap();
        symlink(&outside, dir.join("link")).unwrap();
    }
    symlink(&outside, files.inner.temp.join("99")).unwrap();
    fs::write(files.inner.temp.join(".gitkeep"), "").unwrap();
    fs::create_dir(files.inner.temp.join("007")).unwrap();
    let (old, new) = (files.inner.uploads.join("old.part"), files.inner.uploads.join("new.part"));
    fs::write(&old, [0; 50]).unwrap();
    fs::write(&new, [0; 50]).unwrap();
    let kept = files.keep(&put(&files, MP4)).await.unwrap();
    let staged = files.kept_path(&kept.key).await.unwrap().with_extension("mp4#1");
    fs::write(&staged, [0; 50]).unwrap();
    for path in
        [&files.task_dir(TaskId(1)), &files.task_dir(TaskId(2)), &old, &staged, &files.inner.temp.join(".gitkeep")]
    {
        make_old(path);
    }
    make_old(&files.kept_path(&kept.key).await.unwrap());
    let swept = files.sweep(&HashSet::from([TaskId(2)]), HOUR).await.unwrap();
    assert_eq!((swept.folders, swept.files), (1, 2));
    assert!(swept.bytes >= 200, "{swept:?}");
    assert!(!files.task_dir(TaskId(1)).exists() && !old.exists() && !staged.exists());
    assert!(files.task_dir(TaskId(2)).exists() && files.task_dir(TaskId(3)).exists() && new.exists());
    let swept = files.sweep(&HashSet::new(), Duration::ZERO).await.unwrap();
    assert_eq!((swept.folders, swept.files), (3, 1));
    assert!(outside.join("precious").exists() && files.inner.temp.join(".gitkeep").exists());
    assert!(files.inner.temp.join("007").exists() && files.inner.uploads.exists());
    files.kept_path(&kept.key).await.unwrap();
}

#[tokio::test]
async fn working_folders_belong_to_one_daemon() {
    let (home, files) = open().await;
    assert_eq!(open_in(home.path()).await.unwrap_err().code, Code::Config);
    drop(files);
    open_in(home.path()).await.unwrap();
}

#[tokio::test]
async fn kept_files_are_listed_by_age() {
    for Place { name, files, .. } in everywhere().await {
        let kept = files.keep(&put(&files, MP4)).await.unwrap();
        assert_eq!(listed(&files, Duration::ZERO).await, [kept.key], "{name}");
        assert!(listed(&files, HOUR).await.is_empty(), "{name}");
    }
}

async fn listed(files: &Files, older_than: Duration) -> Vec<String> {
    files.kept(older_than).await.unwrap().try_collect().await.unwrap()
}

/// On a node that has just started, nothing of this one is in the works; of another one something may be.
#[tokio::test]
async fn what_another_node_copies_into_a_folder_stays() {
    for Place { name, files, .. } in everywhere().await {
        let Shelf::Folder { path, shared } = &files.inner.shelf else { continue };
        let folder = path.join("aa");
        fs::create_dir(&folder).unwrap();
        let staged = folder.join(format!("{}.mp4#1", "a".repeat(64)));
        fs::write(&staged, "half").unwrap();
        make_old(&staged);
        files.sweep(&HashSet::new(), Duration::ZERO).await.unwrap();
        assert_eq!(staged.exists(), *shared, "{name}");
    }
}
