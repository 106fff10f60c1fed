//! Incremental lists (http.md section 3): what a server's answer means for the local version of a list.

/// Version of a list: the log's id and the counter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) number: u64,
}

/// What to do with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// The list is as the server has it.
    Same,
    /// Apply the changes and move to the version.
    Apply(Version),
    /// The changes are not enough: fetch the whole list, then move to the version.
    Full(Version),
}

/// Decides. An empty version id never counts as equal (R13i).
pub(crate) fn step(local: &Version, answer: &Version, full: bool) -> Step {
    if full {
        Step::Full(answer.clone())
    } else if !answer.id.is_empty() && answer == local {
        Step::Same
    } else {
        Step::Apply(answer.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(id: &str, number: u64) -> Version {
        Version { id: id.into(), number }
    }

    #[test]
    fn only_the_same_log_at_the_same_number_is_the_same() {
        assert_eq!(step(&version("a", 3), &version("a", 3), false), Step::Same);
        assert_eq!(step(&version("a", 3), &version("a", 4), false), Step::Apply(version("a", 4)));
        assert_eq!(step(&version("", 0), &version("", 0), false), Step::Apply(version("", 0)));
        assert_eq!(step(&version("a", 3), &version("a", 3), true), Step::Full(version("a", 3)));
    }
}
