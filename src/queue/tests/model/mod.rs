//! Random workflows against a pure model: random graphs, conditions, lists, failures, tries, kills, cancels and retries.
//!
//! A fake executor claims rows and ends them in a random order; the model is told of each move and must agree on what may
//! be claimed, on how everything ends, and that each result was committed once. `TRAWL_CASES` says how many workflows are
//! run (`make soak`: 10,000), `TRAWL_SEED` which one is the first.

mod case;
mod drive;
mod pure;

/// How many workflows share a database, and are at work in it at the same time.
const TOGETHER: u64 = 50;

/// Two halves, so that both cores have something to do.
#[test]
fn random_workflows_end_as_the_model_says() {
    half(0);
}

#[test]
fn random_workflows_end_as_the_model_says_too() {
    half(1);
}

fn half(which: u64) {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let cases = number("TRAWL_CASES", 500) / 2;
    let first = number("TRAWL_SEED", 1) + which * cases;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut seed = first;
        while seed < first + cases {
            let count = TOGETHER.min(first + cases - seed);
            drive::run(seed, count).await;
            seed += count;
        }
    });
}
