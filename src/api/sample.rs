//! Examples of bodies, for the documentation: written as the JSON that a client would send.

use poem_openapi::types::ParseFromJSON;
use serde_json::Value;

/// A document that is taken as it was sent, and what one may look like.
pub(super) trait Sample: Send + Sync + 'static {
    /// One that would be taken.
    fn sample() -> Value;
}

/// What [`Sample`] says, in one line.
macro_rules! shows {
    ($name:ty, $($json:tt)+) => {
        impl $crate::api::sample::Sample for $name {
            fn sample() -> serde_json::Value {
                serde_json::json!($($json)+)
            }
        }
    };
}
pub(super) use shows;

/// Makes a JSON text the example of a type that says `#[oai(example)]`.
macro_rules! sample {
    ($name:ty, $($json:tt)+) => {
        impl poem_openapi::types::Example for $name {
            fn example() -> Self {
                $crate::api::sample::read(serde_json::json!($($json)+))
            }
        }
    };
}
pub(super) use sample;

/// A value of the type.
pub(super) fn read<T: ParseFromJSON>(value: Value) -> T {
    // They are part of the program, and every test that looks at the documentation reads them all.
    T::parse_from_json(Some(value)).ok().expect("an example fits its type")
}
