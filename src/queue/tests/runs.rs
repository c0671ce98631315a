//! One rule of a run after the other: lists, failures, deadlines, tasks of tasks, tasks that are held back.
