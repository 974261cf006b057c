//! What holds for every filter and payload.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn filter(text: Value) -> PayloadFilter {
    PayloadFilter::try_from(text.clone()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Few enough values that two of them are often equal.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2i64..3).prop_map(Value::from),
        (-4i32..5).prop_map(|halves| Value::from(f64::from(halves) / 2.0)),
        any::<u64>().prop_map(Value::from),
        "[ab]{0,2}".prop_map(Value::from),
    ]
}

/// JSON whose objects have these names.
fn value(names: &'static str) -> impl Strategy<Value = Value> {
    scalar().prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(names, inner, 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn payload() -> impl Strategy<Value = Value> {
    value("[abc0]")
}

fn field() -> impl Strategy<Value = &'static str> {
    select(vec!["a", "b", "a.b", "a.0", "b.c.0"])
}

/// An object of one operator.
fn operator() -> impl Strategy<Value = Value> {
    let number_or_string = scalar().prop_filter("has an order", |value| value.is_number() || value.is_string());
    prop_oneof![
        (select(vec!["$eq", "$neq"]), payload()).prop_map(|(name, operand)| json!({ name: operand })),
        (select(vec!["$in", "$nin"]), vec(scalar(), 1..5)).prop_map(|(name, operand)| json!({ name: operand })),
        (select(vec!["$gt", "$gte", "$lt", "$lte"]), number_or_string)
            .prop_map(|(name, operand)| json!({ name: operand })),
        any::<bool>().prop_map(|operand| json!({"$exist": operand})),
        (select(vec!["$startsWith", "$endsWith", "$regex"]), "[ab]{0,2}")
            .prop_map(|(name, operand)| json!({ name: operand })),
    ]
}

proptest! {
    #[test]
    fn not_is_the_exact_negation(field in field(), operator in operator(), payload in payload()) {
        let holds = filter(json!({ field: operator })).matches(&payload);
        prop_assert_eq!(filter(json!({ field: {"$not": operator} })).matches(&payload), !holds);
        prop_assert_eq!(filter(json!({"$not": { field: operator }})).matches(&payload), !holds);
    }

    #[test]
    fn neq_and_nin_are_the_exact_negations_of_eq_and_in(
        field in field(),
        operand in payload(),
        choices in vec(scalar(), 1..5),
        payload in payload(),
    ) {
        let matches = |operator: Value| filter(json!({ field: operator })).matches(&payload);
        prop_assert_eq!(matches(json!({"$neq": operand})), !matches(json!({"$eq": operand})));
        prop_assert_eq!(matches(json!({"$nin": choices})), !matches(json!({"$in": choices})));
        let any_equal = choices.iter().any(|choice| matches(json!({"$eq": choice})));
        prop_assert_eq!(matches(json!({"$in": choices})), any_equal);
    }

    #[test]
    fn a_nested_filter_is_a_dotted_path(operator in operator(), payload in payload()) {
        let dotted = filter(json!({"a.b": operator}));
        prop_assert_eq!(filter(json!({"a": {"b": operator}})).matches(&payload), dotted.matches(&payload));
    }

    #[test]
    fn integers_of_64_bits_have_the_order_of_integers(a in any::<i64>(), b in any::<u64>(), near in -2i64..3) {
        let below = |than: Value, value: Value| filter(json!({"a": {"$lt": than}})).matches(&json!({"a": value}));
        prop_assert_eq!(below(json!(b), json!(a)), i128::from(a) < i128::from(b));
        prop_assert_eq!(below(json!(a), json!(b)), i128::from(b) < i128::from(a));
        let neighbour = a.saturating_add(near);
        prop_assert_eq!(below(json!(a), json!(neighbour)), neighbour < a);
    }

    #[test]
    fn no_json_makes_reading_or_matching_panic(
        text in value(r"[ab0]|[ab]\.[b0]|\$(and|or|not|eq|neq|in|nin|gt|lte|exist|startsWith|regex)"),
        payload in payload(),
    ) {
        if let Ok(read) = PayloadFilter::try_from(text.clone()) {
            let negated = PayloadFilter::try_from(json!({"$not": text}));
            if let Ok(negated) = negated {
                prop_assert_eq!(negated.matches(&payload), !read.matches(&payload));
            }
            prop_assert_eq!(read.text(), &text);
        }
    }
}
