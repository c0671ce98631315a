//! The checks as people read them, or as JSON.

use serde_json::json;
use unicode_width::UnicodeWidthStr;

use crate::{
    cli::print,
    doctor::{Check, Ending},
};

/// Checks as they come in: as text each is printed at once, because some take long.
pub(super) struct Table {
    json: bool,
    checks: Vec<Check>,
}

impl Table {
    pub(super) fn new(json: bool) -> Self {
        if !json {
            print(&row("CHECK", "STATE", "MS", "WHAT"));
        }
        Self { json, checks: Vec::new() }
    }

    pub(super) fn add(&mut self, check: Check) {
        if !self.json {
            print(&line(&check));
        }
        self.checks.push(check);
    }

    /// Ends the table; how many of those that are needed have failed.
    pub(super) fn finish(self) -> usize {
        let failed = self.checks.iter().filter(|check| check.is_fatal()).count();
        if self.json {
            print(&json!({ "ok": failed == 0, "checks": self.checks }).to_string());
        }
        failed
    }
}

fn line(check: &Check) -> String {
    let state = match check.ending {
        Ending::Ok => "ok",
        Ending::Failed => "failed",
        Ending::Skipped => "skipped",
    };
    let mut what = check.detail.clone();
    if let Some(class) = &check.class {
        what = format!("[{class}] {what}");
    }
    if let Some(hint) = &check.hint {
        // Errors of trawl's own are told without a full stop.
        let stop = if what.ends_with(['.', '!', '?']) { "" } else { "." };
        what = format!("{what}{stop} {hint}");
    }
    row(&check.name, state, &check.ms.to_string(), &what)
}

fn row(name: &str, state: &str, ms: &str, what: &str) -> String {
    let name = format!("{name}{}", " ".repeat(24_usize.saturating_sub(name.width())));
    // What sites are called may hold anything; one check is one line.
    let what: String = what.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{name} {state:<8} {ms:>6}  {what}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_a_line() {
        let check = Check {
            name: "douyin.share_page".to_owned(),
            ending: Ending::Failed,
            needed: false,
            ms: 1234,
            detail: "An empty\nanswer.".to_owned(),
            class: Some("blocked".to_owned()),
            hint: Some("Try later.".to_owned()),
        };
        assert_eq!(line(&check), "douyin.share_page        failed     1234  [blocked] An empty answer. Try later.");
        assert!(!check.is_fatal());
        let needed = Check { needed: true, detail: "The host cannot be found".to_owned(), ..check };
        assert!(needed.is_fatal());
        assert!(line(&needed).ends_with("The host cannot be found. Try later."), "{}", line(&needed));
    }
}
