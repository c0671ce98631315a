//! `trawl transcribe`: files and links become words.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::Value;

use super::{
    super::support::{Site, root, sample, sample_bytes},
    Cli, one_line,
};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";
/// How the film begins; of the rest the model is not sure.
const FILM_WORDS: &str = "There are fifty four pictures in the city.";

#[tokio::test(flavor = "multi_thread")]
async fn every_container_gives_its_words() {
    let cli = Cli::new();
    for (file, words) in [
        ("en-known-12.wav", "Please send the lazy teacher at ten o'clock."),
        (CLIP, WORDS),
        ("en-known-06.mp3", "We will go to the garden today. She will send the open table tonight."),
        ("en-new-22.m4a", "Sunday, Wednesday and Monday. She will buy the green door before Friday."),
        ("clip.mp4", FILM_WORDS),
    ] {
        let said = cli.run(&["transcribe", sample(file).to_str().unwrap()]).await;
        let text = one_line(&said.fine(), false);
        assert!(text == words || words == FILM_WORDS && text.starts_with(words), "{file}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_table_in_one_call() {
    let cli = Cli::new();
    let table = std::fs::read_to_string(sample("recognised.tsv")).unwrap();
    let rows = table.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>()).filter(|row| row[1] == "yes");
    let rows: Vec<(&str, &str)> = rows.map(|row| (row[0], row[3])).collect();
    assert!(rows.len() > 10);
    let files: Vec<String> = rows.iter().map(|(file, _)| sample(file).to_str().unwrap().to_owned()).collect();
    let folder = cli.path("made/by/trawl");
    let mut arguments = vec!["transcribe", "--output", folder.to_str().unwrap()];
    arguments.extend(files.iter().map(String::as_str));
    assert_eq!(cli.run(&arguments).await.fine(), "");
    for (file, words) in &rows {
        let made = folder.join(file).with_extension("txt");
        let text = std::fs::read_to_string(&made).unwrap_or_else(|_| panic!("{} is missing", made.display()));
        assert_eq!(one_line(&text, file.starts_with("zh")), *words, "{file}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), rows.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_is_written_where_it_should_be() {
    let cli = Cli::new();
    let film = cli.clip("clip.mp4");
    let srt = cli.run(&["transcribe", &film, "--format", "srt"]).await.fine();
    assert!(srt.starts_with("1\n00:00:0") && srt.contains(" --> "), "{srt}");
    let file = cli.path("film.vtt");
    let said = cli.run(&["transcribe", &film, "--format", "VTT", "--output", file.to_str().unwrap()]).await;
    assert_eq!(said.fine(), "");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("WEBVTT\n\n"));
    std::fs::create_dir(cli.path("out")).unwrap();
    let folder = cli.path("out");
    let options = ["--word-timestamps", "--language", "en", "--output", folder.to_str().unwrap()];
    let arguments = ["transcribe", &film, "--format", "json"].into_iter().chain(options).collect::<Vec<_>>();
    assert_eq!(cli.run(&arguments).await.fine(), "");
    let json: Value = serde_json::from_slice(&std::fs::read(folder.join("clip.json")).unwrap()).unwrap();
    assert!(json["text"].as_str().unwrap().starts_with(FILM_WORDS) && json["language"] == "en", "{json}");
    assert!(!json["segments"][0]["words"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn options_and_layout_reach_the_words() {
    let cli = Cli::new();
    let clip = cli.clip("zh-known-01.wav");
    let options = ["--languages", "en,zh", "--hotwords", "文件", "--option", "beam_size=5", "--split", "sequential"];
    let arguments = [&["transcribe", &clip, "--zh", "tw", "--words", "--format", "lrc"][..], &options].concat();
    let lrc = cli.run(&arguments).await.fine();
    assert!(lrc.starts_with("[00:0") && lrc.contains("學") && lrc.contains('<'), "{lrc}");
    let narrow = ["--format", "tsv", "--max-chars", "8", "--max-lines", "1", "--option", "zh=hant", "--no-vad"];
    let tsv = cli.run(&[&["transcribe", &clip][..], &narrow].concat()).await.fine();
    let rows: Vec<&str> = tsv.lines().skip(1).map(|row| row.rsplit('\t').next().unwrap()).collect();
    assert!(rows.len() > 1 && rows.iter().all(|text| text.chars().count() <= 4), "{tsv}");
    assert!(rows.concat().contains('學'), "{tsv}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_input_does_not_stop_the_others_and_is_named() {
    let cli = Cli::new();
    let (first, last) = (cli.clip(CLIP), cli.clip("en-known-12.wav"));
    let bad = cli.file("notes.mp3", b"These are only words, and a secret one: xyzzy-marker.\n");
    let said = cli.run(&["transcribe", &first, &bad, "nowhere.mp3", &last]).await;
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert_eq!(said.out, format!("{WORDS}\nPlease send the lazy teacher at ten o'clock.\n"));
    for words in ["notes.mp3", "[not_media]", "nowhere.mp3", "[invalid_link]"] {
        assert!(said.err.contains(words), "no {words} in: {}", said.err);
    }
    assert!(!said.err.contains("xyzzy"), "{}", said.err);
}

/// Security list, 61.
#[tokio::test(flavor = "multi_thread")]
async fn a_files_name_is_no_option_and_no_command() {
    let cli = Cli::new();
    let names = ["-i", "--", "|sh", "$(touch made).wav", "; touch made", "%03d.flac"];
    for name in names {
        cli.file(name, &sample_bytes(CLIP));
    }
    let config = cli.path("test.toml");
    let said = cli.plain(&[&["transcribe", "--config", config.to_str().unwrap(), "--"][..], &names].concat()).await;
    assert_eq!(said.fine(), format!("{WORDS}\n").repeat(names.len()));
    assert!(!cli.path("made").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_no_failure() {
    let cli = Cli::new();
    let said = cli.run(&["transcribe", &cli.clip("silence.wav")]).await;
    assert_eq!((said.code, said.out.as_str()), (Some(0), ""), "{}", said.err);
    assert!(said.err.contains("silence.wav: ") && said.err.lines().count() == 1, "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_like_a_file() {
    let (cli, site) = (Cli::new(), Site::start().await);
    site.file("/clip.flac", "audio/flac", sample_bytes(CLIP));
    let page = site.page("/page", "<audio src='clip.flac'></audio>");
    let share = format!("看看这个 {page} 复制此链接");
    assert_eq!(cli.run(&["transcribe", &share]).await.fine(), format!("{WORDS}\n"));
    let gone = cli.run(&["transcribe", &format!("{}/gone.mp3", site.url)]).await;
    gone.failed(1, &["[source_not_found]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persons_file_is_left_as_it_is() {
    let cli = Cli::new();
    let file = cli.clip(CLIP);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o440)).unwrap();
    let link = cli.path("a link.flac");
    std::os::unix::fs::symlink(CLIP, &link).unwrap();
    let look = || {
        let about = std::fs::metadata(&file).unwrap();
        (about.ino(), about.nlink(), about.mode(), about.mtime_nsec(), about.len())
    };
    let before = look();
    for input in [file.as_str(), link.to_str().unwrap(), "en-known-04.flac", "./en-known-04.flac"] {
        assert_eq!(cli.run(&["transcribe", input]).await.fine(), format!("{WORDS}\n"), "{input}");
        assert_eq!(look(), before, "{input}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), sample_bytes(CLIP));
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_of_the_same_name_do_not_overwrite_each_other() {
    let cli = Cli::new();
    std::fs::create_dir(cli.path("a")).unwrap();
    std::fs::create_dir(cli.path("b")).unwrap();
    let first = cli.file("a/talk.flac", &sample_bytes(CLIP));
    let second = cli.file("b/talk.wav", &sample_bytes("en-known-12.wav"));
    let out = cli.path("out");
    assert_eq!(cli.run(&["transcribe", &first, &second, "-o", out.to_str().unwrap()]).await.fine(), "");
    let mut texts: Vec<String> = std::fs::read_dir(&out)
        .unwrap()
        .flatten()
        .map(|entry| std::fs::read_to_string(entry.path()).unwrap().trim_end().to_owned())
        .collect();
    texts.sort();
    assert_eq!(texts, ["Please send the lazy teacher at ten o'clock.", WORDS]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_stopped_cleans_up() {
    let (cli, site) = (Cli::new(), Site::start().await);
    let (_gate, opened) = tokio::sync::watch::channel(false);
    let never = super::super::support::Reply::Gated(opened, Box::new(super::super::support::Reply::Status(204, "")));
    let link = site.put("/clip.flac", never);
    let config = cli.path("test.toml");
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let child = tokio::process::Command::new(super::program())
            .args(["transcribe", &link, "--config", config.to_str().unwrap()])
            .env("TMPDIR", cli.path("tmp"))
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        site.asked_times("/clip.flac", if signal == libc::SIGINT { 1 } else { 2 }).await;
        let pid = i32::try_from(child.id().unwrap()).unwrap();
        // SAFETY: the process is our child and has not been waited for, so its id is still its own.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
        let output = child.wait_with_output().await.unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "signal {signal}: {said}");
        assert_eq!(std::fs::read_dir(cli.path("tmp")).unwrap().count(), 0, "signal {signal} leaves a folder behind");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_model_that_was_named_is_fetched() {
    let site = Site::start().await;
    let more = format!("models.offline = false\nmodels.default = \"tiny\"\nmodels.base_urls = [\"{}\"]", site.url);
    let cli = Cli::with(&more);
    let model = root().join("models/smoke/ggml-smoke-q8_0.bin");
    let said = cli.run(&["transcribe", "--model", model.to_str().unwrap(), &cli.clip("en-known-04.flac")]).await;
    assert_eq!(said.fine(), "The music is near the long box.\n");
    assert_eq!(site.seen(), Vec::<String>::new(), "something was fetched");
}
