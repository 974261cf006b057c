//! Filters that take payloads in or not, and filters that are refused.

use super::*;

fn filter(text: Value) -> PayloadFilter {
    PayloadFilter::try_from(text.clone()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Rows of a filter, a payload and whether it is taken in.
#[track_caller]
fn check(rows: &[(&str, &str, bool)]) {
    for (text, payload, expected) in rows {
        let read = filter(serde_json::from_str(text).expect("the filter is JSON"));
        let payload = serde_json::from_str(payload).expect("the payload is JSON");
        assert_eq!(read.matches(&payload), *expected, "{text} {payload}");
    }
}

#[track_caller]
fn refused(text: Value, expected: &str) {
    match PayloadFilter::try_from(text.clone()) {
        Ok(_) => panic!("taken: {text}"),
        Err(error) => assert_eq!(error.to_string(), expected, "{text}"),
    }
}

/// `inner` within `{"a": …}`, so often.
fn nested(times: usize, inner: Value) -> Value {
    (0..times).fold(inner, |inner, _| json!({"a": inner}))
}

#[test]
fn a_literal_takes_its_equal_of_the_same_type() {
    check(&[
        (r#"{"a": "x"}"#, r#"{"a": "x"}"#, true),
        (r#"{"a": "x"}"#, r#"{"a": "X"}"#, false),
        (r#"{"a": 1}"#, r#"{"a": 1.0}"#, true),
        (r#"{"a": 1}"#, r#"{"a": "1"}"#, false),
        (r#"{"a": 1}"#, r#"{"a": true}"#, false),
        (r#"{"a": true}"#, r#"{"a": true}"#, true),
        (r#"{"a": true}"#, r#"{"a": false}"#, false),
        (r#"{"a": null}"#, r#"{"a": null}"#, true),
        (r#"{"a": null}"#, r#"{"a": 0}"#, false),
        (r#"{"a": null}"#, r#"{}"#, false),
        (r#"{"a": ""}"#, r#"{"a": null}"#, false),
    ]);
}

#[test]
fn eq_takes_any_json_and_neq_is_its_negation() {
    check(&[
        (r#"{"a": {"$eq": {"b": [1, 2]}}}"#, r#"{"a": {"b": [1.0, 2]}}"#, true),
        (r#"{"a": {"$eq": {"b": 1}}}"#, r#"{"a": {"b": 1, "c": 2}}"#, false),
        (r#"{"a": {"$eq": {"b": 1, "c": 2}}}"#, r#"{"a": {"b": 1, "d": 2}}"#, false),
        (r#"{"a": {"$eq": {}}}"#, r#"{"a": {}}"#, true),
        (r#"{"a": {"$eq": []}}"#, r#"{"a": [1]}"#, false),
        (r#"{"a": {"$neq": 1}}"#, r#"{"a": 2}"#, true),
        (r#"{"a": {"$neq": 1}}"#, r#"{"a": 1.0}"#, false),
        (r#"{"a": {"$neq": 1}}"#, r#"{"a": "1"}"#, true),
        (r#"{"a": {"$neq": 1}}"#, r#"{}"#, true),
        (r#"{"a": {"$neq": 1}}"#, r#"{"a": [2, 1]}"#, false),
        (r#"{"a": {"$neq": null}}"#, r#"{}"#, true),
        (r#"{"a": {"$neq": null}}"#, r#"{"a": null}"#, false),
    ]);
}

#[test]
fn in_takes_one_of_its_values_and_nin_is_its_negation() {
    check(&[
        (r#"{"a": {"$in": ["x", 2, null, true]}}"#, r#"{"a": "x"}"#, true),
        (r#"{"a": {"$in": ["x", 2, null, true]}}"#, r#"{"a": 2.0}"#, true),
        (r#"{"a": {"$in": ["x", 2, null, true]}}"#, r#"{"a": null}"#, true),
        (r#"{"a": {"$in": ["x", 2, null, true]}}"#, r#"{"a": true}"#, true),
        (r#"{"a": {"$in": ["x", 2, null, true]}}"#, r#"{"a": false}"#, false),
        (r#"{"a": {"$in": ["x", 2, null, true]}}"#, r#"{"a": "2"}"#, false),
        (r#"{"a": {"$in": ["x", 2, null, true]}}"#, r#"{"a": {}}"#, false),
        (r#"{"a": {"$in": ["x", 2, null, true]}}"#, r#"{}"#, false),
        (r#"{"a": {"$in": ["y", "x"]}}"#, r#"{"a": ["z", "x"]}"#, true),
        (r#"{"a": {"$in": ["y", "x"]}}"#, r#"{"a": ["z"]}"#, false),
        (r#"{"a": {"$in": [9007199254740993]}}"#, r#"{"a": 9007199254740992}"#, false),
        (r#"{"a": {"$nin": ["x", 2]}}"#, r#"{"a": "y"}"#, true),
        (r#"{"a": {"$nin": ["x", 2]}}"#, r#"{"a": "x"}"#, false),
        (r#"{"a": {"$nin": ["x", 2]}}"#, r#"{}"#, true),
        (r#"{"a": {"$nin": ["x", 2]}}"#, r#"{"a": ["y", 2]}"#, false),
    ]);
}

#[test]
fn orders_hold_between_numbers_and_between_strings() {
    check(&[
        (r#"{"a": {"$gt": 5}}"#, r#"{"a": 5.5}"#, true),
        (r#"{"a": {"$gt": 5}}"#, r#"{"a": 5}"#, false),
        (r#"{"a": {"$gte": 5}}"#, r#"{"a": 5.0}"#, true),
        (r#"{"a": {"$gte": 5}}"#, r#"{"a": 4.9}"#, false),
        (r#"{"a": {"$lt": -5}}"#, r#"{"a": -5.5}"#, true),
        (r#"{"a": {"$lt": -5}}"#, r#"{"a": -4.5}"#, false),
        (r#"{"a": {"$lte": 5}}"#, r#"{"a": 5}"#, true),
        (r#"{"a": {"$lte": 5}}"#, r#"{"a": 6}"#, false),
        (r#"{"a": {"$gt": 1, "$lt": 3}}"#, r#"{"a": 2}"#, true),
        (r#"{"a": {"$gt": 1, "$lt": 3}}"#, r#"{"a": 3}"#, false),
        (r#"{"a": {"$gt": "b"}}"#, r#"{"a": "ba"}"#, true),
        (r#"{"a": {"$gt": "b"}}"#, r#"{"a": "B"}"#, false),
        (r#"{"a": {"$gt": "9"}}"#, r#"{"a": "10"}"#, false),
        // By code point: U+FFFD comes before U+1F600, though not in UTF-16.
        (r#"{"a": {"$lt": "\ud83d\ude00"}}"#, r#"{"a": "\ufffd"}"#, true),
        (r#"{"a": {"$gt": 5}}"#, r#"{"a": "6"}"#, false),
        (r#"{"a": {"$lt": "5"}}"#, r#"{"a": 4}"#, false),
        (r#"{"a": {"$gte": 0}}"#, r#"{"a": null}"#, false),
        (r#"{"a": {"$gte": 0}}"#, r#"{"a": true}"#, false),
        (r#"{"a": {"$gte": 0}}"#, r#"{"a": {}}"#, false),
        (r#"{"a": {"$gte": 0}}"#, r#"{}"#, false),
    ]);
}

#[test]
fn numbers_compare_exactly_whatever_they_are_written_as() {
    check(&[
        (r#"{"a": 9007199254740993}"#, r#"{"a": 9007199254740992}"#, false),
        (r#"{"a": 9007199254740993}"#, r#"{"a": 9007199254740992.0}"#, false),
        (r#"{"a": 9007199254740992}"#, r#"{"a": 9007199254740992.0}"#, true),
        (r#"{"a": {"$gt": 9007199254740992.0}}"#, r#"{"a": 9007199254740993}"#, true),
        (r#"{"a": {"$lt": 9007199254740993}}"#, r#"{"a": 9007199254740992.0}"#, true),
        (r#"{"a": 18446744073709551615}"#, r#"{"a": 18446744073709551615}"#, true),
        (r#"{"a": 18446744073709551615}"#, r#"{"a": 18446744073709551614}"#, false),
        (r#"{"a": 18446744073709551615}"#, r#"{"a": 18446744073709551616.0}"#, false),
        (r#"{"a": {"$gt": 18446744073709551615}}"#, r#"{"a": 1e300}"#, true),
        (r#"{"a": {"$lt": -9223372036854775808}}"#, r#"{"a": -1e300}"#, true),
        (r#"{"a": {"$lt": -9223372036854775807}}"#, r#"{"a": -9223372036854775808.0}"#, true),
        (r#"{"a": {"$lt": 18446744073709551615}}"#, r#"{"a": -9223372036854775808}"#, true),
        (r#"{"a": 0}"#, r#"{"a": -0.0}"#, true),
        (r#"{"a": 0.0}"#, r#"{"a": -0.0}"#, true),
        (r#"{"a": {"$gt": 0}}"#, r#"{"a": 5e-324}"#, true),
        (r#"{"a": 0.5}"#, r#"{"a": 5e-1}"#, true),
    ]);
}

#[test]
fn texts_are_matched_by_start_end_and_pattern() {
    check(&[
        (r#"{"a": {"$startsWith": "ab"}}"#, r#"{"a": "abc"}"#, true),
        (r#"{"a": {"$startsWith": "ab"}}"#, r#"{"a": "cab"}"#, false),
        (r#"{"a": {"$startsWith": "1"}}"#, r#"{"a": 12}"#, false),
        (r#"{"a": {"$startsWith": ""}}"#, r#"{"a": ""}"#, true),
        (r#"{"a": {"$startsWith": ""}}"#, r#"{}"#, false),
        (r#"{"a": {"$startsWith": "b"}}"#, r#"{"a": ["ab", "ba"]}"#, true),
        (r#"{"a": {"$endsWith": "bc"}}"#, r#"{"a": "abc"}"#, true),
        (r#"{"a": {"$endsWith": "bc"}}"#, r#"{"a": "bca"}"#, false),
        (r#"{"a": {"$endsWith": "c"}}"#, r#"{"a": ["ca", null]}"#, false),
        (r#"{"a": {"$regex": "b+"}}"#, r#"{"a": "abbc"}"#, true),
        (r#"{"a": {"$regex": "^b+$"}}"#, r#"{"a": "abbc"}"#, false),
        (r#"{"a": {"$regex": "(?i)^BB$"}}"#, r#"{"a": ["x", "bb"]}"#, true),
        (r#"{"a": {"$regex": "1"}}"#, r#"{"a": 1}"#, false),
        (r#"{"a": {"$regex": ".*"}}"#, r#"{}"#, false),
    ]);
}

#[test]
fn exist_asks_whether_the_field_is_there() {
    check(&[
        (r#"{"a": {"$exist": true}}"#, r#"{"a": null}"#, true),
        (r#"{"a": {"$exist": true}}"#, r#"{"a": []}"#, true),
        (r#"{"a": {"$exist": true}}"#, r#"{"b": 1}"#, false),
        (r#"{"a": {"$exist": false}}"#, r#"{"b": 1}"#, true),
        (r#"{"a": {"$exist": false}}"#, r#"{"a": null}"#, false),
        (r#"{"a.b": {"$exist": false}}"#, r#"{"a": "text"}"#, true),
        (r#"{"a": {"$exist": false}}"#, "null", true),
    ]);
}

#[test]
fn an_array_satisfies_by_itself_or_by_one_element() {
    check(&[
        (r#"{"a": 1}"#, r#"{"a": [2, 1]}"#, true),
        (r#"{"a": 1}"#, r#"{"a": []}"#, false),
        // One level only: an element that is an array is compared as a whole.
        (r#"{"a": 1}"#, r#"{"a": [[1]]}"#, false),
        (r#"{"a": [1]}"#, r#"{"a": [[1]]}"#, true),
        (r#"{"a": [1, 2]}"#, r#"{"a": [1.0, 2]}"#, true),
        (r#"{"a": [1, 2]}"#, r#"{"a": [2, 1]}"#, false),
        (r#"{"a": [1, 2]}"#, r#"{"a": [1, 2, 3]}"#, false),
        (r#"{"a": []}"#, r#"{"a": []}"#, true),
        (r#"{"a": null}"#, r#"{"a": [null]}"#, true),
        (r#"{"a": {"$eq": {"b": 1}}}"#, r#"{"a": [{"b": 1}]}"#, true),
        (r#"{"a": {"$gt": 5}}"#, r#"{"a": [1, "9", 6]}"#, true),
        // Each operator picks an element of its own.
        (r#"{"a": {"$gt": 5, "$lt": 3}}"#, r#"{"a": [1, 9]}"#, true),
        (r#"{"a": {"$not": {"$gt": 5}}}"#, r#"{"a": [1, 9]}"#, false),
    ]);
}

#[test]
fn paths_go_through_objects_and_indexed_arrays() {
    check(&[
        (r#"{"a.b.c": 1}"#, r#"{"a": {"b": {"c": 1}}}"#, true),
        (r#"{"a.b.c": 1}"#, r#"{"a": {"b": {"d": 1}}}"#, false),
        (r#"{"a.b.c": 1}"#, r#"{"a": {"b": 1}}"#, false),
        (r#"{"a.b": 1}"#, r#"{"a.b": 1}"#, false),
        (r#"{"a": {"b": {"c": 1}}}"#, r#"{"a": {"b": {"c": 1, "d": 2}}}"#, true),
        (r#"{"a": {"b.c": 1}}"#, r#"{"a": {"b": {"c": 1}}}"#, true),
        (r#"{"a": {"b": 1, "c": 2}}"#, r#"{"a": {"b": 1, "c": 3}}"#, false),
        (r#"{"a": {"b": {"$neq": 1}}}"#, r#"{}"#, true),
        (r#"{"a.0.b": 1}"#, r#"{"a": [{"b": 1}]}"#, true),
        (r#"{"a.1.b": 1}"#, r#"{"a": [{"b": 1}]}"#, false),
        (r#"{"a": {"0": 1}}"#, r#"{"a": [1, 2]}"#, true),
        (r#"{"a.0": 1}"#, r#"{"a": {"0": 1}}"#, true),
        (r#"{"a.01": 1}"#, r#"{"a": [0, 1]}"#, false),
        (r#"{"a.+1": 1}"#, r#"{"a": [0, 1]}"#, false),
        (r#"{"a.99999999999999999999": {"$exist": true}}"#, r#"{"a": [0, 1]}"#, false),
        // A path does not spread over elements.
        (r#"{"a.b": 1}"#, r#"{"a": [{"b": 1}]}"#, false),
        (r#"{"0.a": 1}"#, r#"[{"a": 1}]"#, true),
        (r#"{"a": 1}"#, "1", false),
    ]);
}

#[test]
fn filters_are_joined_by_and_or_and_not() {
    check(&[
        (r#"{"a": 1, "b": 2}"#, r#"{"a": 1, "b": 2}"#, true),
        (r#"{"a": 1, "b": 2}"#, r#"{"a": 1}"#, false),
        (r#"{"$and": [{"a": 1}, {"b": 2}]}"#, r#"{"a": 1, "b": 2}"#, true),
        (r#"{"$and": [{"a": 1}, {"b": 2}]}"#, r#"{"a": 1, "b": 3}"#, false),
        (r#"{"$or": [{"a": 1}, {"b": 2}]}"#, r#"{"b": 2}"#, true),
        (r#"{"$or": [{"a": 1}, {"b": 2}]}"#, r#"{"b": 1}"#, false),
        (r#"{"c": 3, "$or": [{"a": 1}, {"b": 2}]}"#, r#"{"b": 2}"#, false),
        (r#"{"$not": {"a": 1}}"#, r#"{}"#, true),
        (r#"{"$not": {"a": 1, "b": 2}}"#, r#"{"a": 1, "b": 3}"#, true),
        (r#"{"$not": {"a": 1}}"#, r#"{"a": 1}"#, false),
        (r#"{"$or": [{"$and": [{"a": 1}, {"$not": {"b": 2}}]}, {"c": 3}]}"#, r#"{"a": 1, "b": 2}"#, false),
        (r#"{"$or": [{"$and": [{"a": 1}, {"$not": {"b": 2}}]}, {"c": 3}]}"#, r#"{"a": 1}"#, true),
        (r#"{"a": {"$not": {"$gt": 5}}}"#, r#"{}"#, true),
        (r#"{"a": {"$not": {"$gt": 5}}}"#, r#"{"a": "text"}"#, true),
        (r#"{"a": {"$not": {"$gt": 5}}}"#, r#"{"a": 6}"#, false),
        (r#"{"a": {"$not": {"$gt": 1, "$lt": 3}}}"#, r#"{"a": 3}"#, true),
        (r#"{"a": {"$not": {"$not": {"$eq": 1}}}}"#, r#"{"a": 1}"#, true),
        (r#"{"a": {"$not": {"$exist": false}}}"#, r#"{}"#, false),
        (r#"{"a": {"$lt": 9, "$not": {"$lt": 5}}}"#, r#"{"a": 7}"#, true),
    ]);
}

#[test]
fn a_text_too_long_to_search_matches_no_pattern() {
    let all = filter(json!({"a": {"$regex": ""}}));
    assert!(all.matches(&json!({"a": "x".repeat(MAX_SEARCHED_BYTES)})));
    assert!(!all.matches(&json!({"a": "x".repeat(MAX_SEARCHED_BYTES + 1)})));
}

#[test]
fn what_is_no_filter_is_refused_with_its_place() {
    refused(json!([]), "must be a JSON object");
    refused(json!({}), "must have a condition: leave the filter out to take every payload");
    refused(json!({"a": {}}), "a: must have a condition");
    refused(json!({"a": {"$not": {}}}), "a.$not: must have a condition");
    refused(json!({"$not": {}}), "$not: must have a condition");
    refused(json!({"$not": 1}), "$not: must be a JSON object");
    refused(json!({"$and": []}), "$and: must be an array of 1 to 20 filters");
    refused(json!({"$or": vec![json!({"a": 1}); 21]}), "$or: must be an array of 1 to 20 filters");
    refused(json!({"$or": {"a": 1}}), "$or: must be an array of 1 to 20 filters");
    refused(json!({"$or": [{"a": 1}, {}]}), "$or[1]: must have a condition");
    refused(json!({"$or": [{"a": 1}, 2]}), "$or[1]: must be a JSON object");
    refused(json!({"$nor": [{"a": 1}]}), "$nor: must be $and, $or or $not, or a field without $");
    refused(json!({"$gt": 5}), r#"$gt: must stand below a field, as in {"field": {"$gt": …}}"#);
    refused(json!({"a": {"b": 1, "$gt": 5}}), "a: must hold either operators or fields");
    refused(json!({"a": {"$or": [{"$gt": 5}]}}), "a.$or: must stand beside fields, not below one");
    let operators = "must be one of $eq, $neq, $in, $nin, $gt, $gte, $lt, $lte, $exist, $startsWith, $endsWith, \
                     $regex, $not";
    refused(json!({"a": {"$exists": true}}), &format!("a.$exists: {operators}"));
    refused(json!({"a": {"$not": {"b": 1}}}), &format!("a.$not.b: {operators}"));
    let names = "a field must be names joined by dots, none of them empty or starting with $";
    refused(json!({"": 1}), names);
    refused(json!({"a..b": 1}), &format!("a..b: {names}"));
    refused(json!({"a.$gt": 1}), &format!("a.$gt: {names}"));
}

#[test]
fn an_operand_of_the_wrong_kind_is_refused_with_its_place() {
    refused(json!({"amount": {"$gt": true}}), "amount.$gt: must be a number or a string");
    refused(json!({"$and": [{"a.b": {"$lte": null}}]}), "$and[0].a.b.$lte: must be a number or a string");
    refused(json!({"a": {"$exist": 1}}), "a.$exist: must be true or false");
    refused(json!({"a": {"b": {"$startsWith": 1}}}), "a.b.$startsWith: must be a string");
    refused(json!({"a": {"$endsWith": ["x"]}}), "a.$endsWith: must be a string");
    refused(json!({"a": {"$regex": null}}), "a.$regex: must be a string");
    refused(json!({"a": {"$regex": "(x"}}), "a.$regex: is no regular expression: unclosed group");
    refused(json!({"a": {"$regex": "x".repeat(201)}}), "a.$regex: must have at most 200 characters");
    let large = "a.$regex: takes too much memory: use fewer or smaller repetitions and classes";
    refused(json!({"a": {"$regex": r"(\w{100}){100}"}}), large);
    refused(json!({"a": {"$not": 5}}), "a.$not: must be a JSON object");
    let choices = "must be an array of 1 to 200 values, each a string, a number, a boolean or null";
    refused(json!({"a": {"$in": "x"}}), &format!("a.$in: {choices}"));
    refused(json!({"a": {"$in": []}}), &format!("a.$in: {choices}"));
    refused(json!({"a": {"$nin": [[1]]}}), &format!("a.$nin: {choices}"));
    refused(json!({"a": {"$nin": vec![1; 201]}}), &format!("a.$nin: {choices}"));
}

#[test]
fn a_filter_may_be_as_large_as_its_limits_and_no_larger() {
    filter(nested(8, json!(1)));
    refused(nested(9, json!(1)), "a.a.a.a.a.a.a.a: must not be nested more than 8 deep");
    filter(nested(6, json!({"$eq": [1]})));
    refused(nested(6, json!({"$eq": [[1]]})), "a.a.a.a.a.a.$eq: must not be nested more than 8 deep");
    filter(json!({"a": [[[[[[[1]]]]]]]}));
    refused(json!({"a": [[[[[[[[1]]]]]]]]}), "a: must not be nested more than 8 deep");

    let conditions = |count: usize| {
        let groups = (0..count).collect::<Vec<_>>();
        let group = |numbers: &[usize]| json!({"$or": numbers.iter().map(|n| json!({"a": n})).collect::<Vec<_>>()});
        json!({"$and": groups.chunks(10).map(group).collect::<Vec<_>>()})
    };
    filter(conditions(100));
    let many = "$and[10].$or[0].a: is one condition too many: a filter has at most 100";
    refused(conditions(101), many);

    filter(json!({"a": {"$in": vec![1; 200]}}));
    filter(json!({"a": {"$regex": "é".repeat(200)}}));
    let around = json!({"a": ""}).to_string().len();
    filter(json!({"a": "x".repeat(MAX_FILTER_BYTES - around)}));
    refused(json!({"a": "x".repeat(MAX_FILTER_BYTES - around + 1)}), "must have at most 8 KiB as JSON");
}

#[test]
fn a_filter_is_written_as_it_was_read() {
    let text = json!({"a.b": {"$regex": "^x", "$not": {"$in": ["x1", 2.0]}}, "$or": [{"c": 1}, {"d": null}]});
    let read: PayloadFilter = serde_json::from_value(text.clone()).expect("a filter");
    assert_eq!(read.text(), &text);
    assert_eq!(serde_json::to_value(&read).expect("JSON"), text);
    assert_eq!(read, filter(text));
    assert_ne!(read, filter(json!({"c": 1})));
}

#[test]
fn a_refused_filter_is_an_error_of_the_document_it_stands_in() {
    let error = serde_json::from_str::<PayloadFilter>(r#"{"amount": {"$gt": null}}"#).expect_err("refused");
    assert!(error.to_string().starts_with("amount.$gt: must be a number or a string"), "{error}");
}
