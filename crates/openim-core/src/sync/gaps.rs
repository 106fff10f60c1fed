//! Interval arithmetic over the seqs of one conversation.
//!
//! Invariant: every seq from 1 to `local_max` is stored, a known hole, or inside a gap. So what this device lacks is
//! always exactly the gaps, however pushes, pulls and crashes interleave.

/// An inclusive range of seqs.
pub(crate) type Range = (i64, i64);

/// What is known of a conversation's seqs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// Newest seq that is stored, a hole, or has only gaps below it.
    pub(crate) local_max: i64,
    /// Ascending, disjoint. The flag: fetched now and announced, instead of with the history.
    pub(crate) gaps: Vec<(Range, bool)>,
}

impl Coverage {
    pub(crate) fn new(local_max: i64, gaps: Vec<(Range, bool)>) -> Self {
        Self { local_max, gaps }
    }

    /// Everything in the range is known now. What lies between the old end and the range becomes a gap.
    pub(crate) fn cover(&mut self, (begin, end): Range, live: bool) {
        if begin > end || end < 1 {
            return;
        }
        if begin > self.local_max + 1 {
            self.gaps.push(((self.local_max + 1, begin - 1), live));
        }
        if begin <= self.local_max {
            self.gaps = self.gaps.iter().flat_map(|&(gap, live)| subtract(gap, (begin, end), live)).collect();
        }
        self.local_max = self.local_max.max(end);
    }

    /// The unknown seqs inside a range, ascending.
    pub(crate) fn unknown_within(&self, (begin, end): Range) -> Vec<Range> {
        self.gaps
            .iter()
            .map(|&((first, last), _)| (first.max(begin), last.min(end)))
            .filter(|(first, last)| first <= last)
            .collect()
    }

    /// Up to `limit` unknown seqs inside a range: the newest ones for `from_end`, else the oldest.
    pub(crate) fn nearest(&self, range: Range, limit: i64, from_end: bool) -> Vec<Range> {
        let mut unknown = self.unknown_within(range);
        if from_end {
            unknown.reverse();
        }
        let mut left = limit;
        let mut picked = Vec::new();
        for (first, last) in unknown {
            if left <= 0 {
                break;
            }
            let count = (last - first + 1).min(left);
            picked.push(if from_end { (last - count + 1, last) } else { (first, first + count - 1) });
            left -= count;
        }
        picked.sort_unstable();
        picked
    }
}

/// What remains of a gap when a range is taken out.
fn subtract((first, last): Range, (begin, end): Range, live: bool) -> impl Iterator<Item = (Range, bool)> {
    let before = (first, last.min(begin - 1));
    let after = (first.max(end + 1), last);
    let untouched = last < begin || first > end;
    let parts = if untouched { [Some((first, last)), None] } else { [Some(before), Some(after)] };
    parts.into_iter().flatten().filter(|(first, last)| first <= last).map(move |range| (range, live))
}

/// The seqs of a range that are not in a sorted list, as ranges.
pub(crate) fn missing((begin, end): Range, present: &[i64]) -> Vec<Range> {
    let mut missing = Vec::new();
    let mut next = begin;
    for &seq in present.iter().filter(|seq| (begin..=end).contains(*seq)) {
        if seq > next {
            missing.push((next, seq - 1));
        }
        next = next.max(seq + 1);
    }
    if next <= end {
        missing.push((next, end));
    }
    missing
}

/// How many seqs the part of the ranges inside a window has.
pub(crate) fn size_within(ranges: &[Range], (begin, end): Range) -> i64 {
    ranges.iter().map(|&(first, last)| (last.min(end) - first.max(begin) + 1).max(0)).sum()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn seqs(ranges: impl IntoIterator<Item = Range>) -> BTreeSet<i64> {
        ranges.into_iter().flat_map(|(first, last)| first..=last).collect()
    }

    proptest! {
        #[test]
        fn gaps_are_always_exactly_what_was_never_covered(
            steps in prop::collection::vec((1_i64..60, 0_i64..12, any::<bool>()), 0..40),
        ) {
            let mut coverage = Coverage::default();
            let mut known = BTreeSet::new();
            for (begin, length, live) in steps {
                coverage.cover((begin, begin + length), live);
                known.extend(begin..=begin + length);
                let unknown: BTreeSet<i64> = (1..=coverage.local_max).filter(|seq| !known.contains(seq)).collect();
                prop_assert_eq!(seqs(coverage.gaps.iter().map(|(gap, _)| *gap)), unknown.clone());
                prop_assert_eq!(coverage.local_max, known.last().copied().unwrap_or(0));
                prop_assert!(coverage.gaps.windows(2).all(|pair| pair[0].0.1 < pair[1].0.0));
                for (range, limit) in [((5, 30), 7), ((1, 100), 3)] {
                    let inside: Vec<i64> = unknown.range(range.0..=range.1).copied().collect();
                    prop_assert_eq!(seqs(coverage.unknown_within(range)), inside.iter().copied().collect());
                    let newest: BTreeSet<i64> = inside.iter().rev().take(limit).copied().collect();
                    prop_assert_eq!(seqs(coverage.nearest(range, limit as i64, true)), newest);
                    let oldest: BTreeSet<i64> = inside.iter().take(limit).copied().collect();
                    prop_assert_eq!(seqs(coverage.nearest(range, limit as i64, false)), oldest);
                }
            }
        }

        #[test]
        fn missing_is_the_complement(present in prop::collection::btree_set(1_i64..40, 0..30), begin in 1_i64..20, length in 0_i64..25) {
            let range = (begin, begin + length);
            let list: Vec<i64> = present.iter().copied().collect();
            let expected: BTreeSet<i64> = (range.0..=range.1).filter(|seq| !present.contains(seq)).collect();
            let missing = missing(range, &list);
            prop_assert_eq!(size_within(&missing, (i64::MIN / 4, i64::MAX / 4)), expected.len() as i64);
            prop_assert_eq!(seqs(missing), expected);
        }
    }
}
