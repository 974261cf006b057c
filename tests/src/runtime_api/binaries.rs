//! The programs that get deployed, built by the test that runs them.

use std::env::{self, consts::EXE_SUFFIX};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Where the functions' programs are.
#[derive(Clone, Debug)]
pub struct Binaries {
    /// Takes senders' requests.
    pub receiver: PathBuf,
    /// The admin API.
    pub management: PathBuf,
    /// Works the queues.
    pub dispatcher: PathBuf,
    /// Works at each tick.
    pub sweeper: PathBuf,
}

static BUILT: OnceLock<Binaries> = OnceLock::new();

/// Builds the functions as this test was built, once for each test program, and tells where they are.
///
/// Cargo builds no programs of other packages for a test, so the test asks it to. Where nothing has changed, that takes
/// a moment.
///
/// # Panics
/// When they cannot be built; the panic says what cargo said.
pub fn binaries() -> &'static Binaries {
    BUILT.get_or_init(build)
}

fn build() -> Binaries {
    let test = env::current_exe().expect("a running program has a path");
    let place = profile_folder(&test);
    let target = place.parent().expect("a profile's folder is in the target folder");
    let mut cargo = Command::new(option_env!("CARGO").unwrap_or("cargo"));
    cargo.args(["build", "--locked", "--offline", "--bins"]);
    cargo.args(["-p", "receiver", "-p", "management", "-p", "dispatcher", "-p", "sweeper"]);
    cargo.arg("--target-dir").arg(target);
    match place.file_name().and_then(OsStr::to_str) {
        // The folder of the profile `dev`, and of `test`.
        Some("debug") => {}
        Some(profile) => {
            cargo.args(["--profile", profile]);
        }
        None => panic!("{} is no folder of a profile", place.display()),
    }
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    let built = cargo.output().expect("cargo can be run");
    assert!(built.status.success(), "cargo said:\n{}", String::from_utf8_lossy(&built.stderr));
    let program = |name: &str| place.join(format!("{name}{EXE_SUFFIX}"));
    Binaries {
        receiver: program("receiver"),
        management: program("management"),
        dispatcher: program("dispatcher"),
        sweeper: program("sweeper"),
    }
}

/// `target/debug` or its like, for a test at `target/debug/deps/name-hash`.
fn profile_folder(test: &Path) -> &Path {
    let folder = test.parent().expect("a program is in a folder");
    if folder.ends_with("deps") { folder.parent().expect("deps is in the profile's folder") } else { folder }
}
