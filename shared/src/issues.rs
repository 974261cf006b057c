//! Counts failures towards their issues, and opens those that are not open.
//!
//! Counting is one write. It comes after the attempts were recorded, so whoever dies in between leaves them uncounted,
//! and a write whose answer was lost may count them twice: the numbers say how bad it is, and the deliveries are exact.

use jiff::SignedDuration;
use tracing::{info, warn};

use crate::app::App;
use crate::aws::table::TableError;
use crate::domain::delivery::OwnerToken;
use crate::domain::issue::{FIRST_LOOK, Failures, ISSUE_DAYS};
use crate::domain::task::Task;
use crate::domain::time::later;

/// For how long an issue is put on its list: for so long that it has to be renewed once in a lifetime.
pub const LISTED: SignedDuration = SignedDuration::from_hours(2 * 24 * ISSUE_DAYS);
/// How often it is tried while others open and resolve the issue.
const TRIES: u32 = 3;

/// Counts failures towards their issue.
///
/// # Errors
/// When the table cannot be reached.
pub async fn count(app: &App, failures: &Failures) -> Result<(), TableError> {
    let Failures { tenant, subscription_id, cause, .. } = failures;
    let opener = OwnerToken::new(app.random.bits());
    for _ in 0..TRIES {
        if app.store.count_issue(failures).await? {
            return Ok(());
        }
        // What finds it and what looks after it come first: nobody would come back for them.
        let now = app.clock.now();
        let until = later(now, LISTED);
        app.store.list_issue(tenant, *subscription_id, cause, until).await?;
        app.store.ask_task(tenant, &Task::Issue(failures.issue_id()), later(now, FIRST_LOOK)).await?;
        if app.store.open_issue(failures, opener, until).await? {
            info!(
                %tenant,
                issue.id = %failures.issue_id(),
                subscription.id = %subscription_id,
                %cause,
                "issue.opened"
            );
            return Ok(());
        }
    }
    warn!(%tenant, subscription.id = %subscription_id, %cause, "issue.contended");
    Ok(())
}
