//! Estimates and budgets.

use super::super::memory::*;
use crate::transcribe::models::{Dims, ModelInfo};

fn info(size: u64, state: u32, heads: u32, layers: (u32, u32), mels: u32) -> ModelInfo {
    let dims = Dims {
        n_vocab: 51_866,
        n_audio_ctx: 1_500,
        n_audio_state: state,
        n_audio_head: heads,
        n_audio_layer: layers.0,
        n_text_ctx: 448,
        n_text_state: state,
        n_text_head: heads,
        n_text_layer: layers.1,
        n_mels: mels,
    };
    ModelInfo { dims, multilingual: true, ftype: "f16".to_owned(), size }
}

#[test]
fn estimates_are_of_the_right_size() {
    let mib = |bytes: u64| bytes >> 20;
    let base = need(&info(148_000_000, 512, 8, (6, 6), 80), true);
    // Measured: 391 MiB with one slot, 607 with two at work without a prompt, 480 with one and the longest prompt.
    assert!((607..900).contains(&mib(base.total(2))) && (470..530).contains(&mib(base.total(1))), "{base:?}");
    let large = need(&info(3_095_000_000, 1_280, 20, (32, 32), 128), true);
    assert!((700..1_600).contains(&mib(large.slot)), "{large:?}");
    let turbo = need(&info(1_624_000_000, 1_280, 20, (32, 4), 128), false);
    assert!(turbo.slot < large.slot && mib(turbo.total(4)) < 6_000, "{turbo:?}");
    assert_eq!(large.total(3), large.fixed + 3 * large.slot);
}

#[test]
fn budgets_come_from_the_machine_unless_configured() {
    assert_eq!(cpu_budget(5), 5);
    let total = main_memory().unwrap();
    assert!(total > 1 << 28 && cpu_budget(0) <= total / 4 * 3);
    assert_eq!(gpu_budget(1_000), 900);
    assert!(resident(std::process::id()).unwrap() <= peak(std::process::id()).unwrap());
    assert_eq!(resident(u32::MAX), None);
}
