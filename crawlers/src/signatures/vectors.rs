//! Files of known signatures, so that a new capture can be checked without a new binary.

use serde::Deserialize;

use super::{ABogus, a_bogus::NOISE};

/// One case of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// Whether we sign as it says.
    pub matches: bool,
}

#[derive(Deserialize)]
struct File {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    inputs: Inputs,
    #[serde(default)]
    pinned_draws_in_call_order: Vec<Draw>,
    derived: Derived,
    a_bogus: String,
}

#[derive(Deserialize)]
struct Inputs {
    query_string_signed: String,
    method: String,
    user_agent: String,
    #[serde(default)]
    explicit_random_nums: Vec<Option<f64>>,
}

#[derive(Deserialize)]
struct Draw {
    call: String,
    returns: f64,
}

#[derive(Deserialize)]
struct Derived {
    start_time_ms: u64,
    end_time_ms: u64,
    browser_info: String,
}

/// Computes every case of a file of `a_bogus` vectors, in its order. Fails with a sentence when the file has another form.
pub fn check_vectors(json: &str) -> Result<Vec<Checked>, String> {
    let file: File = serde_json::from_str(json).map_err(|error| format!("This is no file of vectors: {error}."))?;
    let checked = |case: Case| Checked { matches: case.sign() == case.a_bogus, name: case.name };
    Ok(file.cases.into_iter().map(checked).collect())
}

impl Case {
    fn sign(&self) -> String {
        ABogus {
            query: &self.inputs.query_string_signed,
            method: &self.inputs.method,
            user_agent: &self.inputs.user_agent,
            browser: &self.derived.browser_info,
            start_ms: self.derived.start_time_ms,
            end_ms: self.derived.end_time_ms,
            noise: self.noise(),
        }
        .sign()
    }

    /// The noise that was given, and draws where none (or 0) was.
    fn noise(&self) -> [u16; 3] {
        let mut draws = self.pinned_draws_in_call_order.iter().filter(|draw| draw.call == "random()");
        std::array::from_fn(|at| {
            let given = self.inputs.explicit_random_nums.get(at).copied().flatten().filter(|number| *number != 0.0);
            let drawn = || draws.next().map_or(0.0, |draw| draw.returns * f64::from(NOISE));
            // Fractions are cut off.
            given.unwrap_or_else(drawn) as u16
        })
    }
}
