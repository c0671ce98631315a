//! What a model of given sizes consists of, as whisper.cpp lays it out.

use std::collections::HashMap;

use super::Dims;

/// Sizes of a tensor, the row's first; those that it does not have are 1.
pub(super) type Shape = [u64; 4];

/// ggml's numbers for plain tensor types.
const F32: i32 = 0;
const F16: i32 = 1;

/// Number, elements per block and bytes per block of ggml's tensor types.
pub(super) const TYPES: &[(i32, u64, u64)] = &[
    (F32, 1, 4),
    (F16, 1, 2),
    (2, 32, 18),
    (3, 32, 20),
    (6, 32, 22),
    (7, 32, 24),
    (8, 32, 34),
    (10, 256, 84),
    (11, 256, 110),
    (12, 256, 144),
    (13, 256, 176),
    (14, 256, 210),
    (30, 1, 2),
];

/// One of ggml's file types.
#[derive(Debug)]
pub(super) struct Ftype {
    /// Its number in the header.
    pub(super) id: i32,
    /// Its name.
    pub(super) name: &'static str,
    /// The number of the tensor type of its weights.
    tensor: i32,
}

const fn ftype(id: i32, name: &'static str, tensor: i32) -> Ftype {
    Ftype { id, name, tensor }
}

/// ggml's file types.
pub(super) const FTYPES: &[Ftype] = &[
    ftype(0, "f32", F32),
    ftype(1, "f16", F16),
    ftype(2, "q4_0", 2),
    ftype(3, "q4_1", 3),
    ftype(7, "q8_0", 8),
    ftype(8, "q5_0", 6),
    ftype(9, "q5_1", 7),
    ftype(10, "q2_k", 10),
    ftype(11, "q3_k", 11),
    ftype(12, "q4_k", 12),
    ftype(13, "q5_k", 13),
    ftype(14, "q6_k", 14),
    ftype(24, "bf16", 30),
];

/// Every tensor which a model of these sizes has, with its shape and the number of its type.
pub(super) fn expected(dims: &Dims, ftype: &Ftype) -> HashMap<String, (Shape, i32)> {
    let state = u64::from(dims.n_audio_state);
    let weights = ftype.tensor;
    let kernels = if weights == F32 { F32 } else { F16 };
    let mut all = HashMap::new();
    let mut add = |name: String, shape: &[u64], kind: i32| {
        let mut full = [1; 4];
        full[..shape.len()].copy_from_slice(shape);
        all.insert(name, (full, kind));
    };
    let mut layer = |prefix: String, cross: bool| {
        let attentions: &[&str] = if cross { &["attn", "cross_attn"] } else { &["attn"] };
        for attention in attentions {
            for part in ["query", "key", "value", "out"] {
                add(format!("{prefix}.{attention}.{part}.weight"), &[state, state], weights);
                if part != "key" {
                    add(format!("{prefix}.{attention}.{part}.bias"), &[state], F32);
                }
            }
            add(format!("{prefix}.{attention}_ln.weight"), &[state], F32);
            add(format!("{prefix}.{attention}_ln.bias"), &[state], F32);
        }
        add(format!("{prefix}.mlp_ln.weight"), &[state], F32);
        add(format!("{prefix}.mlp_ln.bias"), &[state], F32);
        add(format!("{prefix}.mlp.0.weight"), &[state, 4 * state], weights);
        add(format!("{prefix}.mlp.0.bias"), &[4 * state], F32);
        add(format!("{prefix}.mlp.2.weight"), &[4 * state, state], weights);
        add(format!("{prefix}.mlp.2.bias"), &[state], F32);
    };
    for index in 0..dims.n_audio_layer {
        layer(format!("encoder.blocks.{index}"), false);
    }
    for index in 0..dims.n_text_layer {
        layer(format!("decoder.blocks.{index}"), true);
    }
    for (name, shape, kind) in [
        ("encoder.positional_embedding", &[state, u64::from(dims.n_audio_ctx)][..], F32),
        ("encoder.conv1.weight", &[3, u64::from(dims.n_mels), state], kernels),
        ("encoder.conv1.bias", &[1, state], F32),
        ("encoder.conv2.weight", &[3, state, state], kernels),
        ("encoder.conv2.bias", &[1, state], F32),
        ("encoder.ln_post.weight", &[state], F32),
        ("encoder.ln_post.bias", &[state], F32),
        ("decoder.positional_embedding", &[state, u64::from(dims.n_text_ctx)], F32),
        ("decoder.token_embedding.weight", &[state, u64::from(dims.n_vocab)], weights),
        ("decoder.ln.weight", &[state], F32),
        ("decoder.ln.bias", &[state], F32),
    ] {
        add(name.to_owned(), shape, kind);
    }
    all
}
