//! The invariants of ARCHITECTURE.md, held against the text of the tree.
//!
//! Cargo and clippy hold most of them as well. This suite holds those that neither can see, and says of each breach the
//! file and the line. It reads files and nothing else.

use std::fs;
use std::path::{Path, PathBuf};

/// What is deployed or runs in `hookport dev`. Tests and benches may do what it may not.
const PRODUCT: [&str; 5] = ["shared/src", "functions", "targets/src", "local/src", "cli/src"];
/// The function crates.
const FUNCTIONS: [&str; 4] = ["dispatcher", "management", "receiver", "sweeper"];
/// The most lines that a file of Rust may have.
const MOST_LINES: usize = 400;
/// The acceptance cases that the tests must name.
const ACCEPTANCE: [&str; 71] = [
    "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13", "A14", "A15", "A16", "A17",
    "A18", "A19", "A20", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9", "B10", "B11", "B12", "B13", "B14",
    "B15", "B16", "B17", "B18", "B19", "B20", "B21", "B22", "B23", "B24", "C1", "C2", "C3", "C4", "C5", "C6", "C7",
    "C8", "C9", "C10", "C12", "D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D12", "D13", "D14", "D15", "D16", "D18",
    "D19", "D20",
];
/// All that a fresh machine with a Rust toolchain and a C compiler needs.
const SET_UP: [&str; 2] = ["cargo run --release -- dev", "cargo test --workspace"];

/// A file of the tree: its path from the root, and its text.
struct File {
    path: String,
    text: String,
}

impl File {
    /// The lines with their numbers.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// The lines with their numbers, but for those that are comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    fn is_below(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the root of the tree").to_owned()
}

/// The files below a folder whose names end in `ending`, in order. What is built is left out.
fn files(folder: &str, ending: &str) -> Vec<File> {
    let mut found = Vec::new();
    collect(&root().join(folder), ending, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "no *{ending} below {folder}: the walk itself is wrong");
    found
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a folder of the tree can be read") {
        let path = entry.expect("an entry of a folder can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", ".git", "node_modules"].contains(&name.as_str()) {
                collect(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            let from_root = path.strip_prefix(root()).expect("the walk stays in the tree");
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            found.push(File { path: from_root.to_string_lossy().into_owned(), text });
        }
    }
}

/// The product's files of Rust, but for those at or below `except`.
fn product_without(except: &str) -> Vec<File> {
    let all = PRODUCT.iter().flat_map(|folder| files(folder, ".rs"));
    all.filter(|file| file.path != except && !file.is_below(except)).collect()
}

/// A line of code without the texts in it.
fn without_texts(line: &str) -> String {
    line.split('"').step_by(2).collect::<Vec<_>>().join(" ")
}

/// The names and words in a line of code.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// The lines of code of which `broken` names what is wrong, each as `path:line: what`.
fn breaches(files: &[File], broken: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (n, line) in file.code() {
            found.extend(broken(line).map(|what| format!("{}:{n}: {what}", file.path)));
        }
    }
    found
}

fn first_of(line: &str, fragments: &[&str]) -> Option<String> {
    fragments.iter().find(|fragment| line.contains(**fragment)).map(|fragment| format!("`{fragment}`"))
}

fn assert_none(breaches: &[String], rule: &str) {
    assert!(breaches.is_empty(), "{rule}:\n{}", breaches.join("\n"));
}

/// The crates that a manifest depends on, with their lines.
fn dependencies(manifest: &File) -> Vec<(usize, &str)> {
    let mut listed = false;
    let mut found = Vec::new();
    for (n, line) in manifest.lines() {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            listed = section.ends_with("dependencies");
            if let Some((_, name)) = section.split_once("dependencies.") {
                found.push((n, name));
            }
        } else if listed && !line.starts_with('#') {
            let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
            if !name.is_empty() {
                found.push((n, name));
            }
        }
    }
    found
}

