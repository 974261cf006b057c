//! How JSON values compare: numbers as numbers and exactly, everything else within its own type.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// The order of two numbers or two strings; other values have none.
pub(super) fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(numbers(a, b)),
        // UTF-8 sorts by code point.
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Tells whether two values are the same JSON, `1` and `1.0` being the same number. Goes only as deep as both do.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => numbers(a, b).is_eq(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// An order of all scalars, type by type, to find one among many. Arrays and objects come last and are all alike.
pub(super) fn rank(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        _ => order(a, b).unwrap_or_else(|| type_rank(a).cmp(&type_rank(b))),
    }
}

fn type_rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    }
}

fn numbers(a: &Number, b: &Number) -> Ordering {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(a), None) => whole_and_float(a, float(b)),
        (None, Some(b)) => whole_and_float(b, float(a)).reverse(),
        // JSON has no NaN, so that two floats always have an order.
        (None, None) => float(a).partial_cmp(&float(b)).unwrap_or(Ordering::Equal),
    }
}

/// The number, if it was written as an integer of 64 bits.
fn whole(number: &Number) -> Option<i128> {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from))
}

fn float(number: &Number) -> f64 {
    // Only numbers of arbitrary precision, which are not compiled in, can be too large for this.
    number.as_f64().unwrap_or(f64::INFINITY)
}

/// Compares without rounding the integer, as turning it into a float would.
fn whole_and_float(whole: i128, float: f64) -> Ordering {
    // `as` cuts the fraction off, exactly, and holds what is out of range at the ends, where no 64-bit integer is.
    whole.cmp(&(float as i128)).then_with(|| 0.0_f64.partial_cmp(&float.fract()).unwrap_or(Ordering::Equal))
}
