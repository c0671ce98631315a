//! What a move of very many tasks costs: `cargo test --release --lib measured_move -- --ignored --nocapture`.

use std::time::Instant;

use super::*;

const TASKS: u32 = 100_000;

/// Everything that a task leaves behind: a media, four steps, nine events, a transcript, a delivery with its attempt.
const LEFT: [&str; 8] = [
    "INSERT INTO media (id, platform, platform_id, title, author, file, size, sha256, content_type, created_at) \
     SELECT i, 'web', i, 'Title 头发 ' || i, 'author', 'ab/' || i || '.m4a', 1000000, hex(zeroblob(32)), 'audio/mp4', i FROM n",
    "INSERT INTO tasks (id, workflow, revision, status, priority, link, params, options, media_id, progress, warnings, result, \
     created_at, updated_at) SELECT i, 'transcribe', 1, 'completed', 'normal', 'https://example.com/' || i, \
     '{\"link\":\"https://example.com/' || i || '\"}', '{}', i, 1.0, '[]', '{\"text\":\"' || i || '\"}', i, i FROM n",
    "INSERT INTO task_media SELECT i, i FROM n",
    "INSERT INTO steps (id, task_id, key, position, kind, lane, state, needs, \"with\", retry, level, sort_key, eligible_at, \
     attempt, crashes, lease_token, progress, output, created_at) SELECT printf('%032d-%d', i, s.v), i, 'step' || s.v, s.v, \
     'resolve', 'net', 'succeeded', '[]', '{\"link\":\"${params.link}\"}', '{\"max\":4}', 0, i, i, 1, 0, 1, 1.0, \
     '{\"media_id\":' || i || '}', i FROM n, (SELECT 0 v UNION SELECT 1 UNION SELECT 2 UNION SELECT 3) s",
    "INSERT INTO events (task_id, kind, data, created_at) SELECT i, 'step', '{\"step\":\"media\",\"state\":\"running\"}', i \
     FROM n, (SELECT 0 v UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 \
     UNION SELECT 7 UNION SELECT 8)",
    "INSERT INTO transcripts (id, task_id, media_id, audio_sha256, model, options, body, created_at) SELECT i, i, i, \
     hex(zeroblob(32)), 'large-v3-turbo', '{}', '{\"text\":\"' || hex(randomblob(20)) || ' ' || (SELECT group_concat('word' \
     || (i * 7 + v) % 30000, ' ') FROM (WITH RECURSIVE w(v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM w WHERE v < 150) \
     SELECT v FROM w)) || '\"}', i FROM n",
    "INSERT INTO deliveries (id, task_id, url, event, body, state, attempt, next_at, lease_token, created_at, endpoint) \
     SELECT printf('msg_%032d', i), i, 'https://example.com/hook', 'task.completed', '{\"id\":' || i || '}', 'delivered', 1, i, 1, \
     i, 'abc' FROM n",
    "INSERT INTO delivery_attempts (delivery_id, attempt, started_at, took_ms, status) SELECT printf('msg_%032d', i), 1, i, \
     12, 200 FROM n",
];

#[tokio::test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "its purpose")]
async fn measured_move() {
    let place = Place::new();
    let from = Store::open(&place.sqlite("from.db")).await.unwrap();
    from.hurry().await;
    let began = Instant::now();
    for sql in LEFT {
        let (insert, select) = sql.split_at(sql.find("SELECT").unwrap());
        let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {TASKS})");
        from.spoil(&format!("{insert} {numbers} {select}")).await;
    }
    drop(from);
    let bytes = std::fs::metadata(place.file("from.db")).unwrap().len();
    println!("{TASKS} tasks, {} MB, written in {:?}", bytes / 1_000_000, began.elapsed());
    let began = Instant::now();
    let stages = std::sync::Mutex::new(Vec::<(&str, std::time::Duration)>::new());
    let tell = |now| {
        let stage = match now {
            Moving::Anew => "anew",
            Moving::Rows(..) => "rows",
            Moving::Words(..) => "words",
            Moving::Checked(..) => "compared",
        };
        let mut stages = stages.lock().unwrap();
        match stages.last_mut().filter(|(last, _)| *last == stage) {
            Some((_, until)) => *until = began.elapsed(),
            None => stages.push((stage, began.elapsed())),
        }
    };
    let moved = Box::pin(transfer(&place.sqlite("from.db"), &place.to(), 0, &tell)).await.unwrap();
    let rows: u64 = moved.iter().map(|moved| moved.rows).sum();
    println!("{rows} rows in {:?}; until the end of each stage: {:?}", began.elapsed(), stages.into_inner().unwrap());
}
