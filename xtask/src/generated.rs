//! Everything that is written by a program and checked in: docs/parity.md, and what a test of the core crate writes
//! from what the core knows: docs/errors.md, js/refusals.js and js/types.d.ts.

use std::io::Result;
use std::path::Path;
use std::process::Command;

use crate::{Problems, parity};

/// Set for the test of the core crate, it writes; without it, it compares.
const UPDATE: &str = "UPDATE_GENERATED";

/// Writes all.
pub(crate) fn write(root: &Path) -> Result<Problems> {
    let mut problems = parity::write(root)?;
    problems.extend(core_test(root, true)?);
    Ok(problems)
}

/// Compares all.
pub(crate) fn check(root: &Path) -> Result<Problems> {
    let mut problems = parity::check(root)?;
    problems.extend(core_test(root, false)?);
    Ok(problems)
}

fn core_test(root: &Path, update: bool) -> Result<Problems> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut test = Command::new(cargo);
    test.current_dir(root).args(["test", "--quiet", "--profile", "ci", "--package", "openim-core"]);
    test.args(["--features", "types", "--test", "generated"]).env_remove(UPDATE);
    if update {
        test.env(UPDATE, "1");
    }
    let problem = match (test.status()?.success(), update) {
        (true, _) => return Ok(Vec::new()),
        (false, true) => "docs/errors.md or a file in js/ could not be written (see above)",
        (false, false) => "docs/errors.md or a file in js/ differs (see above): run `cargo xtask gen`",
    };
    Ok(vec![problem.to_owned()])
}
