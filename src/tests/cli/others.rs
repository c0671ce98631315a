//! The smaller commands.

use super::{
    super::support::{is_server, root},
    Cli,
};

#[tokio::test(flavor = "multi_thread")]
async fn models_are_listed_and_verified() {
    let cli = Cli::new();
    let list = cli.run(&["models", "list"]).await.fine();
    let row = |name: &str| list.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{list}"));
    assert!(row("smoke-q8_0 ").contains("yes") && row("smoke-q8_0 ").contains("default"), "{list}");
    assert!(row("large-v3-turbo ").contains("also turbo"), "{list}");
    let verified = cli.run(&["models", "verify"]).await.fine();
    assert!(verified.starts_with("smoke-q8_0: well formed; SHA-1 "), "{verified}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_model_file_is_named_and_the_others_are_checked() {
    let models = tempfile::tempdir().unwrap();
    let cli = Cli::with(&format!("models.dir = \"{}\"", models.path().display()));
    assert_eq!(cli.run(&["models", "verify"]).await.fine(), "No model files are here.\n");
    let whole = std::fs::read(root().join("models/smoke/ggml-smoke-q8_0.bin")).unwrap();
    for (name, bytes) in
        [("whole", &whole[..]), ("half", &whole[..whole.len() / 2]), ("words", b"words"), ("tiny", &whole)]
    {
        std::fs::write(models.path().join(format!("ggml-{name}.bin")), bytes).unwrap();
    }
    let said = cli.run(&["models", "verify"]).await;
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("[model_invalid]") && said.err.contains('3'), "{}", said.err);
    for (name, words) in
        [("whole", "well formed"), ("half", "cut off"), ("words", "no ggml"), ("tiny", "not the official")]
    {
        let line = said.out.lines().find(|line| line.starts_with(&format!("{name}: ")));
        assert!(line.is_some_and(|line| line.contains(words)), "{name}: {}", said.out);
    }
    let list = cli.run(&["models", "list"]).await.fine();
    assert!(list.lines().any(|line| line.starts_with("half ") && line.contains("cut off")), "{list}");
    assert_eq!(cli.run(&["models", "remove", "half"]).await.fine(), "half: removed\n");
    assert!(!models.path().join("ggml-half.bin").exists());
    let pull = cli.run(&["models", "pull", "base"]).await;
    pull.failed(1, &["offline"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_made_once_and_again_without_harm() {
    let cli = Cli::new();
    for _ in 0..2 {
        assert_eq!(cli.run(&["migrate"]).await.fine(), "The database is up to date.\n");
    }
    assert!(is_server() || cli.path("data/trawl.db").is_file());
}

#[tokio::test(flavor = "multi_thread")]
async fn help_version_and_the_api_are_printed() {
    let cli = Cli::new();
    let openapi = cli.plain(&["openapi"]).await.fine();
    let document: serde_json::Value = serde_json::from_str(&openapi).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    assert!(document["paths"]["/api/tasks"]["post"].is_object());
    let version = cli.plain(&["--version"]).await.fine();
    assert_eq!(version, format!("trawl {}\n", env!("CARGO_PKG_VERSION")));
    for arguments in [&["--help"][..], &["help"], &["transcribe", "--help"], &["models", "--help"], &["help", "serve"]]
    {
        let help = cli.plain(arguments).await.fine();
        assert!(help.contains("Usage: trawl") && help.contains("--config"), "{arguments:?}: {help}");
        assert!(!help.contains("engine"), "{arguments:?} shows what is not for people: {help}");
    }
}
