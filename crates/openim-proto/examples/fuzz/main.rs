//! Damaged input for everything that reads from the wire; docs/testing.md says how it is used.
//!
//!     fuzz [--seconds N] [--seed N] [--case N] [TARGET ...]
//!
//! Each target (`frame`, `gob`, `protobuf`, `content`; all without one) runs for so many seconds (2), case after case.
//! `--case` runs that case alone. A panic, a wrong value or an allocation out of proportion ends the program with exit
//! code 1 and the arguments that repeat the case.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a program for developers: it prints, and what it does not expect ends it"
)]

mod arguments;
mod mutation;
mod random;
mod seeds;
mod sender;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use arguments::Arguments;
use random::Random;
use seeds::Seeds;
use targets::{TARGETS, Target};

/// What tokio gives its threads: recursion must fit.
const STACK: usize = 2 << 20;

fn main() -> ExitCode {
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    let arguments = match Arguments::parse(std::env::args().skip(1), &names) {
        Ok(arguments) => arguments,
        Err(reason) => {
            eprintln!("{reason}\nusage: fuzz [--seconds N] [--seed N] [--case N] [{}]...", names.join(" | "));
            return ExitCode::from(2);
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(move || all(&arguments));
    match thread.expect("a thread starts").join() {
        Ok(true) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn all(arguments: &Arguments) -> bool {
    let seeds = Seeds::load();
    println!("seed {}", arguments.seed);
    TARGETS.iter().filter(|(name, _)| arguments.wants(name)).all(|target| run(target, arguments, &seeds))
}

/// Whether all cases held.
fn run((name, case): &Target, arguments: &Arguments, seeds: &Seeds) -> bool {
    let began = Instant::now();
    let mut number = arguments.case.unwrap_or(0);
    loop {
        let mut random = Random::of_case(arguments.seed, number);
        if catch_unwind(AssertUnwindSafe(|| case(&mut random, seeds))).is_err() {
            println!("{name}: FAILED; repeat it with --seed {} --case {number} {name}", arguments.seed);
            return false;
        }
        number += 1;
        if arguments.case.is_some() || began.elapsed() >= arguments.time {
            break;
        }
    }
    println!("{name}: {} cases in {:.1} s", number - arguments.case.unwrap_or(0), began.elapsed().as_secs_f64());
    true
}
