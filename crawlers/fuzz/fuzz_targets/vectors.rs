//! Files of signatures that an operator has captured.

#![no_main]

use crawlers::signatures::check_vectors;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Err(sentence) = check_vectors(&String::from_utf8_lossy(bytes)) {
        assert!(!sentence.is_empty());
    }
});
