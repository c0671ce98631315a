//! Cuts a row of atoms into parts where it reads best.

use std::ops::Range;

use super::{
    atoms::{Atom, line},
    breaks::Rest,
    cue::{Cue, Line},
    layout::Layout,
};

/// The most atoms of one cue, so that a text without end takes no time without end.
const MOST: usize = 500;

/// What another cue costs: as much as one that is empty.
const CUE: f64 = 1.0;
/// What another line costs: more than anything else can, so that there are as few as fit.
const LINE: f64 = 1e6;

/// The cues that the atoms of a segment make.
pub(super) fn cues(atoms: &[Atom], layout: &Layout) -> Vec<Cue> {
    let columns = Columns::of(atoms);
    let page = layout.page();
    let lines: Vec<usize> = match page {
        Some((width, _)) => columns.reach(width),
        None => vec![atoms.len(); atoms.len()],
    };
    let reach: Vec<usize> = (0..atoms.len())
        .map(|first| {
            // As many lines as there may be, each as full as it gets, hold the longest cue.
            let next = |at: usize| lines.get(at).copied().unwrap_or(at);
            let by_page = page.map_or(atoms.len(), |(_, most)| (0..most).fold(first, |at, _| next(at)));
            let by_time = layout.longest().map_or(atoms.len(), |longest| last_within(atoms, first, longest));
            by_page.min(by_time).min(first + MOST).max(first + 1)
        })
        .collect();
    let fullness = |part: &Range<usize>| {
        let by_page = page.map_or(0.0, |(width, most)| columns.width(part) as f64 / (width * most) as f64);
        let length = atoms[part.end - 1].end - atoms[part.start].start;
        let by_time = layout.longest().map_or(0.0, |longest| length as f64 / longest as f64);
        by_page.max(by_time)
    };
    let parts = best(atoms, &reach, CUE, fullness);
    parts.into_iter().map(|part| cue(atoms, part, &columns, &lines, page)).collect()
}

fn cue(atoms: &[Atom], part: Range<usize>, columns: &Columns, reach: &[usize], page: Option<(usize, usize)>) -> Cue {
    let own = &atoms[part.clone()];
    let lines: Vec<Line> = match page {
        None => vec![line(own)],
        Some((width, _)) => {
            let reach: Vec<usize> = reach[part.clone()].iter().map(|end| end.min(&part.end) - part.start).collect();
            let fullness = |line: &Range<usize>| {
                columns.width(&(line.start + part.start..line.end + part.start)) as f64 / width as f64
            };
            best(own, &reach, LINE, fullness).into_iter().map(|range| line(&own[range])).collect()
        }
    };
    Cue { start: own[0].start, end: own[own.len() - 1].end, lines }
}

/// One after the last atom that ends within so many milliseconds.
fn last_within(atoms: &[Atom], first: usize, longest: u64) -> usize {
    let start = atoms[first].start;
    first + atoms[first..].partition_point(|atom| atom.end - start <= longest)
}

/// The parts with the least cost in all: each part has a price, and loses by being far from full and by ending where
/// nothing ends. `reach` says for each atom how far a part that begins with it may go.
fn best(atoms: &[Atom], reach: &[usize], price: f64, fullness: impl Fn(&Range<usize>) -> f64) -> Vec<Range<usize>> {
    let count = atoms.len();
    let mut costs = vec![(f64::INFINITY, 0); count + 1];
    costs[0].0 = 0.0;
    for first in 0..count {
        for end in first + 1..=reach[first] {
            let slack = 1.0 - fullness(&(first..end)).min(1.0);
            let unrest = match atoms[end - 1].rest {
                _ if end == count => 0.0,
                Rest::Sentence => 0.0,
                Rest::Clause => 0.3,
                Rest::Word => 1.0,
            };
            let cost = costs[first].0 + price + slack * slack + unrest;
            if cost < costs[end].0 {
                costs[end] = (cost, first);
            }
        }
    }
    let mut parts = Vec::new();
    let mut end = count;
    while end > 0 {
        let first = costs[end].1;
        parts.push(first..end);
        end = first;
    }
    parts.reverse();
    parts
}

/// The columns up to each atom, blanks counted, and whether a blank stands before it.
struct Columns {
    until: Vec<usize>,
    blank: Vec<usize>,
}

impl Columns {
    fn of(atoms: &[Atom]) -> Self {
        let blank: Vec<usize> = atoms.iter().map(|atom| usize::from(atom.blank)).collect();
        let mut until = vec![0];
        let mut sum = 0;
        for (atom, blank) in atoms.iter().zip(&blank) {
            sum += atom.width + blank;
            until.push(sum);
        }
        Self { until, blank }
    }

    /// The columns of a line of these atoms.
    fn width(&self, part: &Range<usize>) -> usize {
        self.until[part.end] - self.until[part.start] - self.blank[part.start]
    }

    /// For each atom, how far a line of so many columns goes that begins with it: one atom at least.
    fn reach(&self, columns: usize) -> Vec<usize> {
        let far = |first: usize| {
            let limit = self.until[first] + self.blank[first] + columns;
            let end = self.until.partition_point(|until| *until <= limit) - 1;
            end.max(first + 1)
        };
        (0..self.blank.len()).map(far).collect()
    }
}
