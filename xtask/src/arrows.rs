//! The house keeps its shape: which crate may depend on which, which module may use which, no rooms for odds and ends,
//! no file that has outgrown its reason. docs/architecture.md draws what the tables here say.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, Result};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::Problems;
use crate::paths::{files_below, read, shown};
use crate::tokens::{Token, Use, reexports, tokens, uses};

/// Crate -> crates of this workspace that it may depend on, as dependency, dev-dependency or build-dependency.
const CRATES: &[(&str, &[&str])] = &[
    ("openim-node", &["openim-core", "openim-classic", "openim-tim", "openim-devserver", "openim-log"]),
    ("openim-classic", &["openim-core", "openim-proto"]),
    ("openim-tim", &["openim-core", "openim-proto"]),
    ("openim-core", &["openim-proto"]),
    ("openim-devserver", &["openim-proto"]), // never core: it is the second opinion on the protocol
    ("openim-log", &[]),                     // takes what any crate traces; the host installs it
    ("openim-proto", &[]),
    ("xtask", &[]),
];

/// A floor of a crate: its modules and the floors below that they may use. Modules of one floor that is not
/// `closed` may use each other; every module may use itself.
struct Floor {
    name: &'static str,
    /// Empty: every module that no other floor names.
    modules: &'static [&'static str],
    uses: &'static [&'static str],
    closed: bool,
}

/// Crate folder -> its floors, top first. Crates without an entry have no floors.
const FLOORS: &[(&str, &[Floor])] = &[
    (
        "crates/openim-core",
        &[
            Floor { name: "nouns", modules: &[], uses: &["sync", "net", "store", "leaves"], closed: false },
            Floor { name: "sync", modules: &["sync"], uses: &["store", "leaves"], closed: true },
            Floor { name: "net", modules: &["net"], uses: &["leaves"], closed: true },
            Floor { name: "store", modules: &["store"], uses: &["leaves"], closed: true },
            Floor {
                name: "leaves",
                modules: &[
                    "model",
                    "error",
                    "event",
                    "ascii_json",
                    "change",
                    "clock",
                    "config",
                    "sensitive",
                    "scope",
                    "pool",
                ],
                uses: &[],
                closed: false,
            },
        ],
    ),
    (
        "crates/openim-devserver",
        &[
            Floor { name: "host", modules: &[], uses: &["doors", "domain", "store", "leaves"], closed: false },
            Floor {
                name: "doors",
                modules: &["api", "gateway", "account", "signaling"],
                uses: &["domain", "leaves"],
                closed: false,
            },
            Floor { name: "domain", modules: &["domain"], uses: &["store", "leaves"], closed: true },
            Floor { name: "store", modules: &["store"], uses: &["leaves"], closed: true },
            Floor {
                name: "leaves",
                modules: &["config", "error", "environment", "clock", "faults"],
                uses: &[],
                closed: false,
            },
        ],
    ),
];

/// Words that say nothing about what is inside.
const NAMELESS: &[&str] = &["util", "utils", "helper", "helpers", "common", "manager", "misc"];

/// A file has one reason to be opened.
const LINES: usize = 500;

/// Written by `cargo xtask gen`: as long as it must be.
const GENERATED: &[&str] = &["js/types.d.ts"];

/// All checks.
pub(crate) fn check(root: &Path) -> Result<Problems> {
    let mut problems = crate_problems(&metadata(root)?);
    for (folder, floors) in FLOORS {
        let source = root.join(folder).join("src");
        let files = files_below(&source)?;
        let house = House::new(floors, &read(&source.join("lib.rs"))?, files.iter().map(|path| shown(&source, path)));
        for path in files.iter().filter(|path| path.extension().is_some_and(|ext| ext == "rs")) {
            let module = path.strip_prefix(&source).unwrap_or(path);
            let file = File { shown: shown(root, path), module: &shown(Path::new(""), module), text: &read(path)? };
            problems.extend(house.problems(&file));
        }
    }
    for folder in source_folders(root)? {
        for path in files_below(&folder)? {
            let name = shown(root, &path);
            let inside = shown(&folder, &path);
            let text = std::fs::read(&path)?;
            problems.extend(file_problems(&name, &inside, &String::from_utf8_lossy(&text)));
        }
    }
    Ok(problems)
}

fn source_folders(root: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut folders = vec![root.join("src"), root.join("js"), root.join("xtask/src")];
    for entry in std::fs::read_dir(root.join("crates"))? {
        folders.push(entry?.path().join("src"));
    }
    folders.sort();
    Ok(folders)
}

