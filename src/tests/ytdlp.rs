//! The real yt-dlp behind the gate, with pages on loopback. `make test` puts it in place (scripts/ytdlp.sh).

use crawlers::ListRequest;
use trawl::{config::Config, crawl::Crawl, error::Code, net::Net};

use super::support::{Reply, Site, TestApp, root, sample_bytes};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";

/// Where it is. A test that needs it fails without it.
fn program() -> String {
    let program = root().join("target/ytdlp/bin/yt-dlp");
    assert!(program.is_file(), "not installed: {} (run scripts/ytdlp.sh, or make test)", program.display());
    program.display().to_string()
}

/// The crawlers with yt-dlp for every link of loopback.
fn crawl(allowed: &[&str], temp: &std::path::Path) -> Crawl {
    let mut config = Config::load(None, &[]).unwrap();
    config.net.allow_hosts = allowed.iter().map(ToString::to_string).collect();
    config.paths.temp = temp.to_owned();
    config.crawlers.ytdlp.program = program();
    config.crawlers.ytdlp.hosts = vec!["127.0.0.1".to_owned()];
    Crawl::new(&config, Net::new(&config.net).unwrap(), None).unwrap()
}

fn host(site: &Site) -> String {
    site.url.trim_start_matches("http://").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_yt_dlp_reads_becomes_words() {
    let more = format!("crawlers.ytdlp.program = \"{}\"\ncrawlers.ytdlp.hosts = [\"127.0.0.1\"]", program());
    let (app, site) = (TestApp::with(&more).await, Site::start().await);
    site.file("/clip.flac", "audio/flac", sample_bytes(CLIP));
    let page = site.page("/watch", "<title>A talk</title><video><source src='clip.flac' type='audio/flac'></video>");
    let temp = tempfile::tempdir().unwrap();
    let found = crawl(&[&host(&site)], temp.path()).resolve(&page).await.unwrap();
    assert_eq!(found.strategy, "ytdlp");
    assert!(found.title.starts_with("A talk"), "{}", found.title);
    assert!(found.candidates[0].url.path().ends_with("/clip.flac"));

    let task = app.end(app.paste(&page).await).await;
    assert_eq!(task["result"]["text"], WORDS, "{task}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn yt_dlp_reaches_nothing_that_we_may_not_reach() {
    let (site, inside) = (Site::start().await, Site::start().await);
    inside.page("/secret", "<video src='secret.mp4'></video>");
    let temp = tempfile::tempdir().unwrap();
    let crawl = crawl(&[&host(&site)], temp.path());
    for target in [format!("{}/secret", inside.url), "http://169.254.169.254/latest/meta-data/".to_owned()] {
        let link = site.put("/go", Reply::Redirect(target.clone()));
        let error = crawl.resolve(&link).await.unwrap_err();
        assert_eq!(error.code, Code::AddressRefused, "{target}: {}", error.chain());
    }
    assert!(site.seen().iter().any(|path| path == "/go"), "it came through the gate");
    assert_eq!(inside.seen(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn its_complaints_become_our_errors() {
    let (site, temp) = (Site::start().await, tempfile::tempdir().unwrap());
    let crawl = crawl(&[&host(&site)], temp.path());
    assert!(!temp.path().join("ytdlp").exists(), "a daemon beside us has its runs there");
    let page = site.page("/words", "<p>nothing to hear");
    assert_eq!(crawl.resolve(&page).await.unwrap_err().code, Code::NoMediaFound);
    assert_eq!(crawl.resolve(&format!("{}/gone", site.url)).await.unwrap_err().code, Code::SourceNotFound);
    let error = crawl.list(&page, &ListRequest::default()).await.unwrap_err();
    assert_eq!(error.code, Code::NoMediaFound, "{}", error.chain());
    assert_eq!(std::fs::read_dir(temp.path().join("ytdlp")).unwrap().count(), 0, "each run takes its folder along");
}
