//! Templates: subscriptions for well-known receivers, of which only the URL and the events are left to say.

use super::name::DialectName;
use super::proof::ProofStyle;
use crate::domain::host_pattern::HostPattern;

/// A subscription for a well-known receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name.
    pub id: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// What it does, and where its URL comes from.
    pub description: &'static str,
    /// The dialect of its subscriptions.
    pub dialect: &'static str,
    /// The hosts of its URLs. They hand out URLs that nobody can guess, so that having one is the proof.
    pub hosts: &'static [&'static str],
}

/// Every template.
pub const TEMPLATES: [Template; 3] = [
    Template {
        id: "slack",
        name: "Slack",
        description: "A line in a Slack channel for each event. The URL is that of an incoming webhook: in Slack, an \
                      app's Incoming Webhooks, Add New Webhook to Workspace.",
        dialect: "slack",
        hosts: &["hooks.slack.com", "hooks.slack-gov.com"],
    },
    Template {
        id: "teams",
        name: "Microsoft Teams",
        description: "A card in a Teams channel for each event. The URL is that of a workflow: in Teams, the channel's \
                      Workflows, Post to a channel when a webhook request is received.",
        dialect: "teams",
        hosts: &[
            "*.webhook.office.com",
            "*.logic.azure.com",
            "*.environment.api.powerplatform.com",
            "*.powerautomate.com",
        ],
    },
    Template {
        id: "discord",
        name: "Discord",
        description: "A message in a Discord channel for each event. The URL is that of a webhook: in Discord, the \
                      channel's Integrations, Webhooks, Copy Webhook URL.",
        dialect: "discord",
        hosts: &["discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"],
    },
];

/// The template with this name.
#[must_use]
pub fn template(id: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.id == id)
}

impl Template {
    /// Tells whether a host is one of those that its URLs have.
    ///
    /// # Panics
    /// Never: the patterns are well formed.
    #[must_use]
    pub fn takes(&self, host: &str) -> bool {
        let matches = |pattern: &&str| {
            HostPattern::try_from((*pattern).to_owned()).expect("the patterns are well formed").matches(host)
        };
        self.hosts.iter().any(matches)
    }
}

/// Tells whether a target may prove itself in this way: saying hello is enough only where the dialect and the host are
/// those of a template.
#[must_use]
pub fn may_prove(style: ProofStyle, dialect: &DialectName, host: &str) -> bool {
    style != ProofStyle::Message
        || TEMPLATES.iter().any(|template| template.dialect == dialect.as_str() && template.takes(host))
}
