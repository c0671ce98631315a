//! Several models, several devices, little memory.

use super::{
    stage::{held, model},
    *,
};

/// A GPU on which so many engines of the model fit.
fn room_for(engines: f64) -> u64 {
    let info = check_file(&model("a").path).unwrap();
    let need = super::super::memory::need(&info, false).total(1);
    (need as f64 * engines / 0.9) as u64
}

fn states(pool: &Local) -> Vec<(String, String)> {
    let row = |row: EngineStatus| (row.model.unwrap_or_default(), format!("{} {}", row.device, row.state));
    let mut rows: Vec<_> = pool.status().into_iter().map(row).collect();
    rows.sort();
    rows
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(model, state)| ((*model).to_owned(), (*state).to_owned())).collect()
}

#[tokio::test]
async fn models_stay_side_by_side() {
    let stage = Stage::new("done_");
    let pool = stage.pool();
    for model in ["a", "b", "a", "b"] {
        run(&pool, model).await.unwrap();
    }
    assert_eq!(stage.started(), "a cpu, b cpu");
    assert_eq!(states(&pool), pairs(&[("a", "cpu ready"), ("b", "cpu ready")]));
    assert!(pool.status().iter().all(|row| row.restarts == 0 && row.busy == 0));
    assert!(pool.devices()[0].memory_used > 0);
}

#[tokio::test]
async fn the_engine_that_was_unused_for_longest_makes_room() {
    let stage = Stage::new("done_").devices(&["cuda:0"]);
    stage.gpus(&[("cuda:0", room_for(2.5))]);
    let pool = stage.pool();
    for model in ["a", "b", "a", "c", "a", "b"] {
        run(&pool, model).await.unwrap();
    }
    assert_eq!(stage.started(), "a cuda:0, b cuda:0, c cuda:0, b cuda:0");
    assert_eq!(states(&pool), pairs(&[("a", "cuda:0 ready"), ("b", "cuda:0 ready")]));
}

#[tokio::test]
async fn a_pinned_model_stays_and_one_too_many_is_tried_alone() {
    let mut stage = Stage::new("done_").devices(&["cuda:0"]);
    stage.gpus(&[("cuda:0", room_for(1.5))]);
    stage.config.pinned = vec!["a".to_owned()];
    let pool = stage.pool();
    for model in ["a", "b", "c", "a"] {
        run(&pool, model).await.unwrap();
    }
    assert_eq!(stage.started(), "a cuda:0, b cuda:0, c cuda:0");
    assert_eq!(states(&pool), pairs(&[("a", "cuda:0 ready"), ("c", "cuda:0 ready")]));
    let status = pool.status();
    assert!(status.iter().all(|row| row.pinned == (row.model.as_deref() == Some("a"))));
    let problem = status.iter().find_map(|row| row.problem.clone()).unwrap();
    assert!(problem.contains("more than the"), "{problem}");
}

