//! Where results go.

use std::path::{Component, Path, PathBuf};

use crate::error::{Code, Error, Result};

/// What may stand in braces.
const NAMES: [&str; 4] = ["stem", "folder", "task", "date"];

/// Where the results of a folder's files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Beside the file, under its name.
    Beside,
    /// Below the folder: text and names in turn, beginning with text.
    Template(Vec<Part>),
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Name(&'static str),
}

/// What a template's names stand for.
pub(super) struct Facts<'a> {
    /// The watched folder.
    pub folder: &'a Path,
    /// The file.
    pub file: &'a Path,
    pub task: i64,
    /// Like 2026-11-21.
    pub date: String,
}

impl Place {
    /// Reads `result` of a folder.
    pub(super) fn parse(result: &str) -> Result<Self> {
        let wrong = |why: String| {
            let hint = "Take \"beside\", or a template such as \"out/{date}/{stem}\"; there are {stem}, {folder}, {task}, {date}.";
            Err(Error::new(Code::Config, format!("`result` of a watched folder {why}")).with_hint(hint))
        };
        if result == "beside" {
            return Ok(Self::Beside);
        }
        let (mut parts, mut rest) = (Vec::new(), result);
        while let Some((text, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                return wrong("has a brace that does not end".to_owned());
            };
            let Some(name) = NAMES.into_iter().find(|known| *known == name) else {
                return wrong(format!("names {{{}}}, which is nothing", name.escape_debug()));
            };
            parts.extend([Part::Text(text.to_owned()), Part::Name(name)]);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        let is_below = Path::new(result).components().all(|part| matches!(part, Component::Normal(_)));
        if !is_below {
            return wrong("leads out of the folder".to_owned());
        }
        // Otherwise every file would have the same name.
        if !parts.iter().any(|part| matches!(part, Part::Name("stem" | "task"))) || result.ends_with('/') {
            return wrong("must name {stem} or {task} and end with a file's name".to_owned());
        }
        Ok(Self::Template(parts))
    }

    /// The path of a result without its ending.
    pub(super) fn of(&self, facts: &Facts<'_>) -> PathBuf {
        let Self::Template(parts) = self else { return facts.file.with_extension("") };
        let below = facts.file.strip_prefix(facts.folder).unwrap_or(facts.file);
        let text = |part: Option<&Path>| part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default();
        let filled = parts.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Name("stem") => text(below.file_stem().map(Path::new)),
            Part::Name("folder") => text(below.parent()),
            Part::Name("task") => facts.task.to_string(),
            Part::Name(_) => facts.date.clone(),
        });
        let filled: String = filled.collect();
        // An empty {folder} at the beginning leaves a slash that would lead to the root.
        facts.folder.join(filled.trim_start_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(result: &str, file: &str, expected: &str) {
        let facts = Facts { folder: Path::new("/in"), file: Path::new(file), task: 7, date: "2026-11-21".to_owned() };
        assert_eq!(Place::parse(result).unwrap().of(&facts), Path::new(expected), "{result}");
    }

    #[test]
    fn results_lie_where_the_template_says() {
        check("beside", "/in/a/talk.mp4", "/in/a/talk");
        check("beside", "/in/talk.one.mp4", "/in/talk.one");
        check("out/{date}/{stem}", "/in/a/talk.mp4", "/in/out/2026-11-21/talk");
        check("{folder}/words/{stem}-{task}", "/in/a/b/talk.mp4", "/in/a/b/words/talk-7");
        check("{folder}/{stem}", "/in/talk.mp4", "/in/talk");
        // A file's name is no template.
        check("out/{stem}", "/in/{task}.mp4", "/in/out/{task}");
    }

    #[test]
    fn templates_stay_below_the_folder() {
        for wrong in
            ["", "out/", "out/{date}", "/abs/{stem}", "../{stem}", "out/../../{stem}", "{stem", "{name}", "{stem}/"]
        {
            assert_eq!(Place::parse(wrong).unwrap_err().code, Code::Config, "{wrong}");
        }
    }
}
