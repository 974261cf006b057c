//! `hookport subscriptions`: keeps subscriptions in files.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use hookport::domain::declaration::SetName;
use http::Method;
use serde_json::{Value, json};

use crate::management::{Connection, Management};

/// What `hookport subscriptions` takes.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make a set of subscriptions what its file says.
    Apply(Apply),
}

/// What `hookport subscriptions apply` takes.
#[derive(clap::Args)]
struct Apply {
    /// A YAML file whose one member, `subscriptions`, is the list of declarations.
    file: PathBuf,
    /// The name of the set; that of its file by default, without the ending.
    #[arg(long)]
    set: Option<String>,
    /// Only tell what would be done.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    connection: Connection,
}

/// A set as its file holds it.
struct Declarations {
    set: SetName,
    subscriptions: Value,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Command::Apply(apply) = args.command;
    let declarations = read(&apply.file, apply.set)?;
    let management = Management::new(&apply.connection)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(send(&management, &declarations, apply.dry_run))?;
    print(&mut anstream::stdout().lock(), &outcome, apply.dry_run)
}

/// Reads the file of a set.
fn read(file: &Path, set: Option<String>) -> anyhow::Result<Declarations> {
    let name = set.or_else(|| file.file_stem().map(|stem| stem.to_string_lossy().into_owned())).unwrap_or_default();
    let set = SetName::try_from(name.clone()).with_context(|| format!("the name of the set, {name:?}"))?;
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let document: Value = serde_norway::from_str(&text).with_context(|| format!("{} is no YAML", file.display()))?;
    let subscriptions = match document {
        Value::Object(mut members) if members.len() == 1 => members.remove("subscriptions"),
        _ => None,
    };
    // An empty file would switch everything off: only an empty list means that.
    let Some(subscriptions) = subscriptions.filter(Value::is_array) else {
        bail!("{} must have one member, `subscriptions`, which is a list", file.display());
    };
    Ok(Declarations { set, subscriptions })
}

/// Has the gateway make the set what the file says, or tell what it would do.
async fn send(management: &Management, declarations: &Declarations, dry_run: bool) -> anyhow::Result<Value> {
    let body = json!({
        "set": declarations.set,
        "subscriptions": declarations.subscriptions,
        "dry_run": dry_run,
    });
    management.send(Method::POST, "/api/v1/subscriptions/declare", &body).await?.data()
}

fn list<'v>(outcome: &'v Value, name: &str) -> &'v [Value] {
    outcome[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'v>(item: &'v Value, name: &str) -> &'v str {
    item[name].as_str().unwrap_or_default()
}

/// One line for each change, one for what is as it was, and the new secrets.
fn print(out: &mut impl Write, outcome: &Value, dry_run: bool) -> anyhow::Result<()> {
    let created = list(outcome, "created");
    for made in created {
        writeln!(out, "+ {}", text(made, "name"))?;
    }
    for gone in list(outcome, "deactivated") {
        writeln!(out, "- {}", text(gone, "name"))?;
    }
    writeln!(out, "= {} unchanged", list(outcome, "kept").len())?;
    if dry_run {
        writeln!(out, "Dry run: nothing was changed.")?;
    } else if !created.is_empty() {
        writeln!(out, "\nSecrets of the new ones, which are not shown again:")?;
        for made in created {
            writeln!(out, "{}  {}  {}", text(made, "id"), text(made, "secret"), text(made, "name"))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hookport_local::dev::{Options, start};
    use hookport_tests::Sink;
    use secrecy::ExposeSecret as _;

    use super::*;

    fn file(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("a file");
        path
    }

    fn printed(outcome: &Value, dry_run: bool) -> String {
        let mut out = Vec::new();
        print(&mut out, outcome, dry_run).expect("memory takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_set_is_named_after_its_file_unless_it_is_told_otherwise() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = file(folder.path(), "nightly.yaml", "subscriptions:\n  - name: One\n");
        let found = read(&path, None).expect("a set");
        assert_eq!((found.set.as_str(), &found.subscriptions), ("nightly", &json!([{"name": "One"}])));
        assert_eq!(read(&path, Some("daily".to_owned())).expect("a set").set.as_str(), "daily");
        let empty = file(folder.path(), "empty.yaml", "subscriptions: []\n");
        assert_eq!(read(&empty, None).expect("a set without members").subscriptions, json!([]));
    }

    #[test]
    fn a_file_that_is_no_set_is_refused_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let said = |path: &Path| format!("{:#}", read(path, None).err().expect("no set"));
        assert!(said(&folder.path().join("nobody.yaml")).contains("cannot be read"));
        assert!(
            said(&file(folder.path(), "My Set.yaml", "subscriptions: []")).contains("must have 1 to 64 characters")
        );
        assert!(said(&file(folder.path(), "broken.yaml", "a: [")).contains("is no YAML"));
        assert!(said(&file(folder.path(), "empty.yaml", "")).contains("empty.yaml"));
        for wrong in ["- name: One", "subscriptions:", "subscriptions: {}", "subscriptions: []\nset: x", "subs: []"] {
            assert!(said(&file(folder.path(), "wrong.yaml", wrong)).contains("one member, `subscriptions`"), "{wrong}");
        }
    }

    /// B22: applied once it makes everything, applied again it changes nothing, and secrets are told once.
    #[tokio::test]
    async fn b22_a_file_is_applied_to_a_gateway_and_again_without_effect() {
        let host = std::net::Ipv4Addr::LOCALHOST.into();
        let running = start(Options { host, port: 0, data: None, new_token: false, trusted_targets: vec![] })
            .await
            .expect("a gateway");
        let token = running.admin_token.as_ref().map(|token| token.expose_secret().to_owned());
        let connection = Connection { url: running.base_url.clone(), token, token_file: None };
        let management = Management::new(&connection).expect("a client");
        let sink = Sink::start().await;
        let declaration = |name: &str| json!({"name": name, "url": sink.url("/hook"), "events": ["subscription.*"]});
        let of = |subscriptions: Value| Declarations {
            set: SetName::try_from("nightly".to_owned()).expect("a name"),
            subscriptions,
        };
        let both = of(json!([declaration("One"), declaration("Two")]));

        let dry = send(&management, &both, true).await.expect("a plan");
        assert_eq!(printed(&dry, true), "+ One\n+ Two\n= 0 unchanged\nDry run: nothing was changed.\n");
        let made = send(&management, &both, false).await.expect("it is applied");
        let told = printed(&made, false);
        assert!(told.starts_with("+ One\n+ Two\n= 0 unchanged\n\nSecrets of the new ones"), "{told}");
        for line in told.lines().skip(5) {
            assert!(line.starts_with("sub_") && line.contains("  whsec_"), "{line}");
        }
        let again = send(&management, &both, false).await.expect("it is applied");
        assert_eq!(printed(&again, false), "= 2 unchanged\n");
        let less = send(&management, &of(json!([declaration("Two")])), false).await.expect("it is applied");
        assert_eq!(printed(&less, false), "- One\n= 1 unchanged\n");

        let wrong = of(json!([declaration("Two"), {"name": "Three"}]));
        let refusal = send(&management, &wrong, false).await.expect_err("it has no URL");
        assert!(refusal.to_string().starts_with("subscriptions[1]: missing field"), "{refusal}");
        drop(management);
        running.shut_down().await;
    }
}