#[tokio::test]
async fn a_replaced_file_is_another_model() {
    let mut stage = Stage::new("done_");
    stage.config.pinned = vec!["a".to_owned()];
    let pool = stage.pool();
    run(&pool, "a").await.unwrap();
    let mut replaced = window("a");
    replaced.model.version.changed += 1;
    pool.recognise(&replaced, &ask(), &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(stage.started(), "a cpu, a cpu");
    let pinned: Vec<bool> = pool.status().iter().map(|row| row.pinned).collect();
    assert_eq!(pinned.iter().filter(|pinned| **pinned).count(), 1, "the old one may go: {pinned:?}");
}

#[tokio::test]
async fn an_unused_process_is_ended_unless_it_is_pinned() {
    // The end of the pipe comes when the process is gone.
    let mut stage = Stage::with("[ $model = a ] && exec 3>alive", "done_");
    let fifo = stage.dir.path().join("alive");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    stage.config.idle_unload = Span(Duration::from_millis(50));
    stage.config.pinned = vec!["p".to_owned()];
    let pool = stage.pool();
    run(&pool, "p").await.unwrap();
    let gone = tokio::task::spawn_blocking(move || std::fs::read(fifo));
    run(&pool, "a").await.unwrap();
    gone.await.unwrap().unwrap();
    run(&pool, "p").await.unwrap();
    assert_eq!(stage.started(), "p cpu, a cpu");
    assert!(pool.status().iter().any(|row| row.model.as_deref() == Some("p") && row.state == "ready"));
}

#[tokio::test]
async fn a_pinned_model_comes_back_after_a_crash() {
    let mut stage = Stage::new("[ -e crashed ] || { touch crashed; kill -9 $$; }; done_; echo x > bell");
    stage.config.pinned = vec!["a".to_owned()];
    let (pool, warm) = (stage.pool(), stage.bell());
    assert_eq!(run(&pool, "a").await.unwrap_err().code, Code::EngineCrashed);
    // Nobody asked, and it was warmed up.
    warm.await;
    assert_eq!(stage.started(), "a cpu, a cpu");
}

#[tokio::test]
async fn a_pinned_model_that_crashes_whatever_it_computes_waits_longer_each_time() {
    let mut stage = Stage::new("[ $(wc -l < started) -gt 2 ] || kill -9 $$; done_; echo x > bell");
    stage.config.pinned = vec!["a".to_owned()];
    let (pool, works) = (stage.pool(), stage.bell());
    let begun = std::time::Instant::now();
    assert_eq!(run(&pool, "a").await.unwrap_err().code, Code::EngineCrashed);
    works.await;
    assert_eq!(stage.started(), "a cpu, a cpu, a cpu");
    // 250 ms after the first crash and 500 ms after the second one.
    assert!(begun.elapsed() >= Duration::from_millis(750), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_pinned_model_comes_back_when_a_cancelled_window_took_its_engine_along() {
    let deaf = "[ -e deaf ] || { touch deaf; progress; while :; do read -r x || exit; done; }";
    let mut stage = Stage::new(&format!("{deaf}; done_; echo x > bell"));
    stage.config.pinned = vec!["a".to_owned()];
    let (pool, warm) = (stage.pool(), stage.bell());
    held(&pool, "a", async {}).await;
    warm.await;
    assert_eq!(stage.started(), "a cpu, a cpu");
}

#[tokio::test]
async fn an_engine_that_runs_already_can_be_pinned() {
    let stage = Stage::new("done_").devices(&["cuda:0"]);
    stage.gpus(&[("cuda:0", room_for(1.5))]);
    let pool = stage.pool();
    run(&pool, "a").await.unwrap();
    pool.pin("a");
    for model in ["b", "a"] {
        run(&pool, model).await.unwrap();
    }
    assert_eq!(stage.started(), "a cuda:0, b cuda:0", "it was not ended to make room");
    assert!(pool.status().iter().all(|row| row.pinned == (row.model.as_deref() == Some("a"))));
}

#[tokio::test]
async fn the_second_device_helps_when_the_first_is_full() {
    let mut stage = Stage::new("progress; read -r abort; done_").devices(&["auto"]);
    stage.config.slots = 1;
    stage.gpus(&[("cuda:0", room_for(1.5)), ("cuda:1", room_for(1.5))]);
    let pool = stage.pool();
    assert_eq!((pool.slots(), pool.width(), pool.free_slots("a")), (1, 1, 1));
    pool.look().await;
    assert_eq!((pool.slots(), pool.width(), pool.free_slots("a")), (2, 2, 2));
    held(&pool, "a", async {
        assert_eq!(pool.free_slots("a"), 1);
        held(&pool, "a", async {
            assert_eq!(states(&pool), pairs(&[("a", "cuda:0 busy"), ("a", "cuda:1 busy")]));
            assert_eq!((pool.free_slots("a"), pool.free_slots("b")), (0, 0));
        })
        .await;
    })
    .await;
    assert_eq!(stage.started(), "a cuda:0, a cuda:1");
    let lists = std::fs::read_to_string(stage.dir.path().join("lists")).unwrap();
    assert_eq!(lists, "listed\n", "the GPUs are looked for once");
    let devices: Vec<_> = pool.devices().into_iter().map(|device| (device.name, device.description)).collect();
    assert_eq!(devices, pairs(&[("cuda:0", "a GPU"), ("cuda:1", "a GPU"), ("cpu", "CPU")]), "the last one stands in");
}

#[tokio::test]
async fn the_cpu_takes_over_from_a_gpu_that_cannot_load_the_model() {
    for (failure, told) in
        [("unusable engine_failed", "it is engine_failed"), ("kill -s SEGV $$", "signal 11 (SIGSEGV)")]
    {
        let mut stage = Stage::with(&format!("[ $device = cpu ] || {{ {failure}; }}"), "done_").devices(&["cuda:0"]);
        stage.config.cpu_fallback = true;
        stage.gpus(&[("cuda:0", room_for(4.0))]);
        let pool = stage.pool();
        for _ in 0..2 {
            let done = run(&pool, "a").await.unwrap();
            let warnings = done.warnings;
            assert!(warnings.len() == 1 && done.is_makeshift);
            assert!(warnings[0].starts_with("The CPU was used: cuda:0 cannot be used for a: "), "{warnings:?}");
            assert!(warnings[0].contains(told), "{warnings:?}");
        }
        assert_eq!(stage.started(), "a cuda:0, a cpu");
        assert_eq!(states(&pool), pairs(&[("a", "cpu ready"), ("a", "cuda:0 failed")]));
        assert_eq!(pool.slots(), stage.config.slots);

        pool.unload("a").await.unwrap();
        pool.load(&model("a")).await.unwrap();
        assert_eq!(stage.started(), "a cuda:0, a cpu, a cuda:0, a cpu", "a load tries the GPU again");
    }
}

#[tokio::test]
async fn without_fallback_a_gpu_failure_is_told() {
    let mut stage = Stage::with("unusable engine_failed", "").devices(&["cuda:0"]);
    stage.config.cpu_fallback = false;
    stage.gpus(&[("cuda:0", room_for(4.0))]);
    assert_eq!(run(&stage.pool(), "a").await.unwrap_err().code, Code::EngineFailed);
    stage.config.cpu_fallback = true;
    let stage = Stage { config: stage.config, ..Stage::with("unusable model_invalid", "") };
    stage.gpus(&[("cuda:0", room_for(4.0))]);
    assert_eq!(run(&stage.pool(), "a").await.unwrap_err().code, Code::ModelInvalid, "a wrong file is wrong everywhere");
    assert_eq!(stage.started(), "a cuda:0");
}

#[tokio::test]
async fn devices_that_are_not_there_are_told() {
    let mut stage = Stage::new("done_").devices(&["cuda:7"]);
    stage.config.cpu_fallback = true;
    let pool = stage.pool();
    let warnings = run(&pool, "a").await.unwrap().warnings;
    assert_eq!(warnings, ["The CPU was used: cuda:7 is not there: this build sees no GPU"]);
    let devices = pool.devices();
    assert_eq!((devices[0].name.as_str(), devices[1].name.as_str()), ("cuda:7", "cpu"));
    assert!(devices[0].problem.is_some() && devices[1].problem.is_none());
    assert!(pool.status().iter().any(|row| row.device == "cuda:7" && row.state == "failed" && row.problem.is_some()));

    stage.config.cpu_fallback = false;
    let error = run(&stage.pool(), "a").await.unwrap_err();
    assert_eq!(error.code, Code::Config);
    assert!(error.detail.contains("cuda:7 is not there"), "{}", error.detail);

    assert_eq!(pool.free_slots("a"), stage.config.slots, "the CPU's");
    let pool = stage.devices(&[]).pool();
    assert_eq!((pool.slots(), pool.free_slots("a"), pool.status(), pool.devices()), (0, 0, vec![], vec![]));
    let error = run(&pool, "a").await.unwrap_err();
    assert_eq!(error.code, Code::Config);
    assert!(error.detail.contains("engine.devices is empty"), "{}", error.detail);
}

#[tokio::test]
async fn a_list_of_gpus_that_fails_leaves_the_cpu() {
    for (list, told) in [("nonsense", "makes no sense"), ("", "makes no sense")] {
        let stage = Stage::new("done_").devices(&["auto"]);
        std::fs::write(stage.dir.path().join("devices"), list).unwrap();
        let pool = stage.pool();
        let done = run(&pool, "a").await.unwrap();
        assert!(done.warnings.is_empty() && !done.is_makeshift);
        let devices = pool.devices();
        assert_eq!((devices[0].name.as_str(), devices[1].name.as_str()), ("cpu", "auto"));
        assert!(devices[1].problem.as_ref().unwrap().contains(told), "{devices:?}");
        assert_eq!(pool.slots(), stage.config.slots);
    }
}

#[tokio::test]
async fn models_are_loaded_and_unloaded_by_hand() {
    let mut stage = Stage::new("echo \"$line\" | grep -q dev/null || { progress; read -r abort; }; done_");
    stage.config.slots = 2;
    let pool = stage.pool();
    assert!(!pool.unload("a").await.unwrap());
    pool.load(&model("a")).await.unwrap();
    pool.load(&model("a")).await.unwrap();
    assert_eq!((stage.started().as_str(), pool.free_slots("a")), ("a cpu", 2));
    let error = held(&pool, "a", async {
        pool.load(&model("a")).await.unwrap();
        pool.unload("a").await
    })
    .await;
    assert_eq!(error.unwrap_err().code, Code::Conflict);
    let pool = stage.pool();
    pool.load(&model("b")).await.unwrap();
    assert!(pool.unload("b").await.unwrap());
    assert!(!pool.unload("b").await.unwrap());
    assert_eq!(pool.status()[0].model, None);
}
