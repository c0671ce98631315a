//! Model files of any size, whole and well formed, with nothing but zeros for weights. They take no room on the disk.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::Path,
};

/// Writes a model with one layer on each side and a state of so many numbers; its weights take about
/// `110 kB × state`.
pub fn write(path: &Path, state: i32) {
    let smoke = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke/ggml-smoke-q8_0.bin");
    let smoke = std::fs::read(smoke).unwrap();
    let number = |at: usize| i32::from_le_bytes(smoke[at..at + 4].try_into().unwrap());
    let length = |at: usize| usize::try_from(number(at)).unwrap();
    // The magic and eleven numbers, then the mel filters, then the words.
    let (words, mels) = (number(4), number(40));
    let mut end = 48 + 8 + length(48) * length(52) * 4;
    let count = length(end);
    end += 4;
    for _ in 0..count {
        end += 4 + length(end);
    }
    let mut file = File::create(path).unwrap();
    file.write_all(&smoke[..4]).unwrap();
    for value in [words, 1_500, state, 8, 1, 448, state, 8, 1, mels, 1] {
        file.write_all(&value.to_le_bytes()).unwrap();
    }
    file.write_all(&smoke[48..end]).unwrap();
    for (name, shape) in tensors(state, words, mels) {
        // Vectors and positions are numbers of four bytes, everything else of two.
        let wide = shape.len() == 1 || name.ends_with("bias") || name.ends_with("positional_embedding");
        let header = [i32::try_from(shape.len()).unwrap(), i32::try_from(name.len()).unwrap(), i32::from(!wide)];
        for value in header.iter().chain(&shape) {
            file.write_all(&value.to_le_bytes()).unwrap();
        }
        file.write_all(name.as_bytes()).unwrap();
        let elements: i64 = shape.iter().map(|&side| i64::from(side)).product();
        file.seek(SeekFrom::Current(elements * if wide { 4 } else { 2 })).unwrap();
    }
    let end = file.stream_position().unwrap();
    file.set_len(end).unwrap();
}

fn tensors(state: i32, words: i32, mels: i32) -> Vec<(String, Vec<i32>)> {
    let mut all = vec![
        ("encoder.positional_embedding".to_owned(), vec![state, 1_500]),
        ("encoder.conv1.weight".to_owned(), vec![3, mels, state]),
        ("encoder.conv1.bias".to_owned(), vec![1, state]),
        ("encoder.conv2.weight".to_owned(), vec![3, state, state]),
        ("encoder.conv2.bias".to_owned(), vec![1, state]),
        ("decoder.positional_embedding".to_owned(), vec![state, 448]),
        ("decoder.token_embedding.weight".to_owned(), vec![state, words]),
    ];
    let mut norm = |name: String| {
        for part in ["weight", "bias"] {
            all.push((format!("{name}.{part}"), vec![state]));
        }
    };
    ["encoder.ln_post", "decoder.ln"].into_iter().for_each(|name| norm(name.to_owned()));
    for (side, attentions) in [("encoder", &["attn"][..]), ("decoder", &["attn", "cross_attn"])] {
        let layer = format!("{side}.blocks.0");
        for attention in attentions {
            norm(format!("{layer}.{attention}_ln"));
        }
        norm(format!("{layer}.mlp_ln"));
    }
    for (side, attentions) in [("encoder", &["attn"][..]), ("decoder", &["attn", "cross_attn"])] {
        let layer = format!("{side}.blocks.0");
        for attention in attentions {
            for part in ["query", "key", "value", "out"] {
                all.push((format!("{layer}.{attention}.{part}.weight"), vec![state, state]));
                if part != "key" {
                    all.push((format!("{layer}.{attention}.{part}.bias"), vec![state]));
                }
            }
        }
        for (part, from, to) in [("0", state, 4 * state), ("2", 4 * state, state)] {
            all.push((format!("{layer}.mlp.{part}.weight"), vec![from, to]));
            all.push((format!("{layer}.mlp.{part}.bias"), vec![to]));
        }
    }
    all
}
