//! What the template may not say, and where a refusal points.

use super::super::*;
use super::{changed, embedded};

/// Where and why the template is refused once its first `from` is replaced.
fn refused(from: &str, to: &str) -> (String, String, Refusal) {
    match Template::parse(&changed(from, to)) {
        Err(TemplateError::Refused { resource, property, refusal }) => (resource, property, refusal),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// Asserts that one more line after the first `line` is refused at `place`.
fn refuses_after(line: &str, more: &str, place: (&str, &str)) {
    let (resource, property, refusal) = refused(line, &format!("{line}\n{more}"));
    assert_eq!((resource.as_str(), property.as_str()), place);
    assert_eq!(refusal, Refusal::UnknownProperty);
}

#[test]
fn an_unknown_resource_type_is_refused() {
    let (resource, property, refusal) = refused("AWS::Serverless::HttpApi", "AWS::Serverless::Api");
    assert_eq!((resource.as_str(), property.as_str()), ("HttpApi", "Type"));
    let unknown = Refusal::UnknownResourceType("AWS::Serverless::Api".to_owned());
    assert_eq!(refusal, unknown);
}

#[test]
fn another_nested_stack_is_refused() {
    let (resource, property, refusal) = refused("infra/alarms.yaml\n", "infra/more.yaml\n");
    assert_eq!((resource.as_str(), property.as_str()), ("AlarmStack", "Location"));
    let unknown = Refusal::UnknownStack("infra/more.yaml".to_owned());
    assert_eq!(refusal, unknown);
}

#[test]
fn an_unknown_property_of_a_table_is_refused() {
    let line = "      BillingMode: PAY_PER_REQUEST";
    refuses_after(line, "      TableName: t", ("ConfigsTable", "TableName"));
}

#[test]
fn an_unknown_property_of_a_queue_is_refused() {
    let line = "      VisibilityTimeout: 360";
    refuses_after(line, "      FifoQueue: true", ("InboundQueue", "FifoQueue"));
}

#[test]
fn an_unknown_property_of_a_secret_is_refused() {
    let place = ("KeyringSecret", "GenerateSecretString.ExcludeNumbers");
    let line = "        ExcludePunctuation: true";
    refuses_after(line, "        ExcludeNumbers: true", place);
}

#[test]
fn an_unknown_property_of_an_event_is_refused() {
    let place = ("DispatcherFunction", "Events.Inbound.Properties.FilterCriteria");
    let line = "            BatchSize: 10";
    refuses_after(line, "            FilterCriteria: {}", place);
}

#[test]
fn an_unknown_property_of_a_function_is_refused() {
    let place = ("DispatcherFunction", "ReservedConcurrentExecutions");
    let line = "      RecursiveLoop: Allow";
    refuses_after(line, "      ReservedConcurrentExecutions: 5", place);
}

#[test]
fn a_conditional_table_is_refused() {
    let line = "    Type: AWS::DynamoDB::Table";
    refuses_after(line, "    Condition: HasAlarms", ("ConfigsTable", "Condition"));
}

#[test]
fn an_unknown_event_type_is_refused() {
    let (resource, property, refusal) = refused("Type: SQS\n", "Type: SNS\n");
    assert_eq!((resource.as_str(), property.as_str()), ("DispatcherFunction", "Events.Inbound.Type"));
    assert_eq!(refusal, Refusal::UnknownEventType("SNS".to_owned()));
}

#[test]
fn a_visibility_timeout_below_the_function_timeout_is_refused() {
    let (resource, property, refusal) = refused("VisibilityTimeout: 360", "VisibilityTimeout: 59");
    assert_eq!((resource.as_str(), property.as_str()), ("InboundQueue", "VisibilityTimeout"));
    let below =
        Refusal::VisibilityBelowTimeout { visibility_s: 59, function: "DispatcherFunction".to_owned(), timeout_s: 60 };
    assert_eq!(refusal, below);
}

#[test]
fn a_lease_that_does_not_outlast_the_function_is_refused() {
    let (resource, property, refusal) = refused("LEASE_MS: '90000'", "LEASE_MS: '60000'");
    assert_eq!((resource.as_str(), property.as_str()), ("DispatcherFunction", "Environment.Variables.LEASE_MS"));
    let short = Refusal::LeaseNotAboveTimeout { lease_ms: 60_000, timeout_s: 60 };
    assert_eq!(refusal, short);
}

#[test]
fn an_unknown_index_projection_is_refused() {
    let (resource, property, refusal) = refused("ProjectionType: KEYS_ONLY", "ProjectionType: SOME");
    assert_eq!(
        (resource.as_str(), property.as_str()),
        ("DeliveriesTable", "GlobalSecondaryIndexes.0.Projection.ProjectionType")
    );
    assert!(matches!(refusal, Refusal::Expected(_)), "{refusal:?}");
}

#[test]
fn a_key_without_a_definition_is_refused() {
    let indent = "\n              KeyType";
    let (resource, property, refusal) =
        refused(&format!("AttributeName: da{indent}"), &format!("AttributeName: at{indent}"));
    assert_eq!(
        (resource.as_str(), property.as_str()),
        ("DeliveriesTable", "GlobalSecondaryIndexes.0.KeySchema.1.AttributeName")
    );
    assert_eq!(refusal, Refusal::UnknownReference("at".to_owned()));
}

#[test]
fn a_definition_without_a_key_is_refused() {
    let line = "          AttributeType: N";
    let spare = "        - AttributeName: spare\n          AttributeType: S";
    let (resource, property, refusal) = refused(line, &format!("{line}\n{spare}"));
    assert_eq!((resource.as_str(), property.as_str()), ("DeliveriesTable", "AttributeDefinitions"));
    assert!(matches!(refusal, Refusal::Expected(_)), "{refusal:?}");
}

#[test]
fn dead_letters_for_a_queue_that_is_not_there_are_refused() {
    let (resource, property, refusal) = refused("!GetAtt InboundDeadLetterQueue.Arn", "!GetAtt NoQueue.Arn");
    assert_eq!((resource.as_str(), property.as_str()), ("InboundQueue", "RedrivePolicy.deadLetterTargetArn"));
    assert_eq!(refusal, Refusal::UnknownReference("NoQueue.Arn".to_owned()));
}

#[test]
fn a_variable_that_refers_to_nothing_is_refused() {
    let (resource, property, refusal) = refused("CONFIGS_TABLE: !Ref ConfigsTable", "CONFIGS_TABLE: !Ref Nothing");
    assert_eq!((resource.as_str(), property.as_str()), ("ReceiverFunction", "Environment.Variables.CONFIGS_TABLE"));
    assert_eq!(refusal, Refusal::UnknownReference("Nothing".to_owned()));
}

#[test]
fn a_variable_that_has_to_be_computed_is_refused() {
    let (resource, property, refusal) =
        refused("PUBLIC_BASE_URL: !Ref PublicBaseUrl", "PUBLIC_BASE_URL: !Sub https://${AWS::Region}");
    assert_eq!((resource.as_str(), property.as_str()), ("ReceiverFunction", "Environment.Variables.PUBLIC_BASE_URL"));
    assert_eq!(refusal, Refusal::Intrinsic("Sub".to_owned()));
}

#[test]
fn a_schedule_that_is_not_a_rate_is_refused() {
    for schedule in ["rate(1 minutes)", "rate(0 minutes)", "cron(* * * * ? *)"] {
        let (resource, property, refusal) = refused("rate(1 minute)", schedule);
        assert_eq!(
            (resource.as_str(), property.as_str()),
            ("SweeperFunction", "Events.EveryMinute.Properties.Schedule")
        );
        assert!(matches!(refusal, Refusal::Expected(_)), "{refusal:?}");
    }
}

#[test]
fn a_number_out_of_the_range_of_aws_is_refused() {
    let (resource, property, refusal) = refused("MemorySize: 512", "MemorySize: 64");
    assert_eq!((resource.as_str(), property.as_str()), ("DispatcherFunction", "MemorySize"));
    assert!(matches!(refusal, Refusal::Expected(_)), "{refusal:?}");
}

#[test]
fn a_parameter_without_a_default_is_refused() {
    let (resource, property, refusal) = refused("    Default: arm64\n", "");
    assert_eq!((resource.as_str(), property.as_str()), ("template", "Parameters.Architecture.Default"));
    assert_eq!(refusal, Refusal::Missing);
}

#[test]
fn a_key_that_is_written_twice_is_refused() {
    let text = changed("      Timeout: 60\n", "      Timeout: 60\n      Timeout: 61\n");
    let error = Template::parse(&text).unwrap_err();
    assert!(matches!(error, TemplateError::Syntax(_)), "{error:?}");
}

#[test]
fn a_function_that_is_not_there_is_an_error() {
    let error = embedded().function("Nobody").unwrap_err();
    assert_eq!(error.to_string(), "the template defines no function named Nobody");
}
