//! Whether a value has the form of a schema, told in our words.

use std::sync::LazyLock;

use jsonschema::{ValidationError, Validator, error::ValidationErrorKind as Kind};
use serde_json::Value;

use super::{KINDS, Problem, duration, is_open, shown};
use crate::{
    domain::options::nearest,
    workflow::{
        definition::{ID, KIND, STEP},
        schema::schema,
    },
};

/// The longest list of allowed values that is written out.
const SHOWN: usize = 300;

static DEFINITION: LazyLock<Validator> = LazyLock::new(|| validator(schema()));

/// A validator of one of our own schemas.
pub(super) fn validator(schema: &Value) -> Validator {
    // Made from types when the program was built, and tested.
    #[expect(clippy::expect_used, reason = "our own schemas are valid; a test makes each of them")]
    jsonschema::validator_for(schema).expect("a schema of ours")
}

/// What is wrong with the form of a definition.
pub(super) fn check(value: &Value, problems: &mut Vec<Problem>) {
    against(&DEFINITION, schema(), value, "", problems);
}

/// What is wrong with the form of `value`, which lies at `base`. What holds a `${…}` may become anything.
pub(super) fn against(validator: &Validator, schema: &Value, value: &Value, base: &str, problems: &mut Vec<Problem>) {
    for error in validator.iter_errors(value) {
        tell(&error, schema, base, problems);
    }
}

fn tell(error: &ValidationError<'_>, schema: &Value, base: &str, problems: &mut Vec<Problem>) {
    let instance = error.instance();
    let pointer = format!("{base}{}", error.instance_path().as_str());
    // A definition's own fields are never open; `base` tells the input of a step apart.
    let open = !base.is_empty() && is_open(instance);
    let field = |message: String| Problem::new("E_FIELD", pointer.clone(), message);
    let limit = |message: String| Problem::new("E_LIMIT", pointer.clone(), message);
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => {
            let known = names_beside(schema, error);
            problems.extend(unexpected.iter().map(|name| {
                field(format!("unknown field \"{}\"", shown(name))).or(nearest(name, known.iter().map(String::as_str)))
            }));
        }
        Kind::Required { property } => {
            problems.push(field(format!("field \"{}\" is missing", property.as_str().unwrap_or_default())));
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            branches(context, schema, &pointer, base, problems)
        }
        Kind::PropertyNames { error } => {
            let given = error.instance().as_str().unwrap_or_default().to_owned();
            problems.push(name(error, super::below(&pointer, &given)));
        }
        Kind::OneOfMultipleValid { .. } => {}
        _ if open => {}
        Kind::Constant { expected_value } if pointer == "/dsl" => {
            let message = format!("{instance} is not supported (this server: {expected_value})");
            problems.push(Problem::new("E_DSL", pointer, message));
        }
        Kind::Constant { expected_value } => problems.push(one_of(&pointer, instance, &[expected_value.as_ref()])),
        Kind::Enum { options } => {
            let options: Vec<&Value> = options.as_array().into_iter().flatten().collect();
            problems.push(one_of(&pointer, instance, &options));
        }
        Kind::Pattern { pattern } if pattern == KIND => problems.push(unknown_kind(instance, pointer)),
        Kind::Pattern { pattern } if pattern == ID || pattern == STEP => problems.push(name(error, pointer)),
        Kind::Pattern { .. } => problems.push(duration::problem(instance.as_str().unwrap_or_default(), pointer)),
        Kind::Type { .. } if pointer == "/dsl" => {
            problems.push(Problem::new(
                "E_DSL",
                pointer.clone(),
                format!("{instance} is not supported (this server: 1)"),
            ));
        }
        Kind::Type { .. } if error.schema_path().as_str().starts_with("/$defs/duration/") => {
            problems.push(duration::problem(&instance.to_string(), pointer));
        }
        Kind::Type { kind } => {
            let told = format!("{kind:?}").to_lowercase();
            let word =
                ["object", "array", "string", "boolean", "integer", "number"].into_iter().find(|w| told.contains(w));
            problems.push(field(match word {
                Some("object") => "must be an object".to_owned(),
                Some("array") => "must be a list".to_owned(),
                Some("string") => "must be a text".to_owned(),
                Some("boolean") => "must be true or false".to_owned(),
                Some("integer") => "must be a whole number".to_owned(),
                Some(_) => "must be a number".to_owned(),
                None => error.to_string(),
            }));
        }
        Kind::Minimum { limit: least } => problems.push(limit(format!("{instance} is less than {least}"))),
        Kind::Maximum { limit: most } => problems.push(limit(format!("{instance} is more than {most}"))),
        Kind::MaxLength { limit: most } => problems.push(limit(format!("longer than {most} characters"))),
        Kind::MinLength { .. } => problems.push(field("must not be empty".to_owned())),
        Kind::MaxItems { limit: most } => {
            let count = instance.as_array().map_or(0, Vec::len);
            problems.push(limit(format!("{count} are too many: at most {most}")));
        }
        Kind::MaxProperties { limit: most } => {
            let count = instance.as_object().map_or(0, serde_json::Map::len);
            problems.push(limit(format!("{count} steps are too many: at most {most}")));
        }
        Kind::MinProperties { .. } => problems.push(limit("at least one step is needed".to_owned())),
        Kind::UniqueItems => problems.push(field("something stands in it twice".to_owned())),
        _ => problems.push(field(error.to_string())),
    }
}

