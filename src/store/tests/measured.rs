//! What the search costs with very many tasks: `cargo test --release --lib measured_search -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use super::*;
use crate::domain::Transcript;

const TASKS: u32 = 100_000;

/// Numbers that are the same every time.
struct Dice(u64);

impl Dice {
    /// A number below `sides`, small ones far more often.
    fn roll(&mut self, sides: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let unit = (self.0 >> 33) as f64 / f64::from(1u32 << 31);
        (f64::from(sides).powf(unit) - 1.0) as u32
    }

    /// Some 600 characters of Chinese, or 300 words.
    fn speech(&mut self, number: u32) -> String {
        match number % 10 {
            0..7 => (0..600).filter_map(|_| char::from_u32(0x4E00 + self.roll(3_000))).collect(),
            _ => (0..300).map(|_| word(self.roll(30_000))).collect::<Vec<_>>().join(" "),
        }
    }
}

fn word(number: u32) -> String {
    let letter = |shift: u32| char::from(b'a' + u8::try_from(number / 26u32.pow(shift) % 26).unwrap());
    [letter(0), letter(1), letter(2), 'e', letter(0)].into_iter().collect()
}

fn han(numbers: &[u32]) -> String {
    numbers.iter().filter_map(|number| char::from_u32(0x4E00 + number)).collect()
}

#[tokio::test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "its purpose")]
async fn measured_search() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    store.hurry().await;
    let mut dice = Dice(1);
    let (began, mut longest) = (Instant::now(), Duration::ZERO);
    for batch in 0..TASKS / 100 {
        let tx = store.begin().await.unwrap();
        let started = Instant::now();
        for number in batch * 100..(batch + 1) * 100 {
            let link = format!("https://example.com/{}/{number}.mp4", word(number));
            let id = tx.insert_task(NewTask { link, ..NewTask::default() }).await.unwrap();
            let (platform, platform_id) = ("web".to_owned(), number.to_string());
            let title = format!("{} {}", word(dice.roll(30_000)), han(&[dice.roll(3_000), dice.roll(3_000)]));
            let media = NewMedia { platform, platform_id, title, ..NewMedia::default() };
            tx.set_task_media(id, tx.upsert_media(media).await.unwrap()).await.unwrap();
            let transcript = Transcript { text: dice.speech(number), ..Transcript::default() };
            tx.insert_transcript(id, &NewTranscript { transcript, ..NewTranscript::default() }).await.unwrap();
        }
        tx.commit().await.unwrap();
        longest = longest.max(started.elapsed());
    }
    let bytes = std::fs::metadata(folder.path().join("data/trawl.db")).unwrap().len();
    println!("{TASKS} tasks in {:?}, 100 at a time in {longest:?} at most, {} MB", began.elapsed(), bytes / 1_000_000);
    let looks: [(&str, &[String]); 9] = [
        ("no words", &[]),
        ("rare pair", &[han(&[2_000, 1_500])]),
        ("common pair", &[han(&[0, 1])]),
        ("four characters", &[han(&[0, 1, 2, 3])]),
        ("common character", &[han(&[0])]),
        ("common word", &[word(1)]),
        ("rare word", &[word(20_000)]),
        ("two words", &[word(1), word(2)]),
        ("one letter", &["b".to_owned()]),
    ];
    for (name, words) in looks {
        let words = words.iter().map(|word| vec![word.clone()]).collect();
        let filter = TaskFilter { words, limit: 50, ..TaskFilter::default() };
        let (mut times, mut total) = (Vec::new(), 0);
        for _ in 0..100 {
            let started = Instant::now();
            total = store.tasks(&filter).await.unwrap().total;
            times.push(started.elapsed());
        }
        times.sort_unstable();
        println!("{name:18} {total:6} found, median {:.1?}, p99 {:.1?}", times[50], times[98]);
    }
}
