//! What is read from the embedded template.

use std::time::Duration;

use serde_json::json;

use super::super::*;
use super::{changed, embedded};

const ALARMS: &str = include_str!("../../../../infra/alarms.yaml");

fn key(name: &str, kind: KeyKind) -> Key {
    Key { name: name.to_owned(), kind }
}

#[test]
fn every_resource_of_the_embedded_template_is_read() {
    let template = embedded();
    let tables: Vec<&str> = names(&template.tables, |it| &it.logical_id);
    assert_eq!(tables, ["ConfigsTable", "DeliveriesTable", "IdempotencyTable"]);
    let queues: Vec<&str> = names(&template.queues, |it| &it.logical_id);
    assert_eq!(queues, ["InboundQueue", "InboundDeadLetterQueue", "OutboundQueue", "OutboundDeadLetterQueue"]);
    let functions: Vec<&str> = names(&template.functions, |it| &it.logical_id);
    assert_eq!(functions, ["ReceiverFunction", "ManagementFunction", "DispatcherFunction", "SweeperFunction"]);
}

fn names<T>(items: &[T], name: impl Fn(&T) -> &String) -> Vec<&str> {
    items.iter().map(|item| name(item).as_str()).collect()
}

#[test]
fn tables_come_with_keys_indexes_and_expiry() {
    let template = embedded();
    let deliveries = Table {
        logical_id: "DeliveriesTable".to_owned(),
        partition_key: key("pk", KeyKind::String),
        sort_key: Some(key("sk", KeyKind::String)),
        indexes: vec![Index {
            name: "due".to_owned(),
            partition_key: key("ds", KeyKind::String),
            sort_key: Some(key("da", KeyKind::Number)),
            projection: Projection::KeysOnly,
        }],
        ttl_attribute: Some("ttl".to_owned()),
    };
    assert_eq!(template.table("DeliveriesTable").unwrap(), &deliveries);
    assert_eq!(template.table("IdempotencyTable").unwrap().sort_key, None);
}

#[test]
fn a_changed_key_name_is_seen() {
    let renamed = EMBEDDED.replace("AttributeName: ds\n", "AttributeName: shard\n");
    let template = Template::parse(&renamed).unwrap();
    let table = template.table("DeliveriesTable").unwrap();
    assert_eq!(table.indexes[0].partition_key.name, "shard");
}

#[test]
fn queues_come_with_their_times_and_dead_letters() {
    let template = embedded();
    let inbound = Queue {
        logical_id: "InboundQueue".to_owned(),
        visibility_timeout_s: 360,
        retention_s: 4 * 86_400,
        delay_s: 0,
        redrive: Some(Redrive { dead_letter: "InboundDeadLetterQueue".to_owned(), max_receive_count: 5 }),
    };
    assert_eq!(template.queue("InboundQueue").unwrap(), &inbound);
    let dead = template.queue("OutboundDeadLetterQueue").unwrap();
    assert_eq!((dead.retention_s, &dead.redrive), (14 * 86_400, &None));
}

#[test]
fn messages_are_hidden_for_six_timeouts() {
    let template = embedded();
    for function in &template.functions {
        for source in &function.queues {
            let queue = template.queue(&source.queue).unwrap();
            assert!(queue.visibility_timeout_s >= 6 * function.timeout_s);
        }
    }
}

#[test]
fn functions_come_with_limits_and_triggers() {
    let template = embedded();
    let receiver = template.function("ReceiverFunction").unwrap();
    assert_eq!((receiver.memory_mb, receiver.timeout_s), (256, 10));
    let paths = names(&receiver.routes, |it| &it.path);
    assert_eq!(paths, ["/api/v1/webhooks/{key}", "/api/inbound/{tenant}/{slug}"]);
    assert!(receiver.routes.iter().all(|route| route.method == "ANY"));

    let dispatcher = template.function("DispatcherFunction").unwrap();
    assert_eq!((dispatcher.memory_mb, dispatcher.timeout_s), (512, 60));
    let outbound = QueueSource {
        queue: "OutboundQueue".to_owned(),
        batch_size: 10,
        report_batch_item_failures: true,
        max_concurrency: Some(100),
    };
    assert_eq!(dispatcher.queues.len(), 2);
    assert_eq!(dispatcher.queues[1], outbound);

    let sweeper = template.function("SweeperFunction").unwrap();
    assert_eq!(sweeper.schedule_rate, Some(Duration::from_secs(60)));
    assert_eq!(template.function("ManagementFunction").unwrap().timeout_s, 29);
}

#[test]
fn a_function_overrides_a_global_variable() {
    let text = changed(
        "          ALERT_SINK_ENABLED: !Ref AlertSinkEnabled\n",
        "          ALERT_SINK_ENABLED: !Ref AlertSinkEnabled\n          LEASE_MS: 120000\n",
    );
    let template = Template::parse(&text).unwrap();
    let management = template.function("ManagementFunction").unwrap();
    let lease = EnvValue::Literal("120000".to_owned());
    assert_eq!(management.environment["LEASE_MS"], lease);
    assert!(management.environment.contains_key("CONFIGS_TABLE"));
}

