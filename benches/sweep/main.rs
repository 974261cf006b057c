//! How long a sweep takes over a table of any size.
//!
//!     cargo run --release -p hookport-tests --example sweep -- [ROWS [DUE [DIRECTORY]]]
//!
//! Puts `ROWS` deliveries that are over or wait for a month (a million unless said otherwise) and `DUE` whose wait is
//! over (1,000), sweeps twice, and prints what that took. With an empty `DIRECTORY` the tables are files in it; else
//! they are in memory, about a kilobyte for each row.

#[path = "../../tests/tests/scale/rows.rs"]
mod rows;

use std::path::PathBuf;
use std::time::Instant;

use hookport::clock::Clock;
use hookport::domain::text::TenantSlug;
use hookport_local::cloud::Cloud;
use hookport_local::template::Template;
use hookport_tests::TestGateway;
use hookport_tests::gateway::TENANT;
use jiff::{SignedDuration, Timestamp};

use rows::{Rows, fill};

fn number(argument: Option<String>, default: u32) -> u32 {
    argument.map_or(default, |text| text.replace([',', '_'], "").parse().expect("a number"))
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let rows = Rows { stored: number(arguments.next(), 1_000_000), due: number(arguments.next(), 1_000) };
    let directory = arguments.next().map(PathBuf::from);

    let clock = Clock::manual(Timestamp::from_second(1_790_000_000).expect("a time in range"));
    let template = Template::embedded().expect("the template can be honoured");
    let cloud = Cloud::open(directory.as_deref(), &template, clock.clone()).await.expect("the stand-ins open");
    let gateway = TestGateway::on(cloud, clock, &["a"], &[]).await;
    let tenant = TenantSlug::try_from(TENANT.to_owned()).expect("a slug");

    let start = Instant::now();
    fill(&gateway.instance(0).management_app.store, &tenant, rows, gateway.clock.now()).await;
    println!("{rows:?} put in {:.1} s", start.elapsed().as_secs_f64());
    gateway.advance(SignedDuration::from_mins(2));

    gateway.cloud.meter().count();
    for sweep in ["busy", "idle"] {
        let before = gateway.cloud.meter().snapshot();
        let start = Instant::now();
        let swept = gateway.tick(gateway.instance(0)).await;
        let took = start.elapsed();
        let used = gateway.cloud.meter().snapshot().since(&before);
        println!("{sweep}: {swept:?} in {:.1} ms\n{used}", took.as_secs_f64() * 1_000.0);
    }
}
