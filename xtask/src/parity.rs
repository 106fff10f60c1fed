//! `xtask/parity.tsv` lists every function and callback that OpenIM's SDKs have, with ours beside it. From it comes
//! docs/parity.md, and with it the claim "done" is compared with the sources.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Error, Result};
use std::path::Path;

use crate::Problems;
use crate::paths::{files_below, read, shown};

pub(crate) const TABLE: &str = "xtask/parity.tsv";
const PAGE: &str = "docs/parity.md";
const TYPES: &str = "index.d.ts";
const EVENTS: &str = "js/events.js";

const KINDS: [(&str, &str); 2] = [("function", "Functions"), ("callback", "Callbacks")];
const STATUS: [&str; 3] = ["done", "later", "not offered"];

/// One line of the table; the last columns may be left out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) line: usize,
    pub(crate) kind: &'a str,
    section: &'a str,
    /// The name in OpenIM's documents.
    upstream: &'a str,
    /// Ours, or `-`.
    pub(crate) name: &'a str,
    status: &'a str,
    /// Area that brings it, or why it is not offered.
    note: &'a str,
    /// A test that shows it: `file: title`.
    pub(crate) test: &'a str,
}

impl Row<'_> {
    pub(crate) fn is_done(&self) -> bool {
        self.status == "done"
    }
}

/// Writes the page.
pub(crate) fn write(root: &Path) -> Result<Problems> {
    let table = read(&root.join(TABLE))?;
    let (rows, problems) = parse(&table);
    if problems.is_empty() {
        std::fs::create_dir_all(root.join("docs"))?;
        std::fs::write(root.join(PAGE), page(&rows))?;
    }
    Ok(problems)
}

/// Compares the page with the table, and the table with the sources.
pub(crate) fn check(root: &Path) -> Result<Problems> {
    let table = read(&root.join(TABLE))?;
    let (rows, mut problems) = parse(&table);
    if read(&root.join(PAGE)).map_err(|error| Error::other(format!("{error}; run `cargo xtask gen`")))? != page(&rows) {
        problems.push(format!("{PAGE}:1: differs from {TABLE}: run `cargo xtask gen`"));
    }
    let mut facade = String::new();
    for path in files_below(&root.join("js"))? {
        if shown(root, &path).ends_with("js") {
            facade.push_str(&read(&path)?);
        }
    }
    let sources = Sources { types: &read(&root.join(TYPES))?, facade: &facade, events: &read(&root.join(EVENTS))? };
    problems.extend(missing(&rows, &sources));
    Ok(problems)
}

pub(crate) fn parse(table: &str) -> (Vec<Row<'_>>, Problems) {
    let (mut rows, mut problems, mut names) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (index, text) in table.lines().enumerate().filter(|(_, text)| !text.starts_with('#') && !text.is_empty()) {
        let line = index + 1;
        let columns: Vec<&str> = text.split('\t').collect();
        let [kind, section, upstream, name, status, ref rest @ ..] = *columns.as_slice() else {
            problems.push(format!("{TABLE}:{line}: five to seven columns wanted, not {}", columns.len()));
            continue;
        };
        let [note, test] = [0, 1].map(|column| rest.get(column).copied().unwrap_or_default());
        let row = Row { line, kind, section, upstream, name, status, note, test };
        problems.extend(row.problem(&mut names).map(|problem| format!("{TABLE}:{line}: {problem}")));
        rows.push(row);
    }
    (rows, problems)
}

impl<'a> Row<'a> {
    fn problem(&self, names: &mut BTreeSet<(&'a str, &'a str)>) -> Option<String> {
        if !KINDS.iter().any(|(kind, _)| *kind == self.kind) {
            return Some(format!("unknown kind `{}`", self.kind));
        }
        if !STATUS.contains(&self.status) {
            return Some(format!("unknown status `{}`", self.status));
        }
        if self.status == "done" && self.name == "-" {
            return Some("done, but without a name".to_owned());
        }
        if self.status != "done" && self.note.is_empty() {
            return Some("not done, and no word why".to_owned());
        }
        let new = self.name == "-" || names.insert((self.kind, self.name));
        (!new).then(|| format!("`{}` stands twice", self.name))
    }
}

struct Sources<'a> {
    types: &'a str,
    facade: &'a str,
    events: &'a str,
}

fn missing(rows: &[Row<'_>], sources: &Sources<'_>) -> Problems {
    let mut problems = Vec::new();
    for row in rows.iter().filter(|row| row.status == "done") {
        let name = row.name.rsplit('.').next().unwrap_or(row.name);
        let mut require = |present: bool, file: &str| {
            if !present {
                problems.push(format!("{TABLE}:{}: `{}` is done, but {file} lacks it", row.line, row.name));
            }
        };
        if row.kind == "callback" {
            require(names(sources.events, name).next().is_some(), EVENTS);
        } else {
            let declared = names(sources.types, name).any(|next| matches!(next, Some('(' | '<' | ':' | '?')));
            require(declared, TYPES);
            require(names(sources.facade, name).next().is_some(), "js/");
        }
    }
    problems
}

/// Each whole-word occurrence of `name`: the character that follows it.
fn names<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = Option<char>> + 'a {
    let part_of_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$');
    text.match_indices(name).filter_map(move |(start, _)| {
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        let after = text.get(start + name.len()..).and_then(|after| after.chars().next());
        (!part_of_word(before) && !part_of_word(after)).then_some(after)
    })
}

