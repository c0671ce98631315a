//! From text to a tree: limits, the `cel` crate's parser, and its complaints in plain words.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    thread,
};

use super::{MAX_SOURCE, Problem, lower, scan, tree::Node};

/// The parser calls itself for every level and every operator of a chain; what the limits let through takes a part of
/// this, in bytes.
const STACK: usize = 16 << 20;
/// How many trees are kept: those of some workflows that run at the same time.
const KEPT: usize = 256;

static TREES: LazyLock<Mutex<HashMap<String, Arc<Node>>>> = LazyLock::new(Mutex::default);

/// The tree of an expression. Those of late are kept, as the items of a list share their expressions.
pub(super) fn tree(source: &str) -> Result<Arc<Node>, Problem> {
    let trees = || TREES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(tree) = trees().get(source) {
        return Ok(tree.clone());
    }
    if source.len() > MAX_SOURCE {
        return Err(Problem::new(1, format!("it is longer than {MAX_SOURCE} bytes: divide it over several steps")));
    }
    scan::check(source)?;
    let tree = Arc::new(on_a_deep_stack(|| read(source)).unwrap_or_else(|| Err(unreadable()))?);
    let mut trees = trees();
    if trees.len() >= KEPT {
        trees.clear();
    }
    trees.insert(source.to_owned(), tree.clone());
    Ok(tree)
}

fn read(source: &str) -> Result<Node, Problem> {
    // Without macros: `map` and its like stay the calls they are written as, and are ours.
    let env = cel::Env::default().with_optional_support(false);
    match env.compile(source) {
        Ok(program) => lower::lower(program.expression(), program.source_info()),
        Err(errors) => Err(first(source, &errors.errors)),
    }
}

/// What `work` yields on a thread with a deep stack; `None` if there is no thread to be had, or the parser panics.
fn on_a_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok()?.join().ok())
}

fn unreadable() -> Problem {
    Problem::new(1, "it cannot be read")
}

/// The first complaint of the parser. Those without a sign or a place follow from others.
fn first(source: &str, errors: &[cel::ParseError]) -> Problem {
    let told = errors.iter().filter(|error| error.pos.0 > 0);
    let plain = |error: &cel::ParseError| Some(Problem::new(column(source, error.pos), words(&error.msg)?));
    told.filter_map(plain).min_by_key(|problem| problem.column).unwrap_or_else(unreadable)
}

/// A column in the whole text from a line and a column in it, both from 1.
fn column(source: &str, (line, column): (isize, isize)) -> usize {
    let before: usize =
        source.split_inclusive('\n').take(line.max(1) as usize - 1).map(|line| line.chars().count()).sum();
    before + column.max(1) as usize
}

fn words(message: &str) -> Option<String> {
    let Some(syntax) = message.strip_prefix("Syntax error: ") else {
        let known = ["reserved identifier", "unsupported syntax", "invalid", "Invalid"];
        return known.iter().any(|word| message.starts_with(word)).then(|| message.to_owned());
    };
    if let Some((expected, _)) = syntax.strip_prefix("missing '").and_then(|rest| rest.split_once('\'')) {
        return Some(format!("expected \"{expected}\""));
    }
    let (kind, rest) = syntax.split_once('\'')?;
    // The sign stands between quotes, and may be a quote itself.
    let sign = rest.split_once("' expecting").map_or_else(|| rest.strip_suffix('\'').unwrap_or(rest), |(sign, _)| sign);
    if sign.contains("<EOF>") {
        return Some("something is missing at the end".to_owned());
    }
    // "No viable alternative" shows the signs before it as well.
    let sign = sign.trim();
    let sign = sign.strip_prefix('.').filter(|rest| kind.starts_with("no viable") && !rest.is_empty()).unwrap_or(sign);
    let hint = match sign {
        "=" => " (equality is \"==\")",
        "&" | "and" => " (both is \"&&\")",
        "|" | "or" => " (either is \"||\")",
        "not" => " (the opposite is \"!\")",
        _ => "",
    };
    Some(format!("unexpected \"{sign}\"{hint}"))
}
