//! Events come from what a list was before and what it is after, not from what the server said about it: an answer that
//! repeats what is known tells nothing, one that leaves out a step tells it all the same.

use std::collections::BTreeMap;

/// How an element of a list differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Difference<T> {
    Added(T),
    Changed {
        before: T,
        after: T,
    },
    /// As it was.
    Deleted(T),
}

/// What happened between two states of a list, by key: what went, then what is there now.
pub(crate) fn differences<K: Ord, T: PartialEq>(
    mut before: BTreeMap<K, T>,
    after: BTreeMap<K, T>,
) -> Vec<Difference<T>> {
    let mut now = Vec::new();
    for (key, element) in after {
        match before.remove(&key) {
            None => now.push(Difference::Added(element)),
            Some(before) if before != element => now.push(Difference::Changed { before, after: element }),
            Some(_) => {}
        }
    }
    let mut differences: Vec<_> = before.into_values().map(Difference::Deleted).collect();
    differences.append(&mut now);
    differences
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn applying_the_difference_to_the_old_state_gives_the_new_one(
            before in proptest::collection::btree_map(0_u8..20, 0_u8..4, 0..20),
            after in proptest::collection::btree_map(0_u8..20, 0_u8..4, 0..20),
        ) {
            let keyed = |list: &BTreeMap<u8, u8>| list.iter().map(|(key, value)| (*key, (*key, *value))).collect::<BTreeMap<_, _>>();
            let mut state = keyed(&before);
            for difference in differences(keyed(&before), keyed(&after)) {
                match difference {
                    Difference::Added(element) => prop_assert!(state.insert(element.0, element).is_none()),
                    Difference::Changed { before, after } => {
                        prop_assert_ne!(before, after);
                        prop_assert_eq!(state.insert(after.0, after), Some(before));
                    }
                    Difference::Deleted(element) => prop_assert_eq!(state.remove(&element.0), Some(element)),
                }
            }
            prop_assert_eq!(state, keyed(&after));
        }
    }
}
