//! The receipt handle: which message was received, and which of its receives it was.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::queue::Queue;
use super::refusal::Refusal;

/// Leads every handle, so that one of another make is told apart.
const VERSION: u8 = 1;
const LENGTH: usize = 1 + 3 * 8 + 16;

/// What a receipt handle says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) queue: i64,
    pub(super) message: i64,
    /// The number of this receive, from 1.
    pub(super) receive: i64,
    /// The message's id: SQLite gives the row number of a deleted message to a later one.
    pub(super) uuid: [u8; 16],
}

impl Receipt {
    pub(super) fn written(&self) -> String {
        let mut bytes = [VERSION; LENGTH];
        bytes[1..9].copy_from_slice(&self.queue.to_be_bytes());
        bytes[9..17].copy_from_slice(&self.message.to_be_bytes());
        bytes[17..25].copy_from_slice(&self.receive.to_be_bytes());
        bytes[25..].copy_from_slice(&self.uuid);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a handle that `queue` gave out.
    pub(super) fn parse(handle: &str, queue: &Queue) -> Result<Self, Refusal> {
        if handle.is_empty() {
            return Err(Refusal::MissingParameter("ReceiptHandle"));
        }
        Self::decode(handle)
            .filter(|receipt| receipt.queue == queue.id)
            .ok_or_else(|| Refusal::ReceiptHandleIsInvalid(handle.to_owned()))
    }

    fn decode(handle: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(handle).ok()?;
        let rest = bytes.strip_prefix(&[VERSION])?;
        let (queue, rest) = rest.split_first_chunk::<8>()?;
        let (message, rest) = rest.split_first_chunk::<8>()?;
        let (receive, rest) = rest.split_first_chunk::<8>()?;
        Some(Self {
            queue: i64::from_be_bytes(*queue),
            message: i64::from_be_bytes(*message),
            receive: i64::from_be_bytes(*receive),
            uuid: rest.try_into().ok()?,
        })
    }
}
