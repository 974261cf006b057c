//! `hookport dev`.

use std::io::Write as _;
use std::net::IpAddr;
use std::path::PathBuf;

use hookport_local::dev::{FIRST_TENANT, Options, Running, start};
use secrecy::ExposeSecret as _;
use tokio::signal::unix::{SignalKind, signal};

use crate::lines;

/// What `hookport dev` takes.
#[derive(clap::Args)]
pub struct Args {
    /// The address to listen on. Anything but loopback opens the gateway to the network.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// The port to listen on; 0 for any free one.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The directory where data lives. Without it everything is in memory and gone at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Make and print another admin token, for when the first one is lost.
    #[arg(long)]
    new_token: bool,
    /// A host whose targets need no challenge, such as 127.0.0.1 or *.internal.example; may be given more than once.
    #[arg(long, value_name = "PATTERN")]
    trust_target: Vec<String>,
    /// Do not print a line for each request and delivery.
    #[arg(long)]
    quiet: bool,
    /// Print one JSON line with base_url, admin_token and tenant instead of the guide.
    #[arg(long)]
    print_json: bool,
}

/// Runs the gateway until Ctrl-C or SIGTERM; a second one ends it at once.
///
/// On one thread: the embedded tables have one writer, and a second thread that waits for it doubles the processor's
/// time for a message and delivers no more of them (docs/performance.md).
pub fn run(args: Args) -> anyhow::Result<()> {
    lines::init(args.quiet);
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(args))
}

async fn serve(args: Args) -> anyhow::Result<()> {
    let options = Options {
        host: args.host,
        port: args.port,
        data: args.data,
        new_token: args.new_token,
        trusted_targets: args.trust_target,
    };
    let kept = options.data.is_some();
    let running = start(options).await?;
    if args.print_json {
        print_json(&running)?
    } else {
        print_guide(&running, kept)?
    }

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    if !args.print_json {
        eprintln!("Finishing what is under way; once more to stop at once.");
    }
    tokio::select! {
        () = running.shut_down() => Ok(()),
        _ = terminate.recv() => std::process::exit(130),
        _ = interrupt.recv() => std::process::exit(130),
    }
}

fn print_json(running: &Running) -> anyhow::Result<()> {
    let ready = serde_json::json!({
        "base_url": running.base_url,
        "admin_token": running.admin_token.as_ref().map(|token| token.expose_secret().to_owned()),
        "tenant": FIRST_TENANT,
    });
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ready}")?;
    Ok(out.flush()?)
}

fn print_guide(running: &Running, kept: bool) -> anyhow::Result<()> {
    let base = &running.base_url;
    let mut out = anstream::stdout().lock();
    writeln!(out, "Hookport is ready at {base}")?;
    writeln!(out, "  tenant       {FIRST_TENANT}")?;
    match &running.admin_token {
        Some(token) => {
            writeln!(out, "  admin token  {}  (shown this once)", token.expose_secret())?;
            writeln!(out, "{}", guide(base, token.expose_secret()))?;
        }
        None => writeln!(out, "  admin token  made at the first start; --new-token makes another")?,
    }
    if !kept {
        writeln!(out, "Everything is in memory; --data DIR keeps it. Ctrl-C stops.")?;
    }
    Ok(out.flush()?)
}

/// The lines to paste: a webhook that proves GitHub's signature, a subscription, and a first event.
fn guide(base: &str, token: &str) -> String {
    format!(
        r#"
Paste this into another terminal, in the directory of the project, to see a first webhook go through:

  export TOKEN={token} SECRET=It-is-a-secret-to-everybody
  curl -sS {base}/api/v1/inbound-webhooks -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
    -d '{{"name":"GitHub","slug":"github","event_type":"github.push","auth_type":"hmac_sha256","auth_config":{{"type":"hmac_sha256","signature_header":"X-Hub-Signature-256","secret":"'$SECRET'"}},"idempotency_source":{{"type":"header","value":"X-GitHub-Delivery"}}}}'
  curl -sS {base}/api/v1/subscriptions -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
    -d '{{"name":"Listener","url":"{base}/dev/listener","events":["github.*"]}}'
  sleep 1  # the listener answers its challenge meanwhile
  BODY=tests/fixtures/senders/github-push.body
  curl -sS {base}/api/inbound/default/github -H 'Content-Type: application/json' -H 'X-GitHub-Event: push' \
    -H 'X-GitHub-Delivery: 6f1c1c7e-0001' --data-binary @$BODY \
    -H "X-Hub-Signature-256: sha256=$(openssl dgst -sha256 -hmac $SECRET -r < $BODY | cut -d' ' -f1)"
"#
    )
}
