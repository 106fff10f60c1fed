//! The command line.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What to run.
pub struct Arguments {
    /// For each target.
    pub time: Duration,
    /// Determines all cases.
    pub seed: u64,
    /// This case alone.
    pub case: Option<u64>,
    targets: Vec<String>,
}

impl Arguments {
    /// Reads the words behind the program's name. Without a seed the time gives one.
    pub fn parse(mut words: impl Iterator<Item = String>, known: &[&str]) -> Result<Self, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        let mut arguments = Self { time: Duration::from_secs(2), seed: now, case: None, targets: Vec::new() };
        while let Some(word) = words.next() {
            let mut number = || {
                let value = words.next().ok_or(format!("{word} needs a number"))?;
                value.parse::<u64>().map_err(|error| format!("{word} {value}: {error}"))
            };
            match word.as_str() {
                "--seconds" => arguments.time = Duration::from_secs(number()?),
                "--seed" => arguments.seed = number()?,
                "--case" => arguments.case = Some(number()?),
                name if known.contains(&name) => arguments.targets.push(word),
                _ => return Err(format!("{word}: no such target or option")),
            }
        }
        Ok(arguments)
    }

    /// Whether a target was asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.targets.is_empty() || self.targets.iter().any(|target| target == name)
    }
}
