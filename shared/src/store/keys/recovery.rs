//! The keys of what sends events again and in order: lanes, replays, issues, bookmarks, schedules.
