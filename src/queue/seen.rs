//! Posts that a step has shown: marked as seen with its end, so that a crash neither loses one nor shows one twice.

use serde_json::Value;

use crate::{error::Result, store::Tx};

/// What a step has seen of a list.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The list's key in `seen_items`.
    pub list: String,
    /// The posts that the output shows as `items`, in that order, by platform and id.
    pub shown: Vec<(String, String)>,
    /// Posts that count as seen without being shown.
    pub passed: Vec<(String, String)>,
    /// Whether everything behind them in the list is known, too.
    pub whole: bool,
}

/// Marks the posts. What another step has shown meanwhile is taken out of the output.
pub(super) async fn note(tx: &Tx, seen: &Seen, output: &mut Value) -> Result<()> {
    tx.must_be_alone()?;
    let mut fresh = Vec::with_capacity(seen.shown.len());
    for post in &seen.shown {
        fresh.push(tx.see_item(&seen.list, post, seen.whole).await?);
    }
    for post in &seen.passed {
        tx.see_item(&seen.list, post, seen.whole).await?;
    }
    if seen.whole {
        tx.anchor_seen(&seen.list).await?;
    }
    if let Some(items) = output.get_mut("items").and_then(Value::as_array_mut) {
        let mut fresh = fresh.into_iter();
        items.retain(|_| fresh.next().unwrap_or(true));
    }
    Ok(())
}
