//! How far a task is, from how far its steps are.

use crate::{
    domain::{StepKind, StepState},
    store::StepRow,
};

/// How much of a usual task's time a kind takes.
fn weight(kind: StepKind) -> f64 {
    match kind {
        StepKind::Resolve => 0.03,
        StepKind::Download => 0.22,
        StepKind::Extract => 0.10,
        StepKind::Transcribe => 0.65,
        StepKind::Llm => 0.20,
        StepKind::Exec | StepKind::Workflow => 0.10,
        StepKind::Http => 0.02,
        StepKind::Callback | StepKind::Subtitle | StepKind::Condition => 0.01,
    }
}

/// 0 to 1 over all steps.
pub(super) fn overall(rows: &[StepRow]) -> f64 {
    let total: f64 = rows.iter().map(|row| weight(row.step.kind)).sum();
    let done: f64 = rows
        .iter()
        .map(|row| {
            let part = match row.step.state {
                StepState::Succeeded | StepState::Skipped => 1.0,
                StepState::Running => row.step.progress.clamp(0.0, 1.0),
                _ => 0.0,
            };
            weight(row.step.kind) * part
        })
        .sum();
    if total > 0.0 { (done / total).clamp(0.0, 1.0) } else { 0.0 }
}
