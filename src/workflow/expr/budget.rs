//! What one evaluation may cost.

use serde_json::Value;

use super::missing::Failure;

/// Work that one evaluation may do: looking at a node of the expression, at an element of a list or at 64 bytes of text
/// is one. On a slow core all of it takes about 100 ms.
const WORK: u64 = 1_000_000;
/// Bytes that one evaluation may build, all values together, also those it drops.
const BUILT: usize = 16 << 20;
/// The largest value that an expression may build as its result, in bytes of JSON. What it only picks from the scope may
/// be larger.
const RESULT: usize = 1 << 20;
/// What a JSON value takes beside its text, in bytes.
const VALUE: usize = 32;

/// What is left for one evaluation.
pub(super) struct Budget {
    work: u64,
    built: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { work: WORK, built: BUILT }
    }

    /// Pays for `amount` operations.
    pub(super) fn work(&mut self, amount: usize) -> Result<(), Failure> {
        let left = self.work.checked_sub(amount as u64);
        self.work =
            left.ok_or_else(|| Failure::wrong("it is too much work: the data or the patterns are too large"))?;
        Ok(())
    }

    /// Pays for reading `bytes` of text.
    pub(super) fn read(&mut self, bytes: usize) -> Result<(), Failure> {
        self.work(bytes / 64)
    }

    /// Pays for a new value with `bytes` of text.
    pub(super) fn build(&mut self, bytes: usize) -> Result<(), Failure> {
        let left = self.built.checked_sub(bytes.saturating_add(VALUE));
        self.built = left.ok_or_else(|| Failure::wrong("it builds more than 16 MiB on its way"))?;
        self.read(bytes)
    }

    /// Pays for a copy of `value`.
    pub(super) fn copy(&mut self, value: &Value) -> Result<(), Failure> {
        let size = weigh(value, self.built);
        self.build(size)?;
        self.work(size / VALUE)
    }
}

/// About how many bytes of memory a value takes. Counting stops above `most`.
pub fn weigh(value: &Value, most: usize) -> usize {
    let mut size = VALUE;
    match value {
        Value::String(text) => size += text.len(),
        Value::Array(items) => {
            for item in items {
                if size > most {
                    break;
                }
                size += weigh(item, most - size);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if size > most {
                    break;
                }
                size += VALUE + name.len();
                size += weigh(field, most.saturating_sub(size));
            }
        }
        _ => {}
    }
    size
}

/// Refuses a result that is larger than an expression may build.
pub(super) fn check_result(value: &Value) -> Result<(), Failure> {
    json(value, RESULT).map(drop).ok_or_else(|| Failure::wrong("its result is larger than 1 MiB"))
}

/// A value as JSON writes it, in at most `most` bytes.
pub(super) fn json(value: &Value, most: usize) -> Option<String> {
    struct Room {
        text: Vec<u8>,
        most: usize,
    }
    impl std::io::Write for Room {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            if self.text.len() + bytes.len() > self.most {
                return Err(std::io::ErrorKind::FileTooLarge.into());
            }
            self.text.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut room = Room { text: Vec::new(), most };
    serde_json::to_writer(&mut room, value).ok()?;
    String::from_utf8(room.text).ok()
}
