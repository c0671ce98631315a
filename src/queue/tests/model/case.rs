//! A random workflow with all that will happen to it.

use serde_json::{Map, Value, json};

/// Numbers by chance, the same for the same seed.
pub(super) struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    pub fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
}

/// How the tries at a row end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tries {
    /// How many fail in a way that can pass before another end.
    pub passing: i64,
    /// Whether the one after them fails for good.
    pub fails: bool,
}

#[derive(Clone, Debug)]
pub(super) struct List {
    pub items: Vec<Tries>,
    pub parallel: usize,
    pub collect: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    pub key: String,
    /// Steps that must have succeeded, and steps that must have ended.
    pub strict: Vec<usize>,
    pub loose: Vec<usize>,
    pub when: Option<bool>,
    pub list: Option<List>,
    pub tries: Tries,
    /// Tries after the first.
    pub retries: i64,
    pub goes_on: bool,
    pub kind: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct Case {
    pub name: String,
    pub steps: Vec<Step>,
    pub handlers: Vec<Step>,
}

impl Case {
    pub fn new(seed: u64) -> Self {
        let dice = &mut Dice(seed);
        let most = if dice.percent(10) { 30 } else { 9 };
        let steps = 1 + dice.below(most);
        let handlers = if dice.percent(40) { 1 + dice.below(3) } else { 0 };
        Self {
            name: format!("case-{seed}"),
            steps: (0..steps).map(|index| step(dice, "s", index)).collect(),
            handlers: (0..handlers).map(|index| step(dice, "h", index)).collect(),
        }
    }

    pub fn definition(&self) -> Value {
        let group = |steps: &[Step]| -> Map<String, Value> {
            steps.iter().map(|step| (step.key.clone(), step.definition(steps))).collect()
        };
        let mut definition = json!({ "dsl": 1, "name": self.name, "steps": group(&self.steps) });
        if !self.handlers.is_empty() {
            definition["on_error"] = group(&self.handlers).into();
        }
        definition
    }

    /// What the conditions and lists are made of.
    pub fn params(&self) -> Map<String, Value> {
        let mut params = Map::new();
        for step in self.steps.iter().chain(&self.handlers) {
            if let Some(when) = step.when {
                params.insert(format!("when_{}", step.key), json!(when));
            }
            if let Some(list) = &step.list {
                params.insert(format!("list_{}", step.key), json!((0..list.items.len()).collect::<Vec<_>>()));
            }
        }
        params
    }

    /// How the tries at a row end, whichever group it belongs to.
    pub fn tries(&self, key: &str) -> (Tries, i64) {
        let (name, index) = match key.split_once('[') {
            Some((name, rest)) => (name, Some(rest.trim_end_matches(']').parse::<usize>().unwrap())),
            None => (key, None),
        };
        let step = self.steps.iter().chain(&self.handlers).find(|step| step.key == name).unwrap();
        (index.map_or(step.tries, |index| step.list.as_ref().unwrap().items[index]), step.retries)
    }
}

fn tries(dice: &mut Dice) -> Tries {
    let passing = if dice.percent(20) { 1 + i64::try_from(dice.below(3)).unwrap() } else { 0 };
    Tries { passing, fails: dice.percent(8) }
}

fn step(dice: &mut Dice, prefix: &str, index: usize) -> Step {
    let (mut strict, mut loose) = (Vec::new(), Vec::new());
    for other in 0..index {
        match dice.below(10) {
            0 | 1 => strict.push(other),
            2 => loose.push(other),
            _ => {}
        }
    }
    let list = dice.percent(20).then(|| List {
        items: (0..dice.below(6)).map(|_| tries(dice)).collect(),
        parallel: 1 + dice.below(3),
        collect: dice.percent(50),
    });
    Step {
        key: format!("{prefix}{index}"),
        strict,
        loose,
        when: dice.percent(25).then(|| dice.percent(60)),
        list,
        tries: tries(dice),
        retries: i64::try_from(dice.below(3)).unwrap(),
        goes_on: dice.percent(50),
        kind: if dice.percent(50) { "condition" } else { "resolve" },
    }
}

impl Step {
    fn definition(&self, group: &[Step]) -> Value {
        let named = |indices: &[usize]| indices.iter().map(|index| group[*index].key.clone()).collect::<Vec<_>>();
        let with: Map<String, Value> = named(&self.strict)
            .into_iter()
            .map(|key| (key.clone(), json!(format!("${{steps.{key}.status}}"))))
            .collect();
        let mut step = json!({
            "use": self.kind, "with": with, "after": named(&self.loose),
            "retry": { "max": self.retries, "first": "0ms" },
        });
        if self.when.is_some() {
            step["when"] = json!(format!("params.when_{}", self.key));
        }
        if let Some(list) = &self.list {
            step["foreach"] = json!({
                "in": format!("params.list_{}", self.key), "parallel": list.parallel,
                "on_item_error": if list.collect { "collect" } else { "fail" },
            });
        }
        if self.goes_on {
            step["on_error"] = json!("continue");
        }
        step
    }
}