#[test]
fn the_environment_names_local_resources() {
    let template = embedded();
    let function = template.function("DispatcherFunction").unwrap();
    let variables = environment(function, |it| template.local_name(it)).unwrap();
    let expected = [
        ("CONFIGS_TABLE", "ConfigsTable"),
        ("DELIVERIES_TABLE", "DeliveriesTable"),
        ("IDEMPOTENCY_TABLE", "IdempotencyTable"),
        ("INBOUND_QUEUE_URL", "http://sqs.local/000000000000/InboundQueue"),
        ("OUTBOUND_QUEUE_URL", "http://sqs.local/000000000000/OutboundQueue"),
        ("KEYRING_SECRET_ID", "KeyringSecret"),
        ("PUBLIC_BASE_URL", ""),
        ("MAX_BODY_BYTES", "4194304"),
        ("RATE_PER_SOURCE", "1000"),
        ("RATE_PER_TENANT", "0"),
        ("RATE_GLOBAL", "10000"),
        ("TRUSTED_PROXIES", ""),
        ("TRUSTED_TARGETS", ""),
        ("AWS_TARGETS", ""),
        ("EGRESS_ALLOWED_NETWORKS", ""),
        ("EGRESS_ALLOWED_HOSTS", ""),
        ("EGRESS_CA_PEM", ""),
        ("EGRESS_PROXY", ""),
        ("ALERT_SINK_ENABLED", "false"),
        ("ALERT_SINK_URL", ""),
        ("ALERT_SINK_SECRET", ""),
        ("LEASE_MS", "90000"),
        ("LOG_LEVEL", "INFO"),
    ];
    assert_eq!(variables.len(), expected.len());
    for (name, value) in expected {
        assert_eq!(variables[name], value, "{name}");
    }
}

#[test]
fn a_reference_that_nobody_resolves_is_an_error() {
    let template = embedded();
    let function = template.function("SweeperFunction").unwrap();
    let error = environment(function, |_| None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "SweeperFunction: Environment.Variables.CONFIGS_TABLE: ConfigsTable does not name a resource that fits here"
    );
}

#[test]
fn a_table_is_created_with_its_index_and_then_its_expiry() {
    let template = embedded();
    let requests = template.table("DeliveriesTable").unwrap().create_requests();
    let create = json!({
        "TableName": "DeliveriesTable",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            { "AttributeName": "da", "AttributeType": "N" },
            { "AttributeName": "ds", "AttributeType": "S" },
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "S" },
        ],
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": "due",
            "KeySchema": [
                { "AttributeName": "ds", "KeyType": "HASH" },
                { "AttributeName": "da", "KeyType": "RANGE" },
            ],
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }],
    });
    let expire = json!({
        "TableName": "DeliveriesTable",
        "TimeToLiveSpecification": { "AttributeName": "ttl", "Enabled": true },
    });
    assert_eq!(requests, [("CreateTable", create), ("UpdateTimeToLive", expire)]);
}

#[test]
fn a_table_without_an_index_does_not_list_any() {
    let template = embedded();
    let requests = template.table("ConfigsTable").unwrap().create_requests();
    assert_eq!(requests[0].1.get("GlobalSecondaryIndexes"), None);
}

#[test]
fn dead_letter_queues_are_created_first() {
    let requests = embedded().create_queue_requests();
    let order: Vec<&str> = requests.iter().map(|(_, body)| body["QueueName"].as_str().unwrap()).collect();
    assert_eq!(order, ["InboundDeadLetterQueue", "OutboundDeadLetterQueue", "InboundQueue", "OutboundQueue"]);
    let attributes = &requests[2].1["Attributes"];
    assert_eq!(attributes["VisibilityTimeout"], "360");
    let policy: serde_json::Value = serde_json::from_str(attributes["RedrivePolicy"].as_str().unwrap()).unwrap();
    let target = "arn:aws:sqs:us-east-1:000000000000:InboundDeadLetterQueue";
    assert_eq!(policy, json!({ "deadLetterTargetArn": target, "maxReceiveCount": 5 }));
}

#[test]
fn the_keyring_is_created_with_one_generated_key() {
    let requests = embedded().create_secret_requests(|secret| {
        assert_eq!(secret.length, 64);
        "generated".to_owned()
    });
    let body = json!({ "Name": "KeyringSecret", "SecretString": "{\"k1\":\"generated\"}" });
    assert_eq!(requests, [("CreateSecret", body)]);
}

#[test]
fn the_nested_stack_only_watches() {
    let alarms: Value = serde_norway::from_str(ALARMS).unwrap();
    let root = Node::new("alarms", &alarms);
    for (logical_id, resource) in root.require("Resources").unwrap().entries().unwrap() {
        let kind = resource.require("Type").unwrap();
        let kind = kind.text().unwrap();
        assert!(HARMLESS_TYPES.contains(&kind), "{logical_id} is a {kind}");
    }
}
