//! Every expression of a definition, read once, with the place it stands in.

use serde_json::Value;

use super::{Problem, below, draft::Draft};
use crate::workflow::{
    definition::{StepDef, Trigger},
    expr::{self, Reference},
    template::{self, Piece},
};

/// What kind of place it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot<'a> {
    /// In a field of a step's `with`.
    With(&'a str),
    /// A step's `when`.
    When,
    /// A step's `foreach.in`.
    List,
    /// The workflow's output.
    Output,
    /// A trigger; whether it is one of an event.
    Trigger(bool),
}

/// The step that a place belongs to.
#[derive(Clone, Copy)]
pub(super) struct Owner<'a> {
    pub name: &'a str,
    pub step: &'a StepDef,
    /// Whether it stands in `on_error`.
    pub handler: bool,
}

/// One expression.
pub(super) struct Place<'a> {
    pub pointer: String,
    pub spot: Spot<'a>,
    pub owner: Option<Owner<'a>>,
    /// The text before the first expression of its string.
    pub before: String,
    /// What it refers to.
    pub references: Vec<Reference>,
}

/// Reads every expression; those that cannot be read are problems.
pub(super) fn read<'a>(draft: &'a Draft, problems: &mut Vec<Problem>) -> Vec<Place<'a>> {
    let mut reader = Reader { places: Vec::new(), problems };
    for (group, steps) in draft.groups() {
        for (name, step) in steps {
            let owner = Some(Owner { name, step, handler: group == "on_error" });
            let pointer = format!("/{group}/{name}");
            let is_choice = step.kind == "condition";
            for (field, value) in &step.with {
                if is_choice && field == "cases" {
                    reader.cases(value, &format!("{pointer}/with/cases"), owner);
                    continue;
                }
                reader.value(value, &below(&format!("{pointer}/with"), field), Spot::With(field), owner);
            }
            for (at, source) in step.bare() {
                let spot = match at.as_str() {
                    "/when" => Spot::When,
                    "/foreach/in" => Spot::List,
                    _ => Spot::With("cases"),
                };
                reader.bare(source, format!("{pointer}{at}"), spot, owner);
            }
        }
    }
    if let Some(output) = &draft.output {
        reader.value(output, "/output", Spot::Output, None);
    }
    for (index, trigger) in draft.triggers.iter().enumerate() {
        let pointer = format!("/triggers/{index}");
        let (params, spot) = match trigger {
            Some(Trigger::Cron(cron)) => (&cron.params, Spot::Trigger(false)),
            Some(Trigger::Event(event)) => {
                if let Some(when) = &event.when {
                    reader.bare(when, format!("{pointer}/when"), Spot::Trigger(true), None);
                }
                (&event.params, Spot::Trigger(true))
            }
            None => continue,
        };
        for (name, value) in params {
            reader.value(value, &below(&format!("{pointer}/params"), name), spot, None);
        }
    }
    reader.places
}

struct Reader<'a, 'p> {
    places: Vec<Place<'a>>,
    problems: &'p mut Vec<Problem>,
}

impl<'a> Reader<'a, '_> {
    /// The values of a condition's cases; each `when` is among the expressions that stand by themselves.
    fn cases(&mut self, cases: &'a Value, pointer: &str, owner: Option<Owner<'a>>) {
        let cases = cases.as_array().into_iter().flatten().enumerate();
        for (index, value) in cases.filter_map(|(index, case)| Some((index, case.get("value")?))) {
            self.value(value, &format!("{pointer}/{index}/value"), Spot::With("cases"), owner);
        }
    }

    fn value(&mut self, value: &'a Value, pointer: &str, spot: Spot<'a>, owner: Option<Owner<'a>>) {
        match value {
            Value::String(text) => self.text(text, pointer, spot, owner),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &format!("{pointer}/{index}"), spot, owner);
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.value(field, &below(pointer, name), spot, owner);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str, pointer: &str, spot: Spot<'a>, owner: Option<Owner<'a>>) {
        if !text.contains("${") {
            return;
        }
        let pieces = match template::parse(text) {
            Ok(pieces) => pieces,
            Err(message) => {
                self.problems.push(Problem::new("E_EXPR", pointer, message));
                return;
            }
        };
        let is_alone = pieces.len() == 1;
        let before = match pieces.first() {
            Some(Piece::Text(text)) => text.clone(),
            _ => String::new(),
        };
        for piece in pieces {
            match piece {
                Piece::Text(_) => {}
                Piece::Expr(source) => {
                    let secret = template::secret_name(&source).filter(|_| is_alone);
                    if let Some(name) = secret {
                        let path = vec!["secrets".to_owned(), name.to_owned()];
                        let references = vec![Reference { path, guarded: false }];
                        let pointer = pointer.to_owned();
                        self.places.push(Place { pointer, spot, owner, before: String::new(), references });
                    } else {
                        self.expression(&source, pointer, spot, owner, &before);
                    }
                }
            }
        }
    }

    fn bare(&mut self, source: &str, pointer: String, spot: Spot<'a>, owner: Option<Owner<'a>>) {
        let text = source.trim();
        if source.is_empty() {
            // The schema has said so.
            return;
        }
        if let Some(at) = source.find("${") {
            // It would be filled in nowhere: inside the quotes of a text it would only look so.
            let column = source[..at].chars().count() + 1;
            let message = format!("col {column}: an expression stands here by itself, without \"${{\" and \"}}\"");
            let problem = Problem::new("E_EXPR", pointer, message).marked(source, column);
            let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            let inner = inner.filter(|inner| !inner.contains("${"));
            self.problems.push(match inner {
                Some(inner) => problem.better(inner.trim()),
                None => problem,
            });
            return;
        }
        self.expression(source, &pointer, spot, owner, "");
    }

    fn expression(&mut self, source: &str, pointer: &str, spot: Spot<'a>, owner: Option<Owner<'a>>, before: &str) {
        match expr::references(source) {
            Ok(references) => {
                let (pointer, before) = (pointer.to_owned(), before.to_owned());
                self.places.push(Place { pointer, spot, owner, before, references });
            }
            Err(error) => {
                let problem = Problem::new("E_EXPR", pointer, error.to_string()).marked(source, error.column);
                self.problems.push(problem);
            }
        }
    }
}
