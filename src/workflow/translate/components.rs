//! Components: which kind each is, and where its input comes from when nothing says so.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// What components were called, and what they are here.
const ALIASES: [(&str, &[&str]); 9] = [
    ("resolve", &["crawler", "crawl", "parse", "parser", "douyin", "tiktok", "video_parser"]),
    ("download", &["downloader", "video_download", "video_downloader", "media_download"]),
    ("transcribe", &["whisper", "transcriber", "transcription", "speech_to_text", "asr", "whisper_transcribe"]),
    ("subtitle", &["subtitles", "generate_subtitles", "subtitle_generator"]),
    ("llm", &["chatgpt", "gpt", "openai", "summary", "summarize", "summarise", "translate", "translation"]),
    ("http", &["http_request", "request", "api", "api_call"]),
    ("callback", &["webhook", "notify", "notification", "callback_service"]),
    ("condition", &["if", "switch", "branch"]),
    ("workflow", &["sub_workflow", "subworkflow", "work_flow"]),
];

/// Fields that were called otherwise.
const FIELDS: [(&str, &[&str], &str); 9] = [
    ("resolve", &["url", "video_url", "share_url"], "link"),
    ("download", &["url", "video_url", "share_url", "link"], "link"),
    ("transcribe", &["url", "file_url", "audio_url", "link"], "link"),
    ("transcribe", &["model_name"], "model"),
    ("subtitle", &["output_format"], "format"),
    ("llm", &["prompt", "instruction", "system_prompt"], "system"),
    ("llm", &["text", "content"], "input"),
    ("callback", &["callback_url"], "url"),
    ("http", &["data", "payload"], "json"),
];

/// The word after `use` for a component; one that nobody knows stays as it is, for the check to refuse.
pub(super) fn kind_of(component: &str, programs: &[String]) -> String {
    let word = component.trim().to_lowercase().replace([' ', '-'], "_");
    let is = |(kind, names): &&(&str, &[&str])| *kind == word || names.contains(&word.as_str());
    if let Some((kind, _)) = ALIASES.iter().find(is) {
        return (*kind).to_owned();
    }
    let name = component.trim().strip_prefix("exec:").unwrap_or(component.trim()).to_lowercase();
    match programs.iter().find(|program| **program == name || **program == word) {
        Some(program) => format!("exec:{program}"),
        None => component.to_owned(),
    }
}

/// Gives each step its input: fields by our names, media and words from the steps that it comes after. Links are resolved and
/// downloaded by steps of their own. Whether something needs the link of the task.
pub(super) fn settle(steps: &mut Map<String, Value>) -> bool {
    let mut needs_link = false;
    let kinds: Vec<(String, String)> =
        steps.iter().map(|(name, step)| (name.clone(), step["use"].as_str().unwrap_or_default().to_owned())).collect();
    let mut taken: BTreeSet<String> = steps.keys().cloned().collect();
    for (name, kind) in &kinds {
        let Some(step) = steps.get_mut(name) else { continue };
        let after: Vec<String> =
            step["after"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        let of = |wanted: &str| {
            after.iter().find(|other| kinds.iter().any(|(name, kind)| name == *other && kind == wanted)).cloned()
        };
        let Some(with) = step["with"].as_object_mut() else { continue };
        rename(kind, with);
        let link = |with: &mut Map<String, Value>, needs_link: &mut bool| {
            with.remove("link").unwrap_or_else(|| {
                *needs_link = true;
                json!("${params.link}")
            })
        };
        let mut more = Vec::new();
        match kind.as_str() {
            "resolve" if !with.contains_key("link") => {
                let link = link(with, &mut needs_link);
                with.insert("link".to_owned(), link);
            }
            "download" if !with.contains_key("from") => {
                let source = of("resolve").unwrap_or_else(|| {
                    let source = free(&mut taken, format!("{name}_source"));
                    more.push((
                        source.clone(),
                        json!({ "use": "resolve", "with": { "link": link(with, &mut needs_link) } }),
                    ));
                    source
                });
                with.insert("from".to_owned(), json!(format!("${{steps.{source}.output}}")));
            }
            "transcribe" if !with.contains_key("media") => {
                let media = of("download").unwrap_or_else(|| {
                    let (source, media) = (of("resolve"), free(&mut taken, format!("{name}_media")));
                    let source = source.unwrap_or_else(|| {
                        let source = free(&mut taken, format!("{name}_source"));
                        let link = link(with, &mut needs_link);
                        more.push((source.clone(), json!({ "use": "resolve", "with": { "link": link } })));
                        source
                    });
                    let from = format!("${{steps.{source}.output}}");
                    more.push((media.clone(), json!({ "use": "download", "with": { "from": from } })));
                    media
                });
                with.insert("media".to_owned(), json!(format!("${{steps.{media}.output}}")));
            }
            "llm" if !with.contains_key("input") && !with.contains_key("segments") => {
                let from = of("transcribe").or_else(|| of("llm"));
                if let Some(from) = from {
                    with.insert("input".to_owned(), json!(format!("${{steps.{from}.output.text}}")));
                }
            }
            "subtitle" if !with.contains_key("segments") && !with.contains_key("transcript") => {
                if let Some(from) = of("transcribe") {
                    with.insert("segments".to_owned(), json!(format!("${{steps.{from}.output.segments}}")));
                }
            }
            _ => {}
        }
        // What a step waits for before its own part, its helpers wait for, too.
        for (name, mut helper) in more {
            if !after.is_empty() && helper["use"] == "resolve" {
                helper["after"] = json!(after);
            }
            steps.insert(name, helper);
        }
    }
    needs_link
}

/// The name, or the first of `name_2`, `name_3`, … that no other step has; then it is taken.
fn free(taken: &mut BTreeSet<String>, name: String) -> String {
    let mut free = name.clone();
    let mut number = 2;
    while !taken.insert(free.clone()) {
        free = format!("{name}_{number}");
        number += 1;
    }
    free
}

fn rename(kind: &str, with: &mut Map<String, Value>) {
    for (_, olds, new) in FIELDS.iter().filter(|(of, ..)| *of == kind) {
        for old in *olds {
            if old != new
                && !with.contains_key(*new)
                && let Some(value) = with.remove(*old)
            {
                with.insert((*new).to_owned(), value);
            }
        }
    }
}
