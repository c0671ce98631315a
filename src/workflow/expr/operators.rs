//! Operators over JSON values. Numbers are one kind, as JSON has it: whole ones are counted exactly, and one with a
//! fraction makes the result one.

use std::cmp::Ordering;

use serde_json::{Number as JsonNumber, Value};

use super::{budget::Budget, missing::Failure, tree::Operator};

/// A number: whole (between -2⁶³ and 2⁶⁴-1 where it comes from or goes to JSON) or not.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    Whole(i128),
    Double(f64),
}

impl Number {
    pub(super) fn of(value: &Value) -> Option<Self> {
        let number = value.as_number()?;
        let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        whole.map(Self::Whole).or_else(|| number.as_f64().map(Self::Double))
    }

    fn double(self) -> f64 {
        match self {
            Self::Whole(whole) => whole as f64,
            Self::Double(double) => double,
        }
    }

    /// Its JSON form, if it has one.
    pub(super) fn json(self) -> Result<Value, Failure> {
        match self {
            Self::Whole(whole) => i64::try_from(whole)
                .map(Value::from)
                .or_else(|_| u64::try_from(whole).map(Value::from))
                .map_err(|_| Failure::wrong("a whole number needs more than 64 bits")),
            Self::Double(double) => JsonNumber::from_f64(double)
                .map(Value::Number)
                .ok_or_else(|| Failure::wrong("a number is infinite or none at all, which JSON does not have")),
        }
    }

    fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(&b),
            // Exactly: a double holds no odd number above 2⁵³.
            (Self::Whole(a), Self::Double(b)) => {
                let floor = b.floor();
                Some(a.cmp(&(floor as i128)).then(if b > floor { Ordering::Less } else { Ordering::Equal }))
            }
            (Self::Double(_), Self::Whole(_)) => other.compare(self).map(Ordering::reverse),
        }
    }
}

/// `left operator right`.
pub(super) fn binary(operator: Operator, left: &Value, right: &Value, budget: &mut Budget) -> Result<Value, Failure> {
    use Operator::*;
    let ordered = |holds: fn(Ordering) -> bool, budget: &mut Budget| order(operator, left, right, budget).map(holds);
    Ok(Value::Bool(match operator {
        Equal => equal(left, right, budget)?,
        NotEqual => !equal(left, right, budget)?,
        Less => ordered(Ordering::is_lt, budget)?,
        LessOrEqual => ordered(Ordering::is_le, budget)?,
        Greater => ordered(Ordering::is_gt, budget)?,
        GreaterOrEqual => ordered(Ordering::is_ge, budget)?,
        In => is_in(left, right, budget)?,
        Add | Subtract | Multiply | Divide | Remainder => return compute(operator, left, right, budget),
    }))
}

/// `-value`
pub(super) fn negative(value: &Value) -> Result<Value, Failure> {
    match Number::of(value) {
        Some(Number::Whole(whole)) => Number::Whole(-whole).json(),
        Some(Number::Double(double)) => Number::Double(-double).json(),
        None => Err(Failure::wrong(format!("\"-\" is not for {}", kind(value)))),
    }
}

fn compute(operator: Operator, left: &Value, right: &Value, budget: &mut Budget) -> Result<Value, Failure> {
    match (operator, left, right) {
        (Operator::Add, Value::String(a), Value::String(b)) => {
            budget.build(a.len() + b.len())?;
            Ok(Value::String([a.as_str(), b].concat()))
        }
        (Operator::Add, Value::Array(a), Value::Array(b)) => {
            budget.copy(left)?;
            budget.copy(right)?;
            Ok(Value::Array([a.as_slice(), b].concat()))
        }
        _ => match (Number::of(left), Number::of(right)) {
            (Some(a), Some(b)) => arithmetic(operator, a, b)?.json(),
            _ => Err(unfit(operator, left, right)),
        },
    }
}

fn arithmetic(operator: Operator, left: Number, right: Number) -> Result<Number, Failure> {
    use Operator::*;
    let by_zero = || Failure::wrong("a division by zero");
    if let (Number::Whole(a), Number::Whole(b)) = (left, right) {
        let whole = match operator {
            Subtract => a.checked_sub(b),
            Multiply => a.checked_mul(b),
            Divide if b == 0 => return Err(by_zero()),
            Divide => a.checked_div(b),
            Remainder if b == 0 => return Err(by_zero()),
            Remainder => a.checked_rem(b),
            _ => a.checked_add(b),
        };
        return whole.map(Number::Whole).ok_or_else(|| Failure::wrong("a whole number needs more than 64 bits"));
    }
    let (a, b) = (left.double(), right.double());
    Ok(Number::Double(match operator {
        Subtract => a - b,
        Multiply => a * b,
        Divide => a / b,
        Remainder => return Err(Failure::wrong("\"%\" is for whole numbers")),
        _ => a + b,
    }))
}

fn order(operator: Operator, left: &Value, right: &Value, budget: &mut Budget) -> Result<Ordering, Failure> {
    let found = match (left, right) {
        (Value::String(a), Value::String(b)) => {
            budget.read(a.len().min(b.len()))?;
            Some(a.cmp(b))
        }
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        _ => Number::of(left).zip(Number::of(right)).and_then(|(a, b)| a.compare(b)),
    };
    found.ok_or_else(|| unfit(operator, left, right))
}

fn equal(left: &Value, right: &Value, budget: &mut Budget) -> Result<bool, Failure> {
    budget.work(1)?;
    match (left, right) {
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (a, b) in a.iter().zip(b) {
                if !equal(a, b, budget)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            for (name, a) in a {
                budget.read(name.len())?;
                match b.get(name) {
                    Some(b) if equal(a, b, budget)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Value::String(a), Value::String(b)) => {
            budget.read(a.len().min(b.len()))?;
            Ok(a == b)
        }
        (Value::Number(_), Value::Number(_)) => {
            let numbers = Number::of(left).zip(Number::of(right));
            Ok(numbers.and_then(|(a, b)| a.compare(b)) == Some(Ordering::Equal))
        }
        (Value::Bool(a), Value::Bool(b)) => Ok(a == b),
        (Value::Null, Value::Null) => Ok(true),
        _ => Ok(false),
    }
}

fn is_in(item: &Value, list: &Value, budget: &mut Budget) -> Result<bool, Failure> {
    match list {
        Value::Array(items) => {
            for other in items {
                if equal(item, other, budget)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Object(fields) => Ok(item.as_str().is_some_and(|name| fields.contains_key(name))),
        Value::String(_) => Err(Failure::wrong("\"in\" looks into lists and objects; for a text, use contains")),
        _ => Err(unfit(Operator::In, item, list)),
    }
}

fn unfit(operator: Operator, left: &Value, right: &Value) -> Failure {
    let hint = match (operator, left, right) {
        (Operator::Add, Value::String(_), _) | (Operator::Add, _, Value::String(_)) => "; string(x) makes a text of it",
        _ => "",
    };
    Failure::wrong(format!("\"{}\" is not for {} and {}{hint}", operator.sign(), kind(left), kind(right)))
}

/// What a value is, with its article.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
