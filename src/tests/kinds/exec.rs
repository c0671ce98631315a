//! `exec`: real programs, well and badly behaved.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Site, TestApp, root};

/// A line of settings for a program of Python.
fn python(name: &str, code: &str, more: &str) -> String {
    let script = Value::from(format!("import json, os, sys\n{code}"));
    let head = format!("exec.{name}.argv = [{:?}, \"-I\", \"-c\", {script}]\n", super::python());
    more.split(' ').filter(|setting| !setting.is_empty()).fold(head, |all, setting| {
        let (key, value) = setting.split_once('=').unwrap();
        format!("{all}exec.{name}.{key} = {value}\n")
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_component_judges_two_languages() {
    let script = root().join("workflows/components/sentiment/sentiment.py");
    let app =
        TestApp::with(&format!("exec.sentiment.argv = [{:?}, {:?}]", super::python(), script.display().to_string()))
            .await;
    for (text, label) in [
        ("What a wonderful day, thank you!", "positive"),
        ("It was not good, and I am sad.", "negative"),
        ("The music is near the long box.", "neutral"),
        ("我很开心，非常感谢！", "positive"),
        ("我不喜欢，太糟糕了。", "negative"),
    ] {
        let judged = app.run_step(json!({ "use": "exec:sentiment", "with": { "text": text } })).await;
        assert_eq!(judged["label"], label, "{text}: {judged}");
    }
    let error = app.fail_step(json!({ "use": "exec:sentiment", "with": { "text": 7 } })).await;
    assert_eq!(error["code"], "invalid_value", "{error}");
    assert!(error["detail"].as_str().unwrap().contains("must be a text"), "{error}");
    let error = app.fail_step(json!({ "use": "exec:sentimant" })).await;
    assert!(error["detail"].as_str().unwrap().contains("`exec.sentimant`"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("sentiment"), "{error}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_goes_wrong_ends_with_its_reason() {
    let settings = [
        python("text", "print('hello')", ""),
        python("list", "print('[1]')", ""),
        python("status", "sys.exit(3)", ""),
        python("own", "print(json.dumps({'error': {'code': 'x', 'message': 'no\\nroom'}})); sys.exit(1)", ""),
        python("flood", "print('x' * 1000000)", "max_output=1000"),
        python("slow", "import time; time.sleep(600)", "timeout=\"300ms\""),
        python("busy", "while True: pass", "cpu_seconds=1"),
        python("hungry", "bytearray(1 << 30)", "memory_bytes=134217728"),
        "exec.gone.argv = [\"trawl-has-no-such-program\"]".to_owned(),
    ];
    let app = TestApp::with(&settings.join("\n")).await;
    for (name, code, words) in [
        ("text", "exec_failed", "did not print a JSON object"),
        ("list", "exec_failed", "did not print a JSON object"),
        ("status", "exec_failed", "ended with status 3"),
        ("own", "exec_failed", "failed: noroom"),
        ("flood", "too_large", "more than 1000 bytes"),
        ("slow", "step_timeout", "within 0.3 s"),
        ("busy", "exec_failed", "was killed"),
        ("hungry", "exec_failed", "ended with status 1"),
        ("gone", "config", "is not installed"),
    ] {
        let error = app.fail_step(json!({ "use": format!("exec:{name}") })).await;
        assert_eq!(error["code"], code, "{name}: {error}");
        assert!(error["detail"].as_str().unwrap().contains(words), "{name}: {error}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_sees_nothing_but_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let probe = format!(
        "import socket
def tried(work):
    try:
        work(); return True
    except OSError as error:
        return False
given = json.load(sys.stdin)
def tcp(): socket.create_connection(('127.0.0.1', {port}), 1)
def udp(): socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def unix(): socket.socket(socket.AF_UNIX)
def pair(): socket.socketpair()
print(json.dumps({{
    'tcp': tried(tcp), 'udp': tried(udp), 'unix': tried(unix), 'pair': tried(pair), 'setsid': tried(os.setsid),
    'read': tried(lambda: open(given['file'])), 'write': tried(lambda: open(given['file'] + '.new', 'w')),
    'own': tried(lambda: open('own', 'w')), 'home': os.environ['HOME'] == os.getcwd(),
    'env': sorted(os.environ), 'here': os.getcwd()}}))"
    );
    let app = TestApp::with(&python("probe", &probe, "env=[\"CARGO_MANIFEST_DIR\"]")).await;
    let file = app.folder().join("test.toml").display().to_string();
    let saw = app.run_step(json!({ "use": "exec:probe", "with": { "file": file } })).await;
    for (what, expected) in [
        ("udp", false),
        ("unix", false),
        ("pair", true),
        ("setsid", false),
        ("own", true),
        ("home", true),
        ("tcp", false),
    ] {
        assert_eq!(saw[what], expected, "{what}: {saw}");
    }
    let locked = matches!(app.app.services.ffmpeg.describe().sandbox, trawl::media::SandboxState::Landlock { .. });
    assert_eq!((&saw["read"], &saw["write"]), (&json!(!locked), &json!(!locked)), "{saw}");
    let variables = saw["env"].as_array().unwrap().iter().filter_map(Value::as_str).collect::<Vec<_>>();
    assert_eq!(
        variables,
        ["CARGO_MANIFEST_DIR", "HOME", "LC_ALL", "PATH", "PYTHONDONTWRITEBYTECODE", "TMPDIR"].as_slice(),
        "{saw}"
    );
    assert!(!std::path::Path::new(saw["here"].as_str().unwrap()).exists(), "its folder is left");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_network_is_the_daemons() {
    let site = Site::start().await;
    let page = site.page("/page", "hello");
    let code = "import urllib.request
def fetched(url):
    try:
        return urllib.request.urlopen(url, timeout=5).read().decode()
    except Exception as error:
        return type(error).__name__
print(json.dumps({name: fetched(url) for name, url in json.load(sys.stdin).items()}))";
    let app = TestApp::with(&python("fetch", code, "network=true")).await;
    if !matches!(
        app.app.services.ffmpeg.describe().sandbox,
        trawl::media::SandboxState::Landlock { abi: 4.. } | trawl::media::SandboxState::Off
    ) {
        let error = app.fail_step(json!({ "use": "exec:fetch" })).await;
        assert_eq!(error["code"], "sandbox_unavailable", "{error}");
        return app.finish().await;
    }
    let fetched =
        app.run_step(json!({ "use": "exec:fetch", "with": { "allowed": page, "refused": "http://10.0.0.1/" } })).await;
    assert_eq!((&fetched["allowed"], &fetched["refused"]), (&json!("hello"), &json!("HTTPError")), "{fetched}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_program_goes_with_its_children() {
    let code = "import subprocess, time
child = subprocess.Popen(['sleep', '600'])
open(os.environ['TRAWL_PIDS'], 'w').write(f'{os.getpid()} {child.pid}')
time.sleep(600)";
    let folder = tempfile::tempdir().unwrap();
    // Its own folder goes away; this one is where the test looks.
    let pids = folder.path().join("pids");
    let code = code.replace("os.environ['TRAWL_PIDS']", &format!("{:?}", pids.display().to_string()));
    let app = TestApp::with(&format!("media.sandbox = \"off\"\n{}", python("stay", &code, ""))).await;
    super::save(app.app.services.queue.store(), "stay", json!({ "it": { "use": "exec:stay" } }), Value::Null).await;
    let id = app.submit(json!({ "link": super::NOWHERE, "workflow": "stay" })).await;
    app.eventually("it runs", || std::fs::read_to_string(&pids).is_ok_and(|text| text.contains(' '))).await;
    let begun = Instant::now();
    assert_eq!(app.post(&format!("/api/tasks/{id}/cancel"), json!({})).await.0, 200);
    let pids: Vec<String> = std::fs::read_to_string(&pids).unwrap().split(' ').map(str::to_owned).collect();
    let is_gone = |pid: &String| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // A child whose parent has died may wait for somebody to take notice.
        stat.is_empty() || stat.contains(") Z ")
    };
    app.eventually("both are gone", || pids.iter().all(is_gone)).await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    app.end(id).await;
    app.eventually("its folder is gone", || crate::support::walk(&app.folder().join("temp")).is_empty()).await;
    app.finish().await;
}
