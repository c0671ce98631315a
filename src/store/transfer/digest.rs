//! A digest over all rows of a table that does not depend on their order, because databases sort texts differently.

use std::fmt;

use sea_orm::Value;
use sha2::{Digest as _, Sha256};

/// How many rows there are, and the sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Digest {
    /// How many rows.
    pub rows: u64,
    sum: [u64; 4],
}

impl Digest {
    /// Takes a row in. Values are told apart by kind and length: no two rows look the same.
    pub(super) fn add(&mut self, row: &[Value]) {
        let mut hash = Sha256::new();
        for value in row {
            match value {
                Value::BigInt(Some(number)) => part(&mut hash, 1, &number.to_le_bytes()),
                Value::Int(Some(number)) => part(&mut hash, 2, &number.to_le_bytes()),
                Value::Double(Some(number)) => part(&mut hash, 3, &number.to_bits().to_le_bytes()),
                Value::Bool(Some(is)) => part(&mut hash, 4, &[u8::from(*is)]),
                Value::String(Some(text)) => part(&mut hash, 5, text.as_bytes()),
                Value::Bytes(Some(bytes)) => part(&mut hash, 6, bytes),
                // Of the kinds that rows are read as, only what is null is left.
                _ => part(&mut hash, 0, &[]),
            }
        }
        let hash = hash.finalize();
        for (sum, bytes) in self.sum.iter_mut().zip(hash.chunks_exact(8)) {
            let word = bytes.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
            *sum = sum.wrapping_add(word);
        }
        self.rows += 1;
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sum.iter().try_for_each(|word| write!(f, "{word:016x}"))
    }
}

fn part(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[&[Value]]) -> Digest {
        let mut digest = Digest::default();
        rows.iter().for_each(|row| digest.add(row));
        digest
    }

    #[test]
    fn the_order_of_rows_makes_no_difference_and_every_value_does() {
        let rows: [&[Value]; 4] = [
            &["ab".into(), "c".into()],
            &["a".into(), "bc".into()],
            &[1_i64.into(), true.into()],
            &[2_i64.into(), 0.5.into()],
        ];
        let all = of(&rows);
        let mut turned = rows;
        turned.reverse();
        assert_eq!(of(&turned), all);
        assert_ne!(of(&rows[..1]), of(&rows[1..2]), "the end of a value is not seen");
        assert_ne!(of(&[&["".into()]]), of(&[&[Value::String(None)]]), "nothing is taken for an empty text");
        assert_ne!(of(&[&[0.0.into()]]), of(&[&[(-0.0).into()]]));
        assert_ne!(of(&[rows[0], rows[0]]), of(&[]), "two rows take each other away");
        assert_eq!(all.to_string().len(), 64);
    }
}
