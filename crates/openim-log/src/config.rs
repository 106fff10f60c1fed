//! What may be configured.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tracing::level_filters::LevelFilter;

use crate::{Error, Result};

/// How much is logged: a level holds all before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Level {
    /// Nothing.
    Off,
    /// Defects of this package.
    Error,
    /// What needs attention: refusals, failed attempts, slow commits.
    Warn,
    /// The course of a session: connects, losses, syncs, parked messages.
    #[default]
    Info,
    /// Every call and request.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    pub(crate) const ALL: [Self; 6] = [Self::Off, Self::Error, Self::Warn, Self::Info, Self::Debug, Self::Trace];

    pub(crate) fn filter(self) -> LevelFilter {
        match self {
            Self::Off => LevelFilter::OFF,
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

/// Configuration of the logs.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogConfig {
    /// How much is logged.
    #[serde(default)]
    pub log_level: Level,
    /// Folder of the files; without one nothing is written.
    #[serde(default)]
    pub log_dir: Option<PathBuf>,
    /// Size at which a file is closed and the next one begins.
    #[serde(default = "default_max_file_bytes")]
    pub max_file_bytes: u64,
    /// How many files are kept, the one being written included.
    #[serde(default = "default_max_files")]
    pub max_files: u32,
}

fn default_max_file_bytes() -> u64 {
    5 << 20
}

fn default_max_files() -> u32 {
    5
}

impl LogConfig {
    pub(crate) fn validate(&self) -> Result<()> {
        let refuse = |field, reason: &str| Err(Error::Setting { field, reason: reason.to_owned() });
        if self.log_dir.as_ref().is_some_and(|folder| folder.as_os_str().is_empty()) {
            return refuse("logDir", "must not be empty");
        }
        if !(10_000..=1 << 30).contains(&self.max_file_bytes) {
            return refuse("maxFileBytes", "must be from 10000 to 1073741824");
        }
        if !(1..=100).contains(&self.max_files) {
            return refuse("maxFiles", "must be from 1 to 100");
        }
        Ok(())
    }
}
