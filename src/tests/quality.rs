//! How well the samples are recognised through the daemon: the figures of `models/smoke/RESULTS.md`, measured again.

use std::collections::BTreeMap;

use serde_json::json;

use super::support::{TestApp, root, sample_bytes};

/// One clip of `samples/manifest.tsv`.
struct Clip {
    file: String,
    language: String,
    group: String,
    text: String,
}

/// What a group came to.
#[derive(Default)]
struct Score {
    errors: usize,
    units: usize,
    exact: usize,
    clips: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn error_rates_are_those_of_the_results() {
    let app = TestApp::start().await;
    let table = published();
    let mut wrong = Vec::new();
    for (column, options) in [json!({}), json!({ "beam_size": 1 })].into_iter().enumerate() {
        let mut tasks = Vec::new();
        for clip in spoken() {
            let options = options.to_string();
            let (status, task) = app.upload(&clip.file, sample_bytes(&clip.file), &[("options", &options)]).await;
            assert_eq!(status, 202, "{task}");
            tasks.push((task["id"].as_i64().unwrap(), clip));
        }
        let mut scores: BTreeMap<String, Score> = BTreeMap::new();
        let (mut right, mut total) = (0, 0);
        for (id, clip) in tasks {
            let task = app.end(id).await;
            let said = task["result"]["text"].as_str().unwrap_or_else(|| panic!("{task}"));
            let (wanted, heard) = (units(&clip.text, &clip.language), units(said, &clip.language));
            let score = scores.entry(clip.group).or_default();
            score.errors += distance(&wanted, &heard);
            score.units += wanted.len();
            score.exact += usize::from(said == clip.text);
            score.clips += 1;
            right += usize::from(task["result"]["language"] == clip.language.as_str());
            total += 1;
        }
        assert_eq!(right, total, "languages");
        for (group, score) in scores {
            let Score { errors, units, exact, clips } = score;
            let rate = 100.0 * errors as f64 / units as f64;
            let found = format!("{group}, column {column}: {rate:.1} % ({errors}/{units}; exact {exact}/{clips})");
            println!("{found}");
            // Another CPU adds in another order, and a clip at the edge may tip over.
            let allowed = 1.max(units / 50);
            if table.get(&group).is_none_or(|expected| errors.abs_diff(expected[column]) > allowed) {
                wrong.push(found);
            }
        }
    }
    assert!(wrong.is_empty(), "not as in RESULTS.md: {wrong:#?}");
    app.finish().await;
}

/// The errors of each group in the table "Through trawl", by column.
fn published() -> BTreeMap<String, [usize; 2]> {
    let results = std::fs::read_to_string(root().join("models/smoke/RESULTS.md")).unwrap();
    let section = results.split("## Through trawl").nth(1).expect("the section is there");
    let errors = |cell: &str| cell.split(['(', '/']).nth(1)?.parse::<usize>().ok();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, group, beam, greedy, _] = cells.as_slice() else { return None };
        Some(((*group).to_owned(), [errors(beam)?, errors(greedy)?]))
    };
    section.lines().filter_map(row).collect()
}

fn spoken() -> Vec<Clip> {
    let table = std::fs::read_to_string(root().join("models/smoke/samples/manifest.tsv")).unwrap();
    let clip = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [file, language, voice, known, text, ..] = cells.as_slice() else { panic!("{line}") };
        let voices = match *known {
            "yes" => "known voices",
            _ if voice.contains("rms") => "flite rms",
            _ => "new voices",
        };
        let group = if file.starts_with("long") { "`long.m4a`".to_owned() } else { format!("{language}, {voices}") };
        Clip { file: (*file).to_owned(), language: (*language).to_owned(), group, text: (*text).to_owned() }
    };
    table.lines().skip(1).map(clip).filter(|clip| !clip.language.is_empty()).collect()
}

/// Words of English, characters of Chinese; case and punctuation do not count.
fn units(text: &str, language: &str) -> Vec<String> {
    let keep = |c: char| if c.is_alphanumeric() || c == '_' || c == '\'' { c } else { ' ' };
    let plain: String = text.to_lowercase().chars().map(keep).collect();
    match language {
        "zh" => plain.chars().filter(|c| !c.is_whitespace()).map(String::from).collect(),
        _ => plain.split_whitespace().map(str::to_owned).collect(),
    }
}

/// The fewest changes that make one of the other.
fn distance(a: &[String], b: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let best = (row[j + 1] + 1).min(row[j] + 1).min(diagonal + usize::from(x != y));
            diagonal = std::mem::replace(&mut row[j + 1], best);
        }
    }
    row[b.len()]
}
