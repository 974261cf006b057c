//! Schemas that are taken and refused, and what is told of bodies.

use serde_json::json;

use super::*;

fn schema(document: Value) -> Schema {
    Schema::compile(&document).unwrap_or_else(|error| panic!("{document}: {error}"))
}

#[track_caller]
fn refused(document: &Value) -> SchemaError {
    match Schema::compile(document) {
        Ok(_) => panic!("taken: {document}"),
        Err(error) => error,
    }
}

/// What is told of a body, as `path: message`.
fn told(schema: &Schema, body: &Value) -> Vec<String> {
    let violations = schema.validate(body).err().unwrap_or_default();
    violations.into_iter().map(|Violation { path, message }| format!("{path}: {message}")).collect()
}

/// `inner` within `{"not": …}`, so often.
fn nested(times: usize, inner: Value) -> Value {
    (0..times).fold(inner, |inner, _| json!({"not": inner}))
}

#[test]
fn a_body_is_held_against_the_schema() {
    let push = schema(json!({
        "type": "object",
        "required": ["ref"],
        "properties": {"ref": {"type": "string"}, "commits": {"type": "array", "items": {"type": "object"}}},
    }));
    assert_eq!(told(&push, &json!({"ref": "refs/heads/main", "commits": [{}], "more": 1})), [""; 0]);
    assert_eq!(told(&push, &json!([])), [r#": [] is not of type "object""#]);
    let wrong = json!({"ref": 1, "commits": [{}, "x"]});
    let mut found = told(&push, &wrong);
    found.sort_unstable();
    assert_eq!(found, [r#"/commits/1: "x" is not of type "object""#, r#"/ref: 1 is not of type "string""#]);
    assert_eq!(told(&push, &json!({})), [r#": "ref" is a required property"#]);
}

#[test]
fn the_first_five_violations_are_told() {
    let numbers = schema(json!({"items": {"type": "number"}}));
    assert_eq!(told(&numbers, &json!(["a", "b", "c", "d", "e", "f", "g"])).len(), 5);
}

#[test]
fn long_values_and_names_of_a_payload_are_not_quoted() {
    let secret = "s".repeat(41);
    let wrong = json!({"a": secret, "b": [secret, secret], (secret.clone()): 1});
    let cases = [
        json!({"properties": {"a": {"type": "number"}}}),
        json!({"properties": {"a": {"enum": [1, 2]}, "b": {"uniqueItems": true}}}),
        json!({"properties": {"a": {"pattern": "^x"}}}),
        json!({"properties": {"a": {}, "b": {}}, "additionalProperties": false}),
        json!({"properties": {"a": {}, "b": {}}, "unevaluatedProperties": false}),
        json!({"propertyNames": {"maxLength": 10}}),
        json!({"type": "string"}),
        json!({"anyOf": [{"type": "string"}, {"properties": {"a": {"const": 1}}}]}),
        json!({"not": {}}),
    ];
    for document in cases {
        let messages = told(&schema(document.clone()), &wrong);
        assert!(!messages.is_empty(), "{document}");
        assert!(messages.iter().all(|message| !message.contains(&secret)), "{document}: {messages:?}");
    }
    let short = schema(json!({"properties": {"a": {"type": "number"}}}));
    assert_eq!(told(&short, &json!({"a": "x".repeat(38)})).len(), 1);
    assert!(told(&short, &json!({"a": "x".repeat(38)}))[0].contains(&"x".repeat(38)), "40 characters with its quotes");
}

#[test]
fn a_message_and_a_path_have_at_most_200_characters() {
    let long = "n".repeat(500);
    let document = json!({"properties": {(long.clone()): {"pattern": format!("^{}$", "é".repeat(500))}}});
    let found = schema(document).validate(&json!({(long): "x"})).expect_err("it does not match");
    for text in [&found[0].path, &found[0].message] {
        assert_eq!(text.chars().count(), 200, "{text}");
        assert!(text.ends_with('…'));
    }
}

#[test]
fn what_is_no_schema_is_refused_with_its_place() {
    for no_object in [json!(true), json!([]), json!(null), json!("x")] {
        assert_eq!(refused(&no_object), SchemaError::NotAnObject);
    }
    let SchemaError::Invalid(reason) = refused(&json!({"properties": {"a": {"type": "text"}}})) else {
        panic!("another reason");
    };
    assert!(reason.starts_with("/properties/a/type: "), "{reason}");
    for document in [json!({"required": "ref"}), json!({"pattern": "("}), json!({"properties": []})] {
        assert!(matches!(refused(&document), SchemaError::Invalid(_)), "{document}");
    }
    // Without a promise of linear time there is no pattern.
    assert!(matches!(refused(&json!({"pattern": "(?=a)b"})), SchemaError::Invalid(_)));
    assert!(matches!(refused(&json!({"pattern": r"(a)\1"})), SchemaError::Invalid(_)));
}

#[test]
fn a_schema_is_of_draft_2020_12_unless_it_says_otherwise() {
    let tuple = json!({"prefixItems": [{"type": "string"}]});
    assert_eq!(told(&schema(tuple), &json!([1])).len(), 1);
    let of_draft_7 = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "items": [{"type": "string"}],
        "additionalItems": false,
    });
    assert_eq!(told(&schema(of_draft_7), &json!([1, 2])).len(), 2);
    for uri in ["http://json-schema.org/draft-04/schema#", "https://example.com/mine", ""] {
        assert_eq!(refused(&json!({"$schema": uri})), SchemaError::Draft, "{uri}");
    }
}

#[test]
fn references_stay_within_the_document() {
    for remote in ["https://example.com/s.json", "file:///etc/passwd", "other.json#/a", "", "#name", "#/a%2Fb"] {
        assert_eq!(refused(&json!({"$ref": remote})), SchemaError::Remote(remote.to_owned()));
        let below = json!({"properties": {"a": {"items": {"$ref": remote}}}});
        assert_eq!(refused(&below), SchemaError::Remote(remote.to_owned()));
    }
    assert_eq!(refused(&json!({"$ref": "#/$defs/a"})), SchemaError::Dangling("#/$defs/a".to_owned()));
    for keyword in ["$dynamicRef", "$recursiveRef"] {
        assert_eq!(refused(&json!({"not": {keyword: "#"}})), SchemaError::Unsupported(keyword));
    }
    let moved = json!({"properties": {"a": {"$id": "https://example.com/b"}}});
    assert_eq!(refused(&moved), SchemaError::Unsupported("$id within the schema"));

    let local = schema(json!({
        "$id": "https://example.com/s",
        "properties": {"a": {"$ref": "#/$defs/a~1b"}, "$id": {"type": "string"}},
        "$defs": {"a/b": {"type": "string"}},
    }));
    assert_eq!(told(&local, &json!({"a": 1})), [r#"/a: 1 is not of type "string""#]);
}

#[test]
fn a_schema_has_at_most_64_kib() {
    let of = |bytes: usize| json!({"description": "d".repeat(bytes - r#"{"description":""}"#.len())});
    assert!(Schema::compile(&of(MAX_SCHEMA_BYTES)).is_ok());
    assert_eq!(refused(&of(MAX_SCHEMA_BYTES + 1)), SchemaError::TooLong);
}

#[test]
fn a_schema_is_nested_at_most_64_deep() {
    let deepest = schema(nested(MAX_SCHEMA_DEPTH - 1, json!({"type": "string"})));
    assert_eq!(deepest.validate(&json!(1)).is_ok(), (MAX_SCHEMA_DEPTH - 1) % 2 == 1);
    assert_eq!(refused(&nested(MAX_SCHEMA_DEPTH, json!({}))), SchemaError::TooDeep);
}

#[test]
fn a_schema_has_at_most_100_patterns() {
    let of = |count: usize| json!({"allOf": vec![json!({"pattern": "^a"}); count]});
    assert!(Schema::compile(&of(MAX_PATTERNS)).is_ok());
    assert_eq!(refused(&of(MAX_PATTERNS + 1)), SchemaError::TooManyPatterns);
    let named: serde_json::Map<_, _> = (0..=MAX_PATTERNS).map(|n| (format!("^{n}"), json!(true))).collect();
    assert_eq!(refused(&json!({"patternProperties": named})), SchemaError::TooManyPatterns);
}

#[test]
fn a_schema_that_would_never_end_is_refused() {
    for document in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"anyOf": [{"$ref": "#"}]}]}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
    ] {
        assert_eq!(refused(&document), SchemaError::Endless, "{document}");
    }
}

#[test]
fn a_schema_whose_parts_multiply_is_refused() {
    // Twenty definitions that each apply the next one twice: a million applications to the same place.
    let mut definitions = serde_json::Map::new();
    for n in 0..20 {
        let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
        definitions.insert(format!("d{n}"), json!({"anyOf": [next.clone(), next]}));
    }
    definitions.insert("d20".to_owned(), json!({"type": "string"}));
    assert_eq!(refused(&json!({"$ref": "#/$defs/d0", "$defs": definitions})), SchemaError::TooMuchWork);

    // Doubles with every level of the payload, however many there are.
    for twice in [
        json!({"anyOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}]}),
        json!({"items": {"$ref": "#"}, "contains": {"$ref": "#"}}),
        json!({"properties": {"a": {"$ref": "#"}}, "patternProperties": {"a": {"$ref": "#"}}}),
        json!({"properties": {"a": {"$ref": "#"}}, "unevaluatedProperties": false}),
    ] {
        assert_eq!(refused(&twice), SchemaError::TooMuchWork, "{twice}");
    }
}

#[test]
fn a_schema_of_trees_is_no_such_schema() {
    let tree = schema(json!({
        "$ref": "#/$defs/node",
        "$defs": {"node": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "left": {"$ref": "#/$defs/node"},
                "right": {"$ref": "#/$defs/node"},
                "more": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            },
            "additionalProperties": false,
        }},
    }));
    let mut body = json!({"name": "leaf"});
    for _ in 0..60 {
        body = json!({"name": "x", "left": {"name": "y"}, "more": [body]});
    }
    assert_eq!(told(&tree, &body), [""; 0]);
    let wrong = json!({"name": "x", "left": {"name": "y", "right": {}}});
    assert_eq!(told(&tree, &wrong), [r#"/left/right: "name" is a required property"#]);
}

#[test]
fn a_body_that_would_make_too_much_work_is_refused() {
    // Ten parts in place for each level, so a payload of 100 levels would keep 1,010 of them at work at once.
    let chain = (0..8).fold(json!({"items": {"$ref": "#"}}), |inner, _| json!({"allOf": [inner]}));
    let deep = |levels: usize| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    let nesting = schema(chain);
    assert_eq!(told(&nesting, &deep(30)), [""; 0]);
    assert_eq!(told(&nesting, &deep(100)), [": is nested too deep for its schema"]);

    let many: Vec<_> = (0..2_000).map(|n| json!({"const": n})).collect();
    let wide = schema(json!({"items": {"anyOf": many}}));
    assert_eq!(told(&wide, &json!(vec!["x"; 30_000])), [": is too large for its schema"]);
    let unexplained = told(&wide, &json!(vec!["x"; 1_000]));
    assert_eq!(unexplained, [": is not what its schema asks for; it is too large to tell where"]);
    assert_eq!(told(&wide, &json!(vec!["x"; 3])).len(), 3);
    assert_eq!(told(&wide, &json!(vec![7; 1_000])), [""; 0]);
}
