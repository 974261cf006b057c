//! Tasks: work that falls due at a time and that the dispatcher does, one worker at a time.
//!
//! A task names what is to be done; what there is to do is decided from the thing itself, whenever somebody comes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::{IssueId, ReplayId, ScheduleId, SubscriptionId};
use super::ordering::LaneKey;

/// Work that falls due at a time. Its text is part of keys and messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Task {
    /// Look after a subscription: its challenge, what was kept for it, its end.
    Upkeep(SubscriptionId),
    /// Send what stands in a lane of a subscription whose deliveries keep an order.
    Lane(SubscriptionId, LaneKey),
    /// Go on with a replay.
    Replay(ReplayId),
    /// Publish the events of a schedule whose times have come.
    Schedule(ScheduleId),
    /// See whether an issue is over.
    Issue(IssueId),
}

/// A text that names no task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a task")]
pub struct TaskError;

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upkeep(id) => write!(f, "upkeep/{}", id.suffix()),
            Self::Lane(id, lane) => write!(f, "lane/{}/{lane}", id.suffix()),
            Self::Replay(id) => write!(f, "replay/{}", id.suffix()),
            Self::Schedule(id) => write!(f, "schedule/{}", id.suffix()),
            Self::Issue(id) => write!(f, "issue/{}", id.suffix()),
        }
    }
}

impl FromStr for Task {
    type Err = TaskError;

    fn from_str(text: &str) -> Result<Self, TaskError> {
        let (kind, rest) = text.split_once('/').ok_or(TaskError)?;
        let task = match kind {
            "upkeep" => SubscriptionId::from_suffix(rest).map(Self::Upkeep),
            "lane" => {
                let (id, lane) = rest.split_once('/').ok_or(TaskError)?;
                let lane = lane.parse().map_err(|_| TaskError)?;
                SubscriptionId::from_suffix(id).map(|id| Self::Lane(id, lane))
            }
            "replay" => ReplayId::from_suffix(rest).map(Self::Replay),
            "schedule" => ScheduleId::from_suffix(rest).map(Self::Schedule),
            "issue" => IssueId::from_suffix(rest).map(Self::Issue),
            _ => return Err(TaskError),
        };
        task.map_err(|_| TaskError)
    }
}

impl TryFrom<String> for Task {
    type Error = TaskError;

    fn try_from(text: String) -> Result<Self, TaskError> {
        text.parse()
    }
}

impl From<Task> for String {
    fn from(task: Task) -> Self {
        task.to_string()
    }
}

impl Task {
    /// 16 bytes that tell it from others well enough to spread tasks by the last one.
    #[must_use]
    pub fn spread(&self) -> [u8; 16] {
        match self {
            Self::Upkeep(id) => id.to_bytes(),
            // Lanes of many subscriptions have one name.
            Self::Lane(id, lane) => {
                (u128::from_be_bytes(id.to_bytes()) ^ u128::from_be_bytes(lane.to_bytes())).to_be_bytes()
            }
            Self::Replay(id) => id.to_bytes(),
            Self::Schedule(id) => id.to_bytes(),
            Self::Issue(id) => id.to_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn every_task_reads_back_from_its_text() {
        let subscription = SubscriptionId::new(Timestamp::UNIX_EPOCH, 6);
        let tasks = [
            Task::Upkeep(subscription),
            Task::Lane(subscription, LaneKey::of("customer/7")),
            Task::Replay(ReplayId::new(Timestamp::UNIX_EPOCH, 7)),
            Task::Schedule(ScheduleId::new(Timestamp::UNIX_EPOCH, 8)),
            Task::Issue(IssueId::derive(subscription, "timeout")),
        ];
        for task in tasks {
            assert_eq!(task.to_string().parse(), Ok(task));
        }
        for text in ["", "upkeep", "upkeep/", "lane/x", "other/01m5w3rm008000000400000003"] {
            assert_eq!(text.parse::<Task>(), Err(TaskError), "{text}");
        }
    }
}