fn metadata(root: &Path) -> Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output =
        Command::new(cargo).current_dir(root).args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    if !output.status.success() {
        return Err(Error::other(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim())));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn crate_problems(metadata: &Value) -> Problems {
    let empty = Vec::new();
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).unwrap_or(&empty).clone();
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let packages = list(metadata, "packages");
    let names: Vec<String> = packages.iter().map(|package| text(package, "name")).collect();
    let mut problems = Vec::new();
    for package in &packages {
        let (name, manifest) = (text(package, "name"), text(package, "manifest_path"));
        let Some((_, allowed)) = CRATES.iter().find(|(known, _)| *known == name) else {
            problems.push(format!("{manifest}:1: crate `{name}` has no row in the table of xtask/src/arrows.rs"));
            continue;
        };
        for dependency in list(package, "dependencies").iter().map(|dependency| text(dependency, "name")) {
            if names.contains(&dependency) && !allowed.contains(&dependency.as_str()) {
                problems.push(format!("{manifest}:1: `{name}` must not depend on `{dependency}`"));
            }
        }
    }
    problems
}

/// One source file of a crate with floors.
struct File<'a> {
    /// Path for messages.
    shown: String,
    /// Path below `src/`.
    module: &'a str,
    text: &'a str,
}

impl File<'_> {
    /// How far the file's module is below the crate root.
    fn depth(&self) -> usize {
        self.module.split('/').filter(|part| *part != "mod.rs").count()
    }
}

/// A crate with floors.
struct House<'a> {
    floors: &'a [Floor],
    /// Modules below the root.
    modules: BTreeSet<String>,
    /// Name that the root re-exports -> module that it comes from.
    reexports: BTreeMap<String, String>,
}

impl<'a> House<'a> {
    /// `files`: paths below `src/`.
    fn new(floors: &'a [Floor], lib: &str, files: impl Iterator<Item = String>) -> Self {
        let mut modules: BTreeSet<String> = declared_modules(lib).into_iter().collect();
        modules.extend(files.filter_map(|file| top_module(&file).map(str::to_owned)));
        Self { floors, modules, reexports: reexports(lib).into_iter().collect() }
    }

    fn floor_of(&self, module: &str) -> Option<&Floor> {
        let rest = || self.floors.iter().find(|floor| floor.modules.is_empty());
        self.floors.iter().find(|floor| floor.modules.contains(&module)).or_else(rest)
    }

    fn problems(&self, file: &File<'_>) -> Problems {
        let Some(from) = top_module(file.module) else { return Vec::new() };
        let mut problems = Vec::new();
        for Use { line, name } in uses(file.text, file.depth()) {
            let place = format!("{}:{line}", file.shown);
            if name == "*" {
                problems.push(format!("{place}: `crate::*` hides what is used: name it"));
                continue;
            }
            // an item of lib.rs itself belongs to the top floor, as lib.rs does
            let to = if self.modules.contains(&name) { Some(&name) } else { self.reexports.get(&name) };
            let shown = to.map_or_else(|| format!("{name} of lib.rs"), String::clone);
            let to = to.map_or("lib", String::as_str);
            let (Some(here), Some(there)) = (self.floor_of(from), self.floor_of(to)) else { continue };
            let same_floor = here.name == there.name && !here.closed;
            if from != to && !same_floor && !here.uses.contains(&there.name) {
                problems.push(format!("{place}: `{from}` ({}) must not use `{shown}` ({})", here.name, there.name));
            }
        }
        problems
    }
}

/// The top module that a file below `src/` belongs to; `None` for `lib.rs`, which may name everything.
fn top_module(file: &str) -> Option<&str> {
    let first = file.split('/').next().unwrap_or_default();
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (name != "lib").then_some(name)
}

/// The modules that `lib.rs` declares.
fn declared_modules(lib: &str) -> Vec<String> {
    let tokens = tokens(lib);
    let is_mod = |token: &Token| *token == Token::Word("mod".to_owned());
    tokens
        .iter()
        .zip(tokens.iter().skip(1))
        .filter_map(|((_, first), (_, second))| match second {
            Token::Word(name) if is_mod(first) => Some(name.clone()),
            _ => None,
        })
        .collect()
}

/// Names and size of a file; `inside` is its path in its source folder.
fn file_problems(name: &str, inside: &str, text: &str) -> Problems {
    let mut problems = Vec::new();
    for part in inside.split(['/', '.', '_', '-']).filter(|part| NAMELESS.contains(part)) {
        problems.push(format!("{name}:1: `{part}` names nothing: call it after what is inside"));
    }
    let lines = text.lines().count();
    if lines > LINES && !GENERATED.contains(&name) {
        problems.push(format!("{name}:{lines}: more than {LINES} lines: split it"));
    }
    if inside.ends_with(".rs") {
        for inline in declared_modules(text).iter().filter(|inline| NAMELESS.contains(&inline.as_str())) {
            problems.push(format!("{name}:1: module `{inline}` names nothing: call it after what is inside"));
        }
    }
    problems
}

#[cfg(test)]
#[path = "arrows_tests.rs"]
mod tests;