fn page(rows: &[Row<'_>]) -> String {
    let mut page = String::from(
        "# Parity\n\n\
         <!-- Generated by `cargo xtask gen` from xtask/parity.tsv. Do not edit. -->\n\n\
         Every function and callback of OpenIM's client SDKs, with its name here. *later* names the area that brings\n\
         it, or the sub-path whose own it is; *not offered* says why. *Shown by* names a test that calls the function or\n\
         receives the event through the public API; the suite checks that it did.\n\n\
         | | done | later | not offered |\n|---|---|---|---|\n",
    );
    for (kind, title) in KINDS {
        let count = |status| rows.iter().filter(|row| row.kind == kind && row.status == status).count();
        let [done, later, not_offered] = STATUS.map(count);
        // writing into a String cannot fail
        let _ = writeln!(page, "| {title} | {done} | {later} | {not_offered} |");
    }
    for (kind, title) in KINDS {
        let _ = write!(page, "\n## {title}\n\n| here | OpenIM | status | note | shown by |\n|---|---|---|---|---|\n");
        let mut of_kind: Vec<&Row<'_>> = rows.iter().filter(|row| row.kind == kind).collect();
        of_kind.sort_by_key(|row| (row.name == "-", row.name.to_lowercase(), row.upstream));
        for row in of_kind {
            let name = if row.name == "-" { String::new() } else { format!("`{}`", row.name) };
            let _ = writeln!(page, "| {name} | {} | {} | {} | {} |", row.upstream, row.status, row.note, row.test);
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE_TEXT: &str = "# kind\n\
        function\t12.2\tLogin\tlogin\tdone\t\n\
        function\t12.2\tInitSDK\tOpenIM.open\tdone\t\n\
        function\t12.2\tClearGroupHistoryMessage\t-\tlater\tClassic\n\
        callback\t12.1\tOnConnecting\tOnConnecting\tdone\t\n\
        callback\t12.4\tOnHangUp\tOnHangUp\tnot offered\tneeds the commercial server\n";

    fn problems(types: &str, facade: &str, events: &str) -> Problems {
        missing(&parse(TABLE_TEXT).0, &Sources { types, facade, events })
    }

    #[test]
    fn what_is_done_must_be_declared_and_written() {
        let types = "login(params: LoginParams): Promise<void>; static open(config: Config): Promise<OpenIM>;";
        let facade = "login(params) {} static open() {}";
        let events = "module.exports = ['OnConnecting'];";
        assert_eq!(problems(types, facade, events), Problems::new());
        assert_eq!(problems("static open(c: C): void; relogin(): void", facade, events).len(), 1);
        assert_eq!(problems("static open(c: C): void; // see login", facade, events).len(), 1);
        assert_eq!(problems(types, "logins() {} open", events).len(), 1);
        assert_eq!(problems(types, facade, "['OnConnectingAgain']").len(), 1);
    }

    #[test]
    fn bad_rows_are_refused_with_their_line() {
        for bad in [
            "function\t12.2\tLogin\tlogin",
            "method\t12.2\tLogin\tlogin\tdone\t",
            "function\t12.2\tLogin\tlogin\tsoon\t",
            "function\t12.2\tLogin\tlogin\tlater\t",
            "function\t12.2\tLogin\t-\tdone\t",
            "function\t12.2\tLogin\tlogin\tdone\t\nfunction\t12.2\tLogin2\tlogin\tdone\t",
        ] {
            assert_eq!(parse(bad).1.len(), 1, "{bad}");
        }
        assert!(parse("#\n\nx").1.iter().all(|problem| problem.starts_with("xtask/parity.tsv:3: ")));
    }

    #[test]
    fn the_page_counts_and_sorts() {
        let (rows, problems) = parse(TABLE_TEXT);
        assert_eq!(problems, Problems::new());
        let page = page(&rows);
        assert!(page.contains("| Functions | 2 | 1 | 0 |\n| Callbacks | 1 | 0 | 1 |"), "{page}");
        let (login, open) = (page.find("| `login` |").unwrap(), page.find("| `OpenIM.open` |").unwrap());
        assert!(login < open && open < page.find("ClearGroupHistoryMessage").unwrap());
    }

    #[test]
    fn the_table_of_the_repository_is_well_formed() {
        assert_eq!(parse(include_str!("../parity.tsv")).1, Problems::new());
    }
}
