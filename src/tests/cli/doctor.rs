//! `trawl doctor` says what works.

use serde_json::Value;

use super::{
    super::{
        s3::{KEYS, S3},
        storage,
        support::{Site, root},
    },
    Cli,
};

/// The checks of a run with `--json`, by name: their endings, and their words.
fn checks(text: &str) -> impl Fn(&str) -> (String, String) {
    let said: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"));
    move |name| {
        let all = said["checks"].as_array().unwrap();
        let check = all.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name} in {said}"));
        assert!(check["ms"].is_u64());
        (check["ending"].as_str().unwrap().to_owned(), check.to_string())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_fine_is_told_so() {
    let cli = Cli::new();
    let said = cli.run(&["doctor"]).await.fine();
    let row = |name: &str| said.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{said}"));
    for name in ["cpu ", "ffmpeg ", "paths.data ", "paths.temp ", "storage ", "model "] {
        assert!(row(name).contains(" ok "), "{said}");
    }
    for (name, words) in [("database ", "first start"), ("douyin ", "crawlers.douyin.canary"), ("tiktok ", "canary")] {
        assert!(row(name).contains(" skipped ") && row(name).contains(words), "{said}");
    }
    assert!(!cli.path("data").exists(), "nothing was made");
    let said =
        Cli::with("media.ffmpeg = \"/nowhere/ffmpeg\"\nmodels.default = \"base\"").run(&["doctor", "--json"]).await;
    assert_eq!(said.code, Some(1), "{}", said.err);
    let of = checks(&said.out);
    assert!(of("ffmpeg").0 == "failed" && of("ffmpeg").1.contains("ffmpeg_missing"), "{}", said.out);
    assert!(of("model").0 == "failed" && of("model").1.contains("offline"), "{}", said.out);
    assert!(
        of("cpu").0 == "ok" && said.out.starts_with("{\"ok\":false,\"checks\"") && said.err.contains("2 checks"),
        "{}",
        said.err
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn models_and_programs_are_looked_at_and_no_key_is_told() {
    let cli = Cli::new();
    std::fs::create_dir_all(cli.path("bin")).unwrap();
    std::fs::write(cli.path("bin/plain"), "no program").unwrap();
    let cli = Cli::with(&format!(
        "llm.base_url = \"https://llm.example/v1\"\nllm.api_key = \"sk-hush\"\nllm.model = \"gpt\"\n\
         llm.models.near = {{ base_url = \"http://169.254.169.254/v1\", model = \"small\" }}\n\
         exec.good.argv = [\"sh\", \"-c\", \"true\"]\nexec.gone.argv = [\"/nowhere/at-all\"]\n\
         exec.plain.argv = [{:?}]",
        cli.path("bin/plain")
    ));
    let said = cli.run(&["doctor", "--json"]).await;
    assert_eq!(said.code, Some(0), "none of it is needed: {}", said.err);
    let of = checks(&said.out);
    let (ending, words) = of("llm.default");
    assert!(ending == "ok" && words.contains("gpt at llm.example, with a key"), "{words}");
    assert!(of("llm.near").0 == "failed" && of("llm.near").1.contains("address_refused"), "{}", of("llm.near").1);
    assert!(!said.out.contains("sk-hush") && !said.err.contains("sk-hush"));
    assert!(of("exec.good").0 == "ok" && of("exec.good").1.contains("/sh is here"), "{}", of("exec.good").1);
    for (name, words) in [("exec.gone", "/nowhere/at-all is not there"), ("exec.plain", "may not be run")] {
        assert!(of(name).0 == "failed" && of(name).1.contains(words), "{}", of(name).1);
    }
    let none = Cli::new().run(&["doctor", "--json"]).await;
    assert_eq!(checks(&none.out)("llm").0, "skipped");
    assert!(["ok", "skipped", "failed"].contains(&checks(&none.out)("yt-dlp.network").0.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_is_written_and_read_before_anything_starts() {
    let s3 = S3::start().await;
    let cli = Cli::with(&storage::settings(s3.address));
    let said = cli.run(&["doctor", "--json"]).await;
    let (ending, words) = checks(&said.out)("storage");
    assert!(ending == "ok" && words.contains("s3://media/trawl can be written and read"), "{words}");
    assert!(s3.objects().is_empty(), "it leaves nothing");
    let wrong = storage::settings(s3.address).replace(KEYS.1, "another secret");
    let cli = Cli::with(&wrong);
    let said = cli.run(&["doctor", "--json"]).await;
    let (ending, words) = checks(&said.out)("storage");
    assert!(said.code == Some(1) && ending == "failed" && words.contains("access is refused"), "{words}");
    let said = cli.run(&["serve"]).await;
    assert_eq!(said.code, Some(1), "{}", said.err);
    assert!(said.err.contains("s3://media/trawl cannot be written: access is refused"), "{}", said.err);
    assert!(!said.err.contains("another secret"), "{}", said.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_way_to_a_platform_is_tried() {
    let site = Site::start().await;
    let capture = std::fs::read(root().join("crawlers/fixtures/douyin/slidesinfo_video.json")).unwrap();
    let text = String::from_utf8(capture.clone()).unwrap();
    let id = text.split("\"aweme_id\": \"").nth(1).unwrap().split('"').next().unwrap();
    site.file("/web/api/v2/aweme/slidesinfo/", "application/json", capture);
    let post = "/@weekly.wren/video/7611111111111111111";
    site.page(post, &std::fs::read_to_string(root().join("crawlers/fixtures/tiktok/video_page.html")).unwrap());
    let card = std::fs::read(root().join("crawlers/fixtures/tiktok/oembed.json")).unwrap();
    site.file("/oembed", "application/json", card);
    let cli = Cli::with(&format!(
        "net.host_map.\"www.iesdouyin.com\" = \"{url}\"\nnet.host_map.\"www.douyin.com\" = \"{url}\"\n\
         crawlers.douyin.strategies = [\"slidesinfo\", \"share_page\", \"tikhub\"]\n\
         crawlers.douyin.canary = \"https://www.douyin.com/video/{id}\"\n\
         net.host_map.\"www.tiktok.com\" = \"{url}\"\n\
         crawlers.tiktok.strategies = [\"item_detail\", \"page\", \"oembed\"]\n\
         crawlers.tiktok.canary = \"https://www.tiktok.com{post}\"",
        url = site.url
    ));
    cli.run(&["migrate"]).await.fine();
    let said = cli.run(&["doctor", "--json"]).await;
    assert!(!cli.path("data/identities.key").exists(), "a key was made");
    assert!(!cli.path("temp/ytdlp").exists(), "a folder was made");
    let of = checks(&said.out);
    assert_eq!(of("douyin.slidesinfo").0, "ok", "{}", said.out);
    let (ending, words) = of("douyin.share_page");
    assert!(ending == "failed" && words.contains("\"class\"") && words.contains("\"hint\""), "{words}");
    assert_eq!(of("douyin.tikhub").0, "skipped", "{}", of("douyin.tikhub").1);
    assert!(of("douyin").0 == "ok" && of("douyin").1.contains("1 of 2 ways work"), "{}", said.out);
    assert_eq!(of("tiktok.page").0, "ok", "{}", said.out);
    for (way, class) in [("tiktok.item_detail", "blocked"), ("tiktok.oembed", "blocked")] {
        assert!(of(way).0 == "failed" && of(way).1.contains(class), "{}", of(way).1);
    }
    assert!(of("tiktok").0 == "ok" && of("tiktok").1.contains("1 of 3 ways work"), "{}", of("tiktok").1);
    assert_eq!((of("database").0.as_str(), of("identities").0.as_str()), ("ok", "skipped"));
    assert_eq!((said.code, said.err.as_str()), (Some(0), ""));
    // A platform to which no way is left is a failure.
    site.file("/web/api/v2/aweme/slidesinfo/", "text/html", b"<html>verify</html>".to_vec());
    let said = cli.run(&["doctor"]).await;
    assert_eq!(said.code, Some(1), "{}", said.out);
    let row = said.out.lines().find(|line| line.starts_with("douyin ")).unwrap();
    assert!(row.contains("failed") && row.contains("No way works"), "{row}");
}
