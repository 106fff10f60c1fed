//! A row of `xtask/parity.tsv` is done if a test of the suite called the function, or received the event, through the
//! public API. The suite writes what its tests did (`__test__/support/proof.mjs`); here the rows are held against it.

use std::collections::BTreeSet;
use std::io::Result;
use std::path::Path;

use crate::Problems;
use crate::parity::{Row, TABLE, parse};
use crate::paths::{files_below, read};

/// What a test did.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Deed {
    kind: String,
    name: String,
    /// `file: title`
    test: String,
}

/// Fails for every row that is done without a test that showed it.
pub(crate) fn check(root: &Path, folder: &Path) -> Result<Problems> {
    let table = read(&root.join(TABLE))?;
    let (rows, mut problems) = parse(&table);
    problems.extend(unproven(&rows, &deeds(folder)?));
    Ok(problems)
}

/// Gives the rows that name no test, or one that no longer shows it, the one that shows it and least besides.
pub(crate) fn fill(root: &Path, folder: &Path) -> Result<Problems> {
    let table = read(&root.join(TABLE))?;
    let (rows, problems) = parse(&table);
    let deeds = deeds(folder)?;
    let mut lines: Vec<String> = table.lines().map(str::to_owned).collect();
    for row in rows.iter().filter(|row| row.is_done() && !is_proven(row, &deeds)) {
        let shown = deeds
            .iter()
            // a random test has another name in the next run
            .filter(|deed| deed.kind == row.kind && deed.name == row.name && !deed.test.contains(": seed "))
            .min_by_key(|deed| deeds.iter().filter(|other| other.test == deed.test).count());
        if let (Some(deed), Some(line)) = (shown, lines.get_mut(row.line - 1)) {
            let mut columns: Vec<&str> = line.split('\t').collect();
            columns.resize(7, "");
            if let Some(test) = columns.last_mut() {
                *test = &deed.test;
            }
            *line = columns.join("\t");
        }
    }
    lines.push(String::new());
    std::fs::write(root.join(TABLE), lines.join("\n"))?;
    Ok(problems)
}

fn deeds(folder: &Path) -> Result<BTreeSet<Deed>> {
    let mut deeds = BTreeSet::new();
    for path in files_below(folder)? {
        for line in read(&path)?.lines() {
            if let [spec, title, kind, name] = *line.split('\t').collect::<Vec<_>>().as_slice() {
                deeds.insert(Deed { kind: kind.to_owned(), name: name.to_owned(), test: format!("{spec}: {title}") });
            }
        }
    }
    Ok(deeds)
}

fn is_proven(row: &Row<'_>, deeds: &BTreeSet<Deed>) -> bool {
    let deed = Deed { kind: row.kind.to_owned(), name: row.name.to_owned(), test: row.test.to_owned() };
    deeds.contains(&deed)
}

fn unproven(rows: &[Row<'_>], deeds: &BTreeSet<Deed>) -> Problems {
    let unproven = rows.iter().filter(|row| row.is_done() && !is_proven(row, deeds));
    unproven
        .map(|row| match row.test {
            "" => format!("{TABLE}:{}: `{}` is done, but names no test that shows it", row.line, row.name),
            test => format!("{TABLE}:{}: `{}` is done, but \"{test}\" did not show it", row.line, row.name),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_done_row_needs_a_test_that_did_it() {
        let deed = |kind: &str, name: &str| Deed {
            kind: kind.to_owned(),
            name: name.to_owned(),
            test: "login.spec.mjs: alice logs in".to_owned(),
        };
        let deeds = BTreeSet::from([deed("function", "login"), deed("callback", "OnConnecting")]);
        let problems = |table: &str| unproven(&parse(table).0, &deeds).len();
        assert_eq!(problems("function\t12.2\tLogin\tlogin\tdone\t\tlogin.spec.mjs: alice logs in"), 0);
        assert_eq!(problems("function\t12.2\tLogin\tlogin\tdone"), 1);
        assert_eq!(problems("function\t12.2\tLogin\tlogin\tdone\t\tlogin.spec.mjs: bob logs in"), 1);
        assert_eq!(problems("function\t12.2\tLogout\tlogout\tdone\t\tlogin.spec.mjs: alice logs in"), 1);
        assert_eq!(problems("callback\t12.2\tLogin\tlogin\tdone\t\tlogin.spec.mjs: alice logs in"), 1);
        assert_eq!(problems("function\t12.2\tLogout\tlogout\tlater\tGroups"), 0);
    }
}