/// The dependencies of `manifests` that `banned` names, each as `path:line: name`.
fn banned_dependencies(manifests: &[File], banned: impl Fn(&File, &str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for manifest in manifests {
        for (n, name) in dependencies(manifest) {
            if banned(manifest, name) {
                found.push(format!("{}:{n}: `{name}`", manifest.path));
            }
        }
    }
    found
}

#[test]
fn function_crates_never_depend_on_each_other() {
    let mut manifests = files("functions", "Cargo.toml");
    let folders: Vec<&str> = manifests.iter().filter_map(|manifest| manifest.path.split('/').nth(1)).collect();
    assert_eq!(folders, FUNCTIONS, "functions/ holds other crates than this test knows");
    for manifest in &manifests {
        let names = dependencies(manifest);
        assert!(names.iter().any(|(_, name)| *name == "hookport"), "{}: the manifest is not read", manifest.path);
    }
    manifests.extend(files("shared", "Cargo.toml"));
    assert_none(
        &banned_dependencies(&manifests, |_, name| FUNCTIONS.contains(&name)),
        "functions meet in the tables and the queues, and `shared` knows none of them",
    );
}

#[test]
fn the_domain_has_no_async_no_io_and_no_aws_type() {
    let banned = |word: &str| {
        matches!(word, "async" | "await" | "tokio" | "hyper" | "aws" | "TcpStream" | "TcpListener" | "UdpSocket")
            || word.starts_with("aws_")
            || word.starts_with("lambda_")
    };
    let paths = ["std::fs", "std::io", "std::env", "std::process", "std::thread", "std::net::Tcp", "std::net::Udp"];
    let broken = |line: &str| {
        let code = without_texts(line);
        let word = words(&code).find(|word| banned(word)).map(|word| format!("`{word}`"));
        word.or_else(|| first_of(line, &paths))
    };
    assert_none(&breaches(&files("shared/src/domain", ".rs"), broken), "the domain takes values and gives values");
}

#[test]
fn only_shared_src_aws_names_aws_crates() {
    let broken = |line: &str| {
        let word = words(line).find(|word| word.starts_with("aws_") || word.starts_with("lambda_"));
        word.map(|word| format!("`{word}`"))
    };
    let mut others = product_without("shared/src/aws");
    others.retain(|file| !file.is_below("targets/src"));
    assert_none(&breaches(&others, broken), "only shared/src/aws, and targets, speak to AWS crates");
}

#[test]
fn one_file_reads_the_environment() {
    let broken = |line: &str| first_of(line, &["env::var"]);
    let mut others = product_without("shared/src/config.rs");
    // Cargo tells build scripts in variables where to write.
    others.retain(|file| !file.path.ends_with("build.rs"));
    assert_none(&breaches(&others, broken), "add the value to hookport::config");
}

#[test]
fn one_file_reads_the_clock() {
    let broken = |line: &str| first_of(line, &["Timestamp::now", "Zoned::now", "SystemTime::now"]);
    assert_none(&breaches(&product_without("shared/src/clock.rs"), broken), "take `Clock` from `App`");
}

#[test]
fn the_sdks_of_services_are_linked_into_the_dispatcher_alone_and_only_where_it_is_asked_to() {
    let manifests: Vec<File> = files("", "Cargo.toml").into_iter().filter(|f| f.path != "Cargo.toml").collect();
    let banned = |file: &File, name: &str| name == "targets" && file.path != "functions/dispatcher/Cargo.toml";
    assert_none(&banned_dependencies(&manifests, banned), "they are of no use to the others");
    let dispatcher = manifests.iter().find(|file| file.path == "functions/dispatcher/Cargo.toml").expect("it is there");
    assert!(dispatcher.text.contains("targets = { workspace = true, optional = true }"), "behind its feature");
}

#[test]
fn nothing_in_the_product_sleeps() {
    let broken = |line: &str| first_of(line, &["time::sleep", "thread::sleep", "sleep(", "sleep_until("]);
    // The clock alone waits, for callers who asked to wait for an answer.
    assert_none(&breaches(&product_without("shared/src/clock.rs"), broken), "give the work a due time instead");
}

#[test]
fn the_embedded_cloud_is_in_no_lambda_binary() {
    let manifests: Vec<File> = files("", "Cargo.toml").into_iter().filter(|f| f.path != "Cargo.toml").collect();
    let is_engine = |name: &str| ["dynoxide-rs", "rusqlite", "libsqlite3-sys"].contains(&name);
    let may_use_local = |file: &File| ["cli/Cargo.toml", "tests/Cargo.toml"].contains(&file.path.as_str());
    let banned = |file: &File, name: &str| {
        (is_engine(name) && !file.is_below("local")) || (name == "hookport-local" && !may_use_local(file))
    };
    let mut found = banned_dependencies(&manifests, banned);
    let broken = |line: &str| {
        let word = words(line).find(|word| matches!(*word, "dynoxide" | "rusqlite" | "hookport_local"));
        word.map(|word| format!("`{word}`"))
    };
    let deployed = ["shared/src", "functions"].iter().flat_map(|folder| files(folder, ".rs")).collect::<Vec<_>>();
    found.extend(breaches(&deployed, broken));
    assert_none(&found, "the stand-ins are linked by `local` and what is built on it alone");
}

#[test]
fn no_file_of_rust_has_more_than_400_lines() {
    let mut found = Vec::new();
    for file in files("", ".rs") {
        let lines = file.text.lines().count();
        if lines > MOST_LINES {
            found.push(format!("{}:{}: {lines} lines", file.path, MOST_LINES + 1));
        }
    }
    assert_none(&found, "one noun a file");
}

#[test]
fn no_lint_is_allowed_without_a_reason() {
    // In two parts, so that this line is no breach itself.
    let pattern = concat!("[", "allow(");
    let broken = |line: &str| line.contains(pattern).then(|| "use #[expect(lint, reason = \"…\")]".to_owned());
    assert_none(&breaches(&files("", ".rs"), broken), "a lint is expected with a reason, never allowed");
}

/// What each test of a file says of itself: its doc comment and its name.
fn tests_of(file: &File) -> Vec<String> {
    let mut found = Vec::new();
    let (mut said, mut is_test) = (String::new(), false);
    for line in file.text.lines().map(str::trim) {
        if line.starts_with("///") || line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            said.push_str(line);
            said.push('\n');
        } else {
            let said = std::mem::take(&mut said);
            if std::mem::take(&mut is_test) {
                found.push(said + line);
            }
        }
    }
    found
}

