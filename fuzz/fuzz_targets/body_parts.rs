//! Parts of a body, put together, are the body.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // A few bytes stand for lengths of up to 16 MiB.
    let length = data.iter().take(3).fold(0usize, |sum, b| sum << 8 | usize::from(*b));
    let body = vec![0u8; length];
    let whole: usize = hookport::store::cuts(length).map(|range| body[range].len()).sum();
    assert_eq!(whole, length);
});