/// Tells about the branch that was meant: the one whose fields are there.
fn branches(
    context: &[Vec<ValidationError<'_>>],
    schema: &Value,
    pointer: &str,
    base: &str,
    problems: &mut Vec<Problem>,
) {
    let constants: Option<Vec<Value>> =
        context.iter().flatten().map(allowed).collect::<Option<Vec<_>>>().map(|all| all.concat());
    if let (Some(options), Some(first)) = (constants, context.iter().flatten().next()) {
        if base.is_empty() || !is_open(first.instance()) {
            problems.push(one_of(pointer, first.instance(), &options.iter().collect::<Vec<_>>()));
        }
        return;
    }
    let missing = |errors: &Vec<ValidationError<'_>>| {
        errors.iter().find_map(|error| match error.kind() {
            Kind::Required { property } => property.as_str().map(str::to_owned),
            _ => None,
        })
    };
    if let Some(meant) = context.iter().find(|errors| missing(errors).is_none()) {
        for error in meant {
            tell(error, schema, base, problems);
        }
        return;
    }
    let fields: Vec<String> = context.iter().filter_map(missing).map(|name| format!("\"{name}\"")).collect();
    problems.push(Problem::new("E_FIELD", pointer, format!("one of the fields {} is needed", fields.join(" and "))));
}

/// The values that an error would have allowed.
fn allowed(error: &ValidationError<'_>) -> Option<Vec<Value>> {
    match error.kind() {
        Kind::Constant { expected_value } => Some(vec![expected_value.as_ref().clone()]),
        Kind::Enum { options } => options.as_array().cloned(),
        _ => None,
    }
}

fn one_of(pointer: &str, given: &Value, options: &[&Value]) -> Problem {
    let words: Vec<String> =
        options.iter().map(|option| option.as_str().map_or_else(|| option.to_string(), str::to_owned)).collect();
    let meant = given.as_str().and_then(|given| nearest(given, words.iter().map(String::as_str)));
    let text = match given {
        Value::String(text) => format!("\"{}\"", shown(text)),
        other => shown(&other.to_string()),
    };
    let mut list = words.join(", ");
    if list.len() > SHOWN {
        list = shown(&list);
    }
    Problem::new("E_FIELD", pointer, format!("{text} is none of: {list}")).or(meant)
}

fn name(error: &ValidationError<'_>, pointer: String) -> Problem {
    let given = error.instance().as_str().unwrap_or_default().to_owned();
    let is_step = matches!(error.kind(), Kind::Pattern { pattern } if pattern == STEP);
    let marks = if is_step { "a-z, 0-9 and _" } else { "a-z, 0-9, - and _" };
    let message = format!("\"{}\" is no name: up to 63 of {marks}, a letter first", shown(&given));
    Problem::new("E_FIELD", pointer, message)
}

fn unknown_kind(given: &Value, pointer: String) -> Problem {
    let given = given.as_str().unwrap_or_default();
    let meant = nearest(given, KINDS[..9].iter().copied());
    let message = format!("unknown kind \"{}\"; kinds: {}", shown(given), KINDS.join(", "));
    let problem = Problem::new("E_KIND", pointer, message);
    match meant {
        Some(meant) => problem.better(meant),
        None => problem,
    }
}

/// The names of the fields that the object may have about which an error is.
fn names_beside(schema: &Value, error: &ValidationError<'_>) -> Vec<String> {
    let path = error.schema_path().as_str();
    let object = path.rsplit_once('/').and_then(|(object, _)| schema.pointer(object));
    let properties = object.and_then(|object| object.get("properties")).and_then(Value::as_object);
    properties.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}
