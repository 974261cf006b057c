//! Packs the OpenAPI document, which the program serves.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

/// The document in its place.
const DOCUMENT: &str = "../../docs/openapi.json";
/// It is packed once and sent seldom.
const LEVEL: i32 = 19;

#[expect(clippy::disallowed_methods, reason = "cargo tells build scripts in a variable where to write")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={DOCUMENT}");
    println!("cargo:rerun-if-changed=build.rs");
    let document = fs::read_to_string(DOCUMENT)?;
    let packed = zstd::bulk::compress(document.as_bytes(), LEVEL)?;
    let place = Path::new(&env::var("OUT_DIR")?).join("openapi.json.zst");
    fs::write(place, packed)?;
    Ok(())
}
