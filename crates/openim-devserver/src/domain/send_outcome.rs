//! How sends through the API ended, for a back-end that got no answer (http.md 2.7: check_msg_is_send_success).

use std::collections::{HashMap, VecDeque};

use openim_proto::constants::status;

use super::World;

/// How many outcomes are remembered, the newest ones.
const KEPT: usize = 10_000;

/// Outcomes by the operation id of the request.
#[derive(Default)]
pub(super) struct SendOutcomes {
    by_operation: HashMap<String, i32>,
    order: VecDeque<String>,
}

impl SendOutcomes {
    fn insert(&mut self, operation_id: &str, outcome: i32) {
        if self.by_operation.insert(operation_id.to_owned(), outcome).is_some() {
            return;
        }
        self.order.push_back(operation_id.to_owned());
        if self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_operation.remove(&oldest);
        }
    }
}

impl World {
    /// Remembers how a send through the API ended.
    pub(crate) fn note_send_outcome(&mut self, operation_id: &str, accepted: bool) {
        self.send_outcomes.insert(operation_id, if accepted { status::SENT } else { status::FAILED });
    }

    /// 2 accepted, 3 refused, 0 unknown. A send is decided in one step, so it is never under way (1).
    pub(crate) fn send_outcome(&self, operation_id: &str) -> i32 {
        self.send_outcomes.by_operation.get(operation_id).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_outcomes_are_remembered_and_an_operation_counts_once() {
        let mut outcomes = SendOutcomes::default();
        for _ in 0..3 {
            outcomes.insert("again", status::FAILED);
        }
        outcomes.insert("again", status::SENT);
        for number in 1..KEPT {
            outcomes.insert(&number.to_string(), status::SENT);
        }
        assert_eq!(outcomes.by_operation.get("again"), Some(&status::SENT));
        outcomes.insert("one more", status::SENT);
        assert_eq!(outcomes.by_operation.get("again"), None);
        assert_eq!((outcomes.by_operation.len(), outcomes.order.len()), (KEPT, KEPT));
    }
}
