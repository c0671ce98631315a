//! How far a task is, from how far its steps are.

use crate::{
    domain::{StepKind, StepState},
    store::StepView,
    workflow::Rule,
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

/// 0 to 1 over all steps of a task, those of its `on_error` aside. `skipped` are rows that have ended since they were read.
pub(super) fn overall(rows: &[StepView], skipped: &[String]) -> f64 {
    let (mut total, mut done) = (0.0, 0.0);
    for row in rows.iter().filter(|row| !Rule::read(&row.rule).handler) {
        let part = match row.state {
            StepState::Succeeded | StepState::Skipped | StepState::Failed => 1.0,
            StepState::Running | StepState::Waiting => row.progress.clamp(0.0, 1.0),
            StepState::Blocked if skipped.contains(&row.key) => 1.0,
            StepState::Blocked | StepState::Ready | StepState::Cancelled => 0.0,
        };
        total += weight(row.kind);
        done += weight(row.kind) * part;
    }
    if total > 0.0 { (done / total).clamp(0.0, 1.0) } else { 0.0 }
}
