//! Checks and generated files of this repository: `cargo xtask arrows | parity [--check] | gen [--check]`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program speaks to its user")]

mod arrows;
mod generated;
mod parity;
mod paths;
mod proof;
mod tokens;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>
  arrows            dependencies between crates and modules, module names, file sizes
  parity [--check]  write docs/parity.md from xtask/parity.tsv; --check compares it, and the table, with the sources
  parity --proof FOLDER   every row that is done names a test that did it: what the suite wrote into FOLDER tells
  parity --fill FOLDER    gives the rows that name none the first test that did it
  gen [--check]     write every generated file; --check compares";

/// What one check found wrong; empty when all is well.
type Problems = Vec<String>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = root();
    let outcome = match words.as_slice() {
        ["arrows"] => arrows::check(&root),
        ["parity"] => parity::write(&root),
        ["parity", "--check"] => parity::check(&root),
        ["parity", "--proof", folder] => proof::check(&root, Path::new(folder)),
        ["parity", "--fill", folder] => proof::fill(&root, Path::new(folder)),
        ["gen"] => generated::write(&root),
        ["gen", "--check"] => generated::check(&root),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(problems) if problems.is_empty() => ExitCode::SUCCESS,
        Ok(problems) => {
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            eprintln!("cargo xtask {}: {} problem(s)", words.join(" "), problems.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("cargo xtask {}: {error}", words.join(" "));
            ExitCode::FAILURE
        }
    }
}

/// The repository: the folder above this package.
fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let package = PathBuf::from(package);
    package.parent().map(PathBuf::from).unwrap_or(package)
}
