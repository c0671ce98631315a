//! What follows when a step of a task has ended: pure, so that it can be tested against every order of events.

use crate::domain::StepState;

/// One row as the rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The row's key.
    pub key: String,
    /// Where it stands.
    pub state: StepState,
    /// The keys it waits for.
    pub needs: Vec<String>,
}

/// What to do next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// Blocked rows that may start now.
    pub ready: Vec<String>,
    /// Whether every row has succeeded or was not needed, so that the task is completed.
    pub completed: bool,
}

/// Which rows may start now, and whether the task is done.
pub fn advance(rows: &[Row]) -> Next {
    let done = |key: &String| {
        rows.iter().any(|row| row.key == *key && matches!(row.state, StepState::Succeeded | StepState::Skipped))
    };
    let ready = rows
        .iter()
        .filter(|row| row.state == StepState::Blocked && row.needs.iter().all(done))
        .map(|row| row.key.clone())
        .collect();
    let completed = rows.iter().all(|row| matches!(row.state, StepState::Succeeded | StepState::Skipped));
    Next { ready, completed }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the graph and the order in which running steps finish, every step runs once, after its needs.
        #[test]
        fn every_graph_runs_to_its_end(
            edges in proptest::collection::vec((0usize..12, 0usize..12), 0..40),
            picks in proptest::collection::vec(0usize..64, 12),
        ) {
            let key = |index: usize| format!("s{index}");
            let mut rows: Vec<Row> = (0..12)
                .map(|index| Row { key: key(index), state: StepState::Blocked, needs: Vec::new() })
                .collect();
            for (a, b) in edges.into_iter().filter(|(a, b)| a != b) {
                rows[a.max(b)].needs.push(key(a.min(b)));
            }
            for pick in picks {
                for name in advance(&rows).ready {
                    let row = rows.iter_mut().find(|row| row.key == name).unwrap();
                    row.state = StepState::Ready;
                }
                let ready: Vec<usize> =
                    (0..12).filter(|index| rows[*index].state == StepState::Ready).collect();
                prop_assert!(!ready.is_empty());
                let index = ready[pick % ready.len()];
                let needs = rows[index].needs.clone();
                prop_assert!(rows.iter().filter(|row| needs.contains(&row.key)).all(|row| row.state == StepState::Succeeded));
                rows[index].state = StepState::Succeeded;
            }
            prop_assert!(advance(&rows).completed);
        }
    }
}
