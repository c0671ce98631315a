//! Wrong use of the command line: 2 for what can never work, 1 for what did not work this time, and words that help.

use super::{super::support::sample_bytes, Cli};

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_wrong_use() {
    let cli = Cli::new();
    let clip = cli.clip("en-known-04.flac");
    let clip = clip.as_str();
    let cases: &[(&[&str], &[&str])] = &[
        (&["transcribe"], &["LINK|FILE"]),
        (&["transcribe", clip, "--langauge", "en"], &["--langauge", "--language"]),
        (&["transcribe", clip, "--format", "vvt"], &["[invalid_value]", "Did you mean \"vtt\"?"]),
        (&["transcribe", clip, "--temperature", "hot"], &["--temperature"]),
        (&["transcribe", clip, "--temperature", "2"], &["[invalid_value]", "temperature"]),
        (&["transcribe", clip, "--beam-size", "11"], &["[invalid_value]", "beam_size"]),
        (&["transcribe", clip, "--language", "klingonese"], &["[invalid_value]", "klingonese"]),
        (&["transcribe", clip, "--zh", "hnat"], &["[invalid_value]", "\"hant\""]),
        (&["transcribe", clip, "--split", "half"], &["[invalid_value]", "split"]),
        (&["transcribe", clip, "--option", "beam_sise=1"], &["[unknown_field]", "Did you mean \"beam_size\"?"]),
        (&["transcribe", clip, "--option", "vad=maybe"], &["[invalid_value]", "true or false"]),
        (&["transcribe", clip, "--option", "vad"], &["[invalid_value]", "--option beam_size=1"]),
        (&["transcribe", clip, "--max-chars", "4"], &["[invalid_value]", "max_chars", "from 8 to 200"]),
        (&["transcribe", clip, "--max-cps", "fast"], &["--max-cps"]),
        (&["transcribe", clip, "--model", "smalll"], &["[unknown_model]", "Did you mean \"small\"?"]),
        (&["transcribe", clip, "--model", "./none.bin"], &["[unknown_model]", "ggml-NAME.bin"]),
        (&["models"], &["Usage"]),
        (&["models", "pull"], &["NAMES"]),
        (&["trascribe"], &["transcribe"]),
        (&["serve", "--bind", "here"], &["--bind"]),
        (&["migrate", "--from", "sqlite:a.db"], &["--to"]),
        (&["migrate", "--to", "sqlite:a.db"], &["--from"]),
        (&["migrate", "--from", "a.db", "--to", "sqlite:b.db"], &["[invalid_value]", "`--from` must start with"]),
        (&["migrate", "--from", "sqlite:a.db", "--to", "sqlite:./a.db"], &["[invalid_value]", "are the same"]),
    ];
    for (arguments, words) in cases {
        let said = cli.run(arguments).await;
        assert_eq!(said.code, Some(2), "{arguments:?}: {}{}", said.out, said.err);
        for word in *words {
            assert!(said.err.contains(word) || said.out.contains(word), "{arguments:?}: no {word} in {}", said.err);
        }
    }
    cli.plain(&[]).await.failed(2, &["Usage"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_failure_with_a_hint() {
    let cli = Cli::new();
    let clip = cli.clip("en-known-04.flac");
    let empty = cli.file("empty.mp3", b"");
    let half = cli.file("half.wav", &sample_bytes("en-known-12.wav")[..30]);
    let folder = cli.path("tmp");
    let folder = folder.to_str().unwrap();
    let cases: &[(&[&str], &[&str])] = &[
        (&["transcribe", "nowhere.mp3"], &["[invalid_link]", "path of a file that exists"]),
        (&["transcribe", "ftp://example.com/a.mp3"], &["[invalid_link]"]),
        (&["transcribe", "http://169.254.169.254/a.mp3"], &["[address_refused]", "`net.allow_hosts`"]),
        (&["transcribe", folder], &["is not a file"]),
        (&["transcribe", &empty], &["[empty_media]", "zero bytes"]),
        (&["transcribe", &half], &["[truncated]"]),
        (&["transcribe", &clip, "--model", "tiny"], &["[model_missing]", "trawl models pull tiny"]),
        (&["transcribe", &clip, "-o", "/nowhere/at/all.txt"], &["[io]", "cannot be written", "permissions"]),
    ];
    for (arguments, words) in cases {
        let said = cli.run(arguments).await;
        assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{arguments:?}: {}", said.err);
        for word in *words {
            assert!(said.err.contains(word), "{arguments:?}: no {word} in {}", said.err);
        }
        assert!(said.err.starts_with("trawl: ") && said.err.lines().count() == 2, "{arguments:?}: {}", said.err);
    }
    cli.plain(&["models", "list", "--config", "nowhere.toml"]).await.failed(1, &["[config]", "nowhere.toml"]);
}

/// Of research/security.md §7: 61 and 62.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_shell_or_a_device_would_take_ill_is_refused_with_words() {
    let cli = Cli::new();
    std::os::unix::fs::symlink("/dev/zero", cli.path("zero.mp3")).unwrap();
    std::os::unix::fs::symlink("nowhere", cli.path("dangling.mp3")).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(cli.path("fifo.mp3")).status().unwrap().success());
    let config = cli.path("test.toml");
    let no_files = ["/dev/zero", "zero.mp3", "fifo.mp3"];
    let no_links = ["-i", "--", "|sh", "$(id).wav", "`id`.wav", "; touch made", "dangling.mp3", ""];
    let arguments: Vec<&str> = ["transcribe", "--config", config.to_str().unwrap(), "--"]
        .into_iter()
        .chain(no_files)
        .chain(no_links)
        .collect();
    let said = cli.plain(&arguments).await;
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{}", said.err);
    assert_eq!(said.err.matches(" is not a file").count(), no_files.len(), "{}", said.err);
    assert_eq!(said.err.matches("[invalid_link]").count(), no_files.len() + no_links.len(), "{}", said.err);
    assert!(!cli.path("made").exists());
}