#[test]
fn every_acceptance_case_is_named_by_a_test() {
    let said: Vec<String> = files("", ".rs").iter().flat_map(tests_of).collect();
    let is_named = |id: &str| {
        let in_a_name = id.to_lowercase();
        said.iter().any(|said| words(said).any(|word| word == id || word.split('_').any(|part| part == in_a_name)))
    };
    let missing: Vec<&str> = ACCEPTANCE.into_iter().filter(|id| !is_named(id)).collect();
    assert!(missing.is_empty(), "no test names {missing:?}, neither as `c2_…` nor as `C2` in its doc comment");
}

#[test]
fn the_readme_sets_up_with_two_commands() {
    let readme = files("", "README.md").into_iter().find(|file| file.path == "README.md");
    let readme = readme.expect("the tree has a README.md");
    let section = readme.text.split("\n## ").find(|section| section.starts_with("Set up\n"));
    let section = section.expect("README.md has a section `## Set up`");
    let mut fence = section.split("```");
    let block = fence.nth(1).expect("`## Set up` in README.md has a block of commands");
    let commands: Vec<&str> = block.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(commands, SET_UP, "README.md, `## Set up`");
}

/// The targets of the links in a line of Markdown.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next())
}

#[test]
fn every_link_to_a_local_file_leads_to_one() {
    let mut found = Vec::new();
    let mut followed = 0;
    for file in files("", ".md") {
        let folder = root().join(&file.path).parent().expect("a file lies in a folder").to_owned();
        let mut is_fenced = false;
        for (n, line) in file.lines() {
            if line.trim_start().starts_with("```") {
                is_fenced = !is_fenced;
            }
            if is_fenced {
                continue;
            }
            for link in links(line) {
                let path = link.split('#').next().unwrap_or_default();
                if path.is_empty() || link.contains("://") || link.starts_with("mailto:") {
                    continue;
                }
                followed += 1;
                if !folder.join(path).exists() {
                    found.push(format!("{}:{n}: {link}", file.path));
                }
            }
        }
    }
    assert!(followed > 10, "only {followed} links were followed: the reading of Markdown is wrong");
    assert_none(&found, "a link to a file of the tree leads nowhere");
}
