//! What follows when a step of a task has ended: pure, so that it can be tested against every order of events.

use std::collections::HashMap;

use crate::domain::StepState;

/// One row as the rules see it. A row that has failed and is still looked at has failed tolerably: its task goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The row's key.
    pub key: String,
    /// Where it stands.
    pub state: StepState,
    /// The keys it waits for.
    pub needs: Vec<String>,
    /// Those of them without whose result it can do.
    pub loose: Vec<String>,
}

/// What to do next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Next {
    /// Blocked rows that may start now.
    pub ready: Vec<String>,
    /// Blocked rows that will never start, because something that they cannot do without was skipped or has failed.
    pub skipped: Vec<String>,
    /// Whether every row has ended.
    pub completed: bool,
}

/// Which rows may start now, which never will, and whether the task is done.
pub fn advance(rows: &[Row]) -> Next {
    let mut states: HashMap<&str, StepState> = rows.iter().map(|row| (row.key.as_str(), row.state)).collect();
    let mut next = Next::default();
    // A skipped row may let others go on or be skipped in turn.
    loop {
        let before = next.skipped.len();
        for row in rows {
            if states[row.key.as_str()] != StepState::Blocked || !is_due(row, &states) {
                continue;
            }
            if is_in_vain(row, &states) {
                states.insert(&row.key, StepState::Skipped);
                next.skipped.push(row.key.clone());
            }
        }
        if next.skipped.len() == before {
            break;
        }
    }
    let due = |row: &&Row| states[row.key.as_str()] == StepState::Blocked && is_due(row, &states);
    next.ready = rows.iter().filter(due).map(|row| row.key.clone()).collect();
    next.completed = states.values().all(|state| has_ended(*state));
    next
}

fn has_ended(state: StepState) -> bool {
    matches!(state, StepState::Succeeded | StepState::Skipped | StepState::Failed)
}

/// Whether everything that a row waits for has ended.
fn is_due(row: &Row, states: &HashMap<&str, StepState>) -> bool {
    row.needs.iter().all(|need| states.get(need.as_str()).is_some_and(|state| has_ended(*state)))
}

/// Whether something has come to nothing that the row cannot do without.
fn is_in_vain(row: &Row, states: &HashMap<&str, StepState>) -> bool {
    let came_to_nothing =
        |need: &&String| states.get(need.as_str()).is_some_and(|state| *state != StepState::Succeeded);
    row.needs.iter().filter(|need| !row.loose.contains(need)).any(|need| came_to_nothing(&need))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(key: &str, state: StepState, needs: &[&str], loose: &[&str]) -> Row {
        let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        Row { key: key.to_owned(), state, needs: owned(needs), loose: owned(loose) }
    }

    #[test]
    fn what_cannot_do_without_a_skipped_step_is_skipped_and_so_on() {
        let blocked = StepState::Blocked;
        let rows = [
            row("d", blocked, &["c"], &[]),
            row("c", blocked, &["b"], &[]),
            row("b", blocked, &["a"], &[]),
            row("a", StepState::Skipped, &[], &[]),
            row("e", blocked, &["d"], &["d"]),
        ];
        let next = advance(&rows);
        assert_eq!(
            (next.skipped.len(), next.ready.as_slice(), next.completed),
            (3, ["e".to_owned()].as_slice(), false)
        );
    }

    #[test]
    fn a_tolerable_failure_counts_as_an_end() {
        let rows =
            |loose: &[&str]| [row("a", StepState::Failed, &[], &[]), row("b", StepState::Blocked, &["a"], loose)];
        assert_eq!(advance(&rows(&["a"])).ready, ["b"]);
        let next = advance(&rows(&[]));
        assert_eq!((next.skipped.as_slice(), next.completed), (["b".to_owned()].as_slice(), true));
    }

    #[test]
    fn a_step_whose_work_is_done_elsewhere_has_not_ended() {
        for state in [StepState::Waiting, StepState::Running, StepState::Ready, StepState::Cancelled] {
            let next = advance(&[row("a", state, &[], &[]), row("b", StepState::Blocked, &["a"], &["a"])]);
            assert_eq!(next, Next::default(), "{state}");
        }
    }

    proptest! {
        /// Whatever the graph and the order in which running steps finish, every step runs once, after its needs.
        #[test]
        fn every_graph_runs_to_its_end(
            edges in proptest::collection::vec((0usize..12, 0usize..12), 0..40),
            picks in proptest::collection::vec(0usize..64, 12),
        ) {
            let key = |index: usize| format!("s{index}");
            let mut rows: Vec<Row> = (0..12)
                .map(|index| row(&key(index), StepState::Blocked, &[], &[]))
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
