//! `trawl models pull`: mirrors, proxies, full disks.

use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

use super::{
    super::support::{Mirror, Turn, program},
    Cli,
};

/// A place with an empty models folder and these mirrors.
fn place(mirrors: &[&str], more: &str) -> (TempDir, Cli) {
    let models = tempfile::tempdir().unwrap();
    let settings = format!(
        "models.dir = \"{}\"\nmodels.offline = false\nmodels.base_urls = {mirrors:?}\n{more}",
        models.path().display()
    );
    let cli = Cli::with(&settings);
    (models, cli)
}

#[tokio::test(flavor = "multi_thread")]
async fn several_models_are_pulled_and_one_that_fails_does_not_stop_the_others() {
    let mirror = Mirror::start([Turn::Break(2_000_000), Turn::Page("<html>")]).await;
    let (models, cli) = place(&[&mirror.url, "http://127.0.0.1:9/gone"], "");
    let said = cli.run(&["models", "pull", "tiny-q5_1", "BASE-q5_1"]).await;
    assert_eq!((said.code, said.out.as_str()), (Some(1), "base-q5_1: here\n"), "{}", said.err);
    assert!(said.err.contains("[model_pull]") && said.err.contains("tiny-q5_1"), "{}", said.err);
    let list = cli.run(&["models", "list"]).await.fine();
    let row = |name: &str| list.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{list}"));
    assert!(row("tiny-q5_1 ").contains("1.9 MIB of it are here: pull it to go on"), "{list}");
    let words: Vec<&str> = row("small-q5_1 ").split_whitespace().collect();
    assert_eq!(words, ["small-q5_1", "-", "-"], "a size that nobody knows is none");
    assert!(row("base-q5_1 ").contains("yes"), "{list}");
    let said = cli.run(&["models", "pull", "tiny-q5_1"]).await.fine();
    assert_eq!(said, "tiny-q5_1: here; 1.9 MIB of it were there before\n");
    assert_eq!(mirror.starts().last(), Some(&Some(2_000_000)));
    assert_eq!(std::fs::read_dir(models.path()).unwrap().count(), 2, "a part is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_a_part_to_go_on_from() {
    let mirror = Mirror::start([]).await;
    let (models, cli) = place(&[&mirror.url, "http://127.0.0.1:9/never"], "");
    let config = cli.path("test.toml");
    let mut full = Command::new(program());
    full.args(["models", "pull", "tiny-q5_1", "--config", config.to_str().unwrap()]);
    full.stdin(Stdio::null()).kill_on_drop(true);
    // SAFETY: both calls may be made between fork and exec. A file may grow to 3 MiB and no further; what is written
    // beyond fails as on a disk that is full, when the signal that would end the process is ignored.
    unsafe {
        full.pre_exec(|| {
            let limit = libc::rlimit { rlim_cur: 3 << 20, rlim_max: 3 << 20 };
            libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
            match libc::setrlimit(libc::RLIMIT_FSIZE, &limit) {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        });
    }
    let output = full.output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for word in ["[insufficient_storage]", "tiny-q5_1", "disk space", "is kept"] {
        assert!(said.contains(word), "no {word} in {said}");
    }
    let here = models.path().join("ggml-tiny-q5_1.bin.part").metadata().unwrap().len();
    assert!((1 << 20..=3 << 20).contains(&here), "{here}");
    assert_eq!(mirror.requests().len(), 1, "the disk is as full for the next mirror");
    cli.run(&["models", "pull", "tiny-q5_1"]).await.fine();
    assert_eq!(mirror.starts(), [None, Some(usize::try_from(here).unwrap())]);
    assert_eq!(std::fs::read(models.path().join("ggml-tiny-q5_1.bin")).unwrap(), Mirror::file());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_is_that_of_the_settings_and_none_of_the_environment() {
    let (proxy, canary) = (Mirror::start([]).await, Mirror::start([]).await);
    let (_models, cli) = place(&["http://models.example/x"], &format!("models.proxy = \"{}\"", proxy.url));
    assert_eq!(cli.run(&["models", "pull", "tiny-q5_1"]).await.fine(), "tiny-q5_1: here\n");
    assert_eq!(proxy.requests()[0].line, "GET http://models.example/x/ggml-tiny-q5_1.bin HTTP/1.1");

    let mirror = Mirror::start([]).await;
    let (_models, cli) = place(&[&mirror.url], "");
    let config = cli.path("test.toml");
    let mut pull = Command::new(program());
    pull.args(["models", "pull", "tiny-q5_1", "--config", config.to_str().unwrap()]).kill_on_drop(true);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        pull.env(name, &canary.url);
    }
    let output = pull.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((mirror.requests().len(), canary.requests().len()), (1, 0));

    let (_models, cli) = place(&[&mirror.url], "models.proxy = \"socks5://x:1\"");
    cli.run(&["models", "pull", "tiny-q5_1"]).await.failed(1, &["models.proxy", "[config]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_that_lead_to_aliases_stop_every_command() {
    let cli = Cli::with("models.aliases.fast = \"turbo\"");
    cli.run(&["models", "list"]).await.failed(1, &["[config]", "\"fast\"", "large-v3-turbo"]);
    let cli = Cli::with("models.aliases.a = \"b\"\nmodels.aliases.b = \"a\"");
    cli.run(&["serve"]).await.failed(1, &["[config]", "circle"]);
}
