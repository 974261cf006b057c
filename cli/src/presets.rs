//! `hookport presets`: the providers that are known by name, for people.

use std::io::Write as _;

use hookport::scheme::catalogue::presets;
use hookport::scheme::preset::{GivenBy, Preset, SecretInfo, SettingInfo};

/// The most names that are proposed for one that nothing has.
const MOST_PROPOSED: usize = 5;

/// What `hookport presets` takes.
#[derive(clap::Args)]
pub struct Args {
    /// One preset: what to paste where, its secret, its settings and its events.
    #[arg(value_parser = find)]
    name: Option<&'static Preset>,
    /// Print whole rows as JSON, one a line.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<()> {
    let page = match (args.name, args.json) {
        (None, false) => table(),
        (Some(preset), false) => page(preset),
        (None, true) => lines(presets())?,
        (Some(preset), true) => lines(std::slice::from_ref(preset))?,
    };
    anstream::stdout().lock().write_all(page.as_bytes())?;
    Ok(())
}

/// The built-in preset with this name, which may be written as in its event types: `docker_hub`.
///
/// # Errors
/// When there is none; the text proposes others.
pub fn find(name: &str) -> Result<&'static Preset, String> {
    let is_it = |preset: &&Preset| preset.name.as_str() == name || preset.name.noun() == name;
    presets().iter().find(is_it).ok_or_else(|| match nearest(name).as_slice() {
        [] => format!("no preset is called {name:?}; `hookport presets` lists all"),
        near => format!("no preset is called {name:?}; the nearest are {}", near.join(", ")),
    })
}

/// The names of the samples of a preset, as `hookport send` takes them.
pub fn samples(preset: &Preset) -> String {
    let names = preset.samples.keys().map(|event| format!("{}.{event}", preset.name));
    names.collect::<Vec<_>>().join(", ")
}

/// The names that are most like one that nothing has.
fn nearest(name: &str) -> Vec<&'static str> {
    let far = name.chars().count() / 3 + 1;
    let mut near: Vec<_> = presets()
        .iter()
        .map(|preset| preset.name.as_str())
        .filter_map(|known| {
            // Of several rows for one provider, people know the provider's name.
            let holds = (name.len() > 1 && known.contains(name)) || (known.len() > 2 && name.contains(known));
            let distance = distance(name, known);
            (holds || distance <= far).then_some((!holds, distance, known))
        })
        .collect();
    near.sort_unstable();
    near.into_iter().take(MOST_PROPOSED).map(|(_, _, known)| known).collect()
}

/// How many characters must be put in, taken out or replaced to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, from) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The longest text of its kind, in characters.
fn width(of: fn(&Preset) -> &str) -> usize {
    presets().iter().map(|preset| of(preset).chars().count()).max().unwrap_or_default()
}

/// A line for each preset: name, label, samples.
fn table() -> String {
    let (names, labels) = (width(|row| row.name.as_str()), width(|row| row.label.as_str()));
    let mut table = String::new();
    for preset in presets() {
        let events = preset.samples.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let line = format!("{:names$}  {:labels$}  {events}", preset.name.as_str(), preset.label);
        table.push_str(line.trim_end());
        table.push('\n');
    }
    table
}

/// Whole rows, one a line.
fn lines(rows: &[Preset]) -> serde_json::Result<String> {
    let mut lines = String::new();
    for row in rows {
        lines.push_str(&serde_json::to_string(row)?);
        lines.push('\n');
    }
    Ok(lines)
}

/// All that an admin needs to know of a preset.
fn page(preset: &Preset) -> String {
    let mut page = format!("{} ({})\n\n{}\n\n", preset.label, preset.name, preset.setup);
    let mut line = |name: &str, text: &str| page.push_str(&format!("{name:<8}  {text}\n"));
    match &preset.secret {
        Some(info) => line("secret", &secret(info, preset.learns_secret())),
        None if preset.verify.has_secret() => line("secret", "needed"),
        None => line("secret", "none: a certificate of the provider proves its requests"),
    }
    for (name, info) in &preset.settings {
        line("setting", &setting(name, info));
    }
    if preset.verify.signs_url() {
        line("setting", "public_url: the URL that is signed, where it is not the gateway's own; may be left out");
    }
    if !preset.events.known.is_empty() {
        line("events", &preset.events.known.join(", "));
    }
    if !preset.samples.is_empty() {
        line("samples", &samples(preset));
    }
    line("docs", preset.docs.as_deref().unwrap_or(&preset.source));
    page
}

fn secret(info: &SecretInfo, is_learned: bool) -> String {
    let from = match info.given_by {
        _ if is_learned => "comes with the provider's first request",
        GivenBy::Gateway => "chosen by you or made by the gateway",
        GivenBy::Provider => "shown by the provider",
    };
    format!("{}{}; {from}", info.label, example(info.example.as_deref()))
}

fn setting(name: &str, info: &SettingInfo) -> String {
    let optional = if info.optional { "; may be left out" } else { "" };
    let secret = if info.secret { "; not shown again" } else { "" };
    format!("{name}: {}{}{optional}{secret}", info.label, example(info.example.as_deref()))
}

fn example(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!(", such as {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_counts_the_characters_that_differ() {
        for (one, other, expected) in
            [("", "", 0), ("", "box", 3), ("githb", "github", 1), ("gitlab", "github", 2), ("stirpe", "stripe", 2)]
        {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn a_name_that_nothing_has_brings_those_that_are_like_it() {
        assert_eq!(nearest("githb").first(), Some(&"github"));
        assert_eq!(nearest("hubspot"), ["hubspot-v1", "hubspot-v2", "hubspot-v3"]);
        let said = find("qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq").expect_err("nothing is called so");
        assert!(said.ends_with("`hookport presets` lists all"), "{said}");
    }

    #[test]
    fn a_name_may_be_the_first_word_of_its_event_types() {
        let preset = find("docker_hub").expect("a preset");
        assert_eq!(preset.name.as_str(), "docker-hub");
    }

    #[test]
    fn every_preset_has_a_line_and_a_page() {
        let table = table();
        assert_eq!(table.lines().count(), presets().len());
        for preset in presets() {
            let page = page(preset);
            assert!(page.starts_with(&format!("{} ({})\n\n", preset.label, preset.name)), "{page}");
            assert!(page.contains("\nsecret    ") && page.contains("\ndocs      https://"), "{page}");
            for name in preset.settings.keys() {
                assert!(page.contains(&format!("\nsetting   {name}: ")), "{page}");
            }
        }
    }
}
