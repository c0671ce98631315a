//! Our words and times as OpenAPI types.

use std::{borrow::Cow, fmt::Display, str::FromStr};

use chrono::{DateTime, Utc};
use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef},
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use serde_json::Value;

use crate::domain::{
    Catchup, CheckState, DeliveryState, EndpointState, EventFireState, FireState, IdentityState, Lane, NodeState,
    Overlap, Priority, Role, ScheduleState, Scope, SourceState, StepKind, StepState, TaskStatus, WaitsFor,
    status::UnknownWord,
};

/// A closed list of words.
pub(super) trait Words: Copy + Display + FromStr<Err = UnknownWord> + Send + Sync + 'static {
    /// Every word.
    fn all() -> &'static [Self];
}

macro_rules! words {
    ($($name:ident)*) => {
        $(impl Words for $name {
            fn all() -> &'static [Self] {
                Self::ALL
            }
        })*
    };
}

words!(TaskStatus Priority StepState StepKind IdentityState SourceState ScheduleState Overlap Catchup FireState EventFireState DeliveryState EndpointState Scope Lane Role NodeState WaitsFor CheckState);

/// One of a closed list of words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<T>(pub T);

/// A time as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time(pub DateTime<Utc>);

/// What every type that is written as a text has in common.
macro_rules! text_type {
    ([$($generic:tt)*] $ty:ty, $schema:expr) => {
        impl<$($generic)*> Type for $ty {
            const IS_REQUIRED: bool = true;

            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                "string".into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new($schema))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(self.as_raw_value().into_iter())
            }
        }

        impl<$($generic)*> ParseFromJSON for $ty {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                match value.unwrap_or_default() {
                    Value::String(text) => Self::parse_from_parameter(&text),
                    other => Err(ParseError::expected_type(other)),
                }
            }
        }
    };
}

text_type!([T: Words] Word<T>, MetaSchema {
    enum_items: T::all().iter().map(|word| Value::String(word.to_string())).collect(),
    ..MetaSchema::new("string")
});
text_type!([] Time, MetaSchema::new_with_format("string", "date-time"));

impl<T: Words> ParseFromParameter for Word<T> {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        Ok(Self(value.parse()?))
    }
}

impl<T: Words> ToJSON for Word<T> {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.0.to_string()))
    }
}

impl ParseFromParameter for Time {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        // A plus that nobody has encoded arrives as a space.
        let text = value.trim().replace(' ', "+");
        match DateTime::parse_from_rfc3339(&text) {
            Ok(time) => Ok(Self(time.to_utc())),
            Err(_) => Err(ParseError::custom("must be a time like 2026-11-20T08:30:00Z")),
        }
    }
}

impl ToJSON for Time {
    fn to_json(&self) -> Option<Value> {
        serde_json::to_value(self.0).ok()
    }
}
