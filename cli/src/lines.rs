//! One readable line for each request and each delivery, made from the same log events that are JSON in the cloud.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::io::Write as _;

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

/// Starts printing lines to standard error; only warnings when `quiet`.
pub fn init(quiet: bool) {
    let level = if quiet { LevelFilter::WARN } else { LevelFilter::INFO };
    let ours = ["hookport", "hookport_local", "receiver", "dispatcher", "sweeper", "management"];
    let directives = ours.map(|name| format!("{name}={level}")).join(",");
    let filter = EnvFilter::try_new(format!("error,{directives}")).unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::registry().with(Lines.with_filter(filter)).init();
}

struct Lines;

/// The fields of an event by name; numbers and flags as text.
#[derive(Default)]
struct Fields(BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Fields {
    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = line(*event.metadata().level(), &fields);
        let _ = writeln!(anstream::stderr().lock(), "{line}");
    }
}

fn line(level: Level, fields: &Fields) -> String {
    let get = |name| fields.get(name);
    match get("message") {
        "inbound.kept" if get("duplicate") == "true" => {
            format!("in   {} {} duplicate, {} ms", get("event.type"), get("delivery.id"), get("duration_ms"))
        }
        "inbound.kept" => {
            let status = get("status");
            format!("in   {} {} {status}, {} ms", get("event.type"), get("delivery.id"), get("duration_ms"))
        }
        "inbound.refused" => {
            let webhook = if get("webhook.id").is_empty() { "no webhook" } else { get("webhook.id") };
            format!("in   refused: {} ({webhook}), {} ms", get("reason"), get("duration_ms"))
        }
        "delivery.attempted" => format!(
            "out  {} to {} attempt {}: {} {}{}, {} ms, now {}",
            get("event.type"),
            get("subscription.id"),
            get("attempt"),
            get("outcome"),
            get("status"),
            get("error"),
            get("duration_ms"),
            get("state"),
        ),
        "event.dispatched" => format!("     {} went to {} target(s)", get("delivery.id"), get("targets")),
        "request.answered" => {
            format!(
                "api  {} {} {}, {} ms",
                get("http.method"),
                get("http.route"),
                get("http.status"),
                get("duration_ms")
            )
        }
        "listener.received" => {
            format!("got  {} {} ({} bytes)", get("event.type"), get("webhook.id"), get("bytes"))
        }
        message => {
            let mut line = format!("{:<4} {message}", level.as_str().to_lowercase());
            for (name, value) in fields.0.iter().filter(|(name, _)| **name != "message") {
                let _ = write!(line, " {name}={value}");
            }
            line
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&'static str, &str)]) -> Fields {
        Fields(pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())
    }

    #[test]
    fn a_delivery_is_one_readable_line() {
        let fields = fields(&[
            ("message", "delivery.attempted"),
            ("event.type", "github.push"),
            ("subscription.id", "sub_1"),
            ("attempt", "1"),
            ("outcome", "answered"),
            ("status", "200"),
            ("duration_ms", "3"),
            ("state", "delivered"),
        ]);
        assert_eq!(
            line(Level::INFO, &fields),
            "out  github.push to sub_1 attempt 1: answered 200, 3 ms, now delivered"
        );
    }

    #[test]
    fn what_has_no_form_of_its_own_shows_its_fields() {
        let fields = fields(&[("message", "sweep.failed"), ("error", "x")]);
        assert_eq!(line(Level::WARN, &fields), "warn sweep.failed error=x");
    }
}
