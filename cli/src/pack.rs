//! `hookport pack`: keeps event types in files.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use hookport::domain::pack::{PackName, PackTrigger};
use http::Method;
use serde_json::{Value, json};

use crate::management::{Connection, Management};

/// What `hookport pack` takes.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Make the event types of a pack what its files say.
    Apply(Apply),
}

/// What `hookport pack apply` takes.
#[derive(clap::Args)]
struct Apply {
    /// The directory of the pack; its triggers are in DIR/triggers/*.yaml.
    dir: PathBuf,
    /// The name of the pack; that of its directory by default.
    #[arg(long)]
    name: Option<String>,
    /// Only tell what would be done.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    connection: Connection,
}

/// A pack as its directory holds it.
struct Files {
    name: PackName,
    triggers: Vec<PackTrigger>,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Command::Apply(apply) = args.command;
    let files = read(&apply.dir, apply.name)?;
    let management = Management::new(&apply.connection)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(send(&management, &files, apply.dry_run))?;
    print(&mut anstream::stdout().lock(), &outcome)
}

/// Reads the files of a pack, in the order of their names.
fn read(dir: &Path, name: Option<String>) -> anyhow::Result<Files> {
    let name = match name {
        Some(name) => name,
        None => {
            let whole = dir.canonicalize().with_context(|| format!("{} cannot be opened", dir.display()))?;
            whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        }
    };
    let name = PackName::try_from(name.clone()).with_context(|| format!("the name of the pack, {name:?}"))?;
    let folder = dir.join("triggers");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml"));
    paths.sort();
    // An empty pack would switch everything off: more likely, it is the wrong directory.
    if paths.is_empty() {
        bail!("{} holds no *.yaml", folder.display());
    }
    let triggers = paths.iter().map(|path| trigger(path)).collect::<anyhow::Result<_>>()?;
    Ok(Files { name, triggers })
}

fn trigger(path: &Path) -> anyhow::Result<PackTrigger> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    serde_norway::from_str(&text).with_context(|| format!("{} is no trigger", path.display()))
}

/// Has the gateway apply the pack, or tell what it would do.
async fn send(management: &Management, files: &Files, dry_run: bool) -> anyhow::Result<Value> {
    let body = json!({"triggers": files.triggers, "dry_run": dry_run});
    let path = format!("/api/v1/packs/{}", files.name);
    management.send(Method::PUT, &path, &body).await?.data()
}

/// One line for each event type, and one for the whole.
fn print(out: &mut impl Write, outcome: &Value) -> anyhow::Result<()> {
    let mut counts = Vec::new();
    for (sign, list) in [('+', "created"), ('~', "updated"), ('-', "disabled"), ('=', "unchanged")] {
        let refs = outcome["plan"][list].as_array().map(Vec::as_slice).unwrap_or_default();
        for reference in refs.iter().filter_map(Value::as_str) {
            writeln!(out, "{sign} {reference}")?;
        }
        counts.push(format!("{} {list}", refs.len()));
    }
    let done = if outcome["applied"] == json!(true) { "applied" } else { "dry run, nothing was changed" };
    writeln!(out, "{}: {} ({done})", outcome["pack"].as_str().unwrap_or_default(), counts.join(", "))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use hookport_local::dev::{Options, Running, start};
    use secrecy::ExposeSecret as _;

    use super::*;

    fn example(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/packs").join(name)
    }

    fn printed(outcome: &Value) -> String {
        let mut out = Vec::new();
        print(&mut out, outcome).expect("memory takes everything");
        String::from_utf8(out).expect("text")
    }

    /// A gateway of its own, and its API.
    async fn gateway() -> (Running, Management) {
        let host = std::net::Ipv4Addr::LOCALHOST.into();
        let running = start(Options { host, port: 0, data: None, new_token: false, trusted_targets: vec![] })
            .await
            .expect("a gateway");
        let token = running.admin_token.as_ref().map(|token| token.expose_secret().to_owned());
        let connection = Connection { url: running.base_url.clone(), token, token_file: None };
        (running, Management::new(&connection).expect("a client"))
    }

    #[test]
    fn a_pack_is_named_after_its_directory_unless_it_is_told_otherwise() {
        let files = read(&example("github"), None).expect("a pack");
        assert_eq!((files.name.as_str(), files.triggers.len()), ("github", 1));
        assert_eq!(files.triggers[0].event_type.as_str(), "github.push");
        assert_eq!(read(&example("github"), Some("git".to_owned())).expect("a pack").name.as_str(), "git");
    }

    #[test]
    fn a_directory_that_is_no_pack_is_refused_in_words() {
        let said = |dir: &Path, name| format!("{:#}", read(dir, name).err().expect("no pack"));
        assert!(said(&example("nobody"), None).contains("nobody"));
        assert!(said(&example("github/triggers"), None).contains("github/triggers"));
        assert!(said(&example("github"), Some("Git Hub".to_owned())).contains("must have 1 to 64 characters"));

        let folder = tempfile::tempdir().expect("a folder");
        let triggers = folder.path().join("triggers");
        std::fs::create_dir(&triggers).expect("a folder");
        let of_folder = || said(folder.path(), Some("x".to_owned()));
        assert!(of_folder().contains("holds no *.yaml"));
        std::fs::write(triggers.join("a.yaml"), "ref: x.y\ntype: webhook\npayload_shema: {}\n").expect("a file");
        let refusal = of_folder();
        assert!(refusal.contains("a.yaml") && refusal.contains("payload_shema"), "{refusal}");
    }

    #[tokio::test]
    async fn a_pack_is_applied_to_a_gateway_and_again_without_effect() {
        let (running, management) = gateway().await;
        let files = read(&example("github"), None).expect("a pack");
        let dry = send(&management, &files, true).await.expect("a plan");
        assert_eq!(
            printed(&dry),
            "+ github.push\ngithub: 1 created, 0 updated, 0 disabled, 0 unchanged (dry run, nothing was changed)\n"
        );
        let made = send(&management, &files, false).await.expect("it is applied");
        assert_eq!(printed(&made), "+ github.push\ngithub: 1 created, 0 updated, 0 disabled, 0 unchanged (applied)\n");
        let again = send(&management, &files, false).await.expect("it is applied");
        assert_eq!(printed(&again), "= github.push\ngithub: 0 created, 0 updated, 0 disabled, 1 unchanged (applied)\n");

        let misnamed = Files { name: PackName::try_from("gitlab".to_owned()).expect("a name"), ..files };
        let refusal = send(&management, &misnamed, false).await.expect_err("the refs are of another pack");
        assert_eq!(refusal.to_string(), "triggers[0].ref: must begin with gitlab.");
        drop(management);
        running.shut_down().await;
    }
}
