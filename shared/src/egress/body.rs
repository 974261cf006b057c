//! The bodies of answers, of which only a beginning is kept.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};

/// An answer that declares more than this is not read at all.
const MAX_DECLARED_BYTES: u64 = 1024 * 1024;

/// Reads a body up to `cap` bytes and tells whether there was more.
///
/// What is kept is copied, at most `cap` bytes, so that it does not hold on to the connection's whole read buffer. What
/// is not read ends the connection, because the body is dropped.
pub(super) async fn beginning(mut body: Incoming, cap: usize) -> Result<(Bytes, bool), hyper::Error> {
    let declared = body.size_hint().lower();
    if declared > MAX_DECLARED_BYTES {
        return Ok((Bytes::new(), true));
    }
    let mut kept = Vec::with_capacity(usize::try_from(declared).map_or(cap, |bytes| bytes.min(cap)));
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue; // Trailers.
        };
        let room = cap - kept.len();
        if data.len() > room {
            kept.extend_from_slice(&data[..room]);
            return Ok((kept.into(), true));
        }
        kept.extend_from_slice(&data);
    }
    Ok((kept.into(), false))
}
