//! The compressed form of a request: its head and its body in one value.
//!
//! `length of the whole (u32) ‖ zstd( length of the head (u32) ‖ head as JSON ‖ body )`, numbers little-endian. One
//! kilobyte of JSON with its headers then fits one write unit.

use std::cell::RefCell;

use bytes::Bytes;

use crate::aws::table::TableError;
use crate::domain::inbound_delivery::RequestHead;

/// The largest request that is kept, head and body: the deployment's cap on bodies and room for headers.
const MAX_RAW_BYTES: usize = 4 * 1024 * 1024 + 256 * 1024;
const LEVEL: i32 = 1;

thread_local! {
    // Setting these up costs more than a small body; each thread keeps one of each.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

fn compress(raw: &[u8]) -> std::io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(zstd::bulk::Compressor::new(LEVEL)?),
        };
        compressor.compress(raw)
    })
}

fn decompress(compressed: &[u8], length: usize) -> std::io::Result<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(zstd::bulk::Decompressor::new()?),
        };
        decompressor.decompress(compressed, length)
    })
}

pub(super) fn pack(head: &RequestHead, body: &[u8]) -> Result<Bytes, TableError> {
    let corrupt = |e: std::io::Error| TableError::Corrupt(e.into());
    let mut raw = vec![0; 4];
    serde_json::to_writer(&mut raw, head).map_err(|e| TableError::Corrupt(e.into()))?;
    let head_len = u32::try_from(raw.len() - 4).map_err(|e| TableError::Corrupt(e.into()))?;
    raw[..4].copy_from_slice(&head_len.to_le_bytes());
    raw.extend_from_slice(body);
    let whole = u32::try_from(raw.len()).map_err(|e| TableError::Corrupt(e.into()))?;
    let compressed = compress(&raw).map_err(corrupt)?;
    let mut blob = Vec::with_capacity(4 + compressed.len());
    blob.extend_from_slice(&whole.to_le_bytes());
    blob.extend_from_slice(&compressed);
    Ok(blob.into())
}

pub(super) fn unpack(blob: &[u8]) -> Result<(RequestHead, Bytes), TableError> {
    let broken = || TableError::Corrupt("the stored request is cut or changed".into());
    let (length, compressed) = blob.split_first_chunk::<4>().ok_or_else(broken)?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_RAW_BYTES {
        return Err(broken());
    }
    let raw = decompress(compressed, length).map_err(|e| TableError::Corrupt(e.into()))?;
    let (head_len, rest) = raw.split_first_chunk::<4>().ok_or_else(broken)?;
    let head_len = u32::from_le_bytes(*head_len) as usize;
    let head = rest.get(..head_len).ok_or_else(broken)?;
    let head = serde_json::from_slice(head).map_err(|e| TableError::Corrupt(e.into()))?;
    Ok((head, Bytes::from(raw).slice(4 + head_len..)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head() -> RequestHead {
        RequestHead {
            verified: false,
            facts: None,
            method: "POST".into(),
            path: "/api/inbound/acme/github".into(),
            source_ip: Some("192.0.2.1".into()),
            headers: vec![("content-type".into(), "application/json".into())],
        }
    }

    #[test]
    fn a_request_comes_back_byte_for_byte() {
        let bodies = [Vec::new(), b"{}".to_vec(), vec![0xff, 0x00, 0xfe], vec![b'x'; 4 * 1024 * 1024]];
        for body in bodies {
            let blob = pack(&head(), &body).expect("packed");
            assert_eq!(unpack(&blob).expect("unpacked"), (head(), Bytes::from(body)));
        }
    }

    #[test]
    fn a_cut_or_lying_blob_is_an_error_and_no_panic() {
        let blob = pack(&head(), b"body").expect("packed");
        for cut in 0..blob.len() {
            assert!(unpack(&blob[..cut]).is_err(), "cut at {cut}");
        }
        let mut huge = blob.to_vec();
        huge[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(unpack(&huge).is_err());
    }
}
