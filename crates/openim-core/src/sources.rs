//! Where changes come from: the newest notifications, for those who follow the changes (R27).

use std::collections::VecDeque;
use std::sync::Arc;

use crate::change::{List, Notification};

/// How many are remembered. A copy in the chat comes within milliseconds, the reading of a list within a round trip.
const REMEMBERED: usize = 256;

/// The newest notifications of a session.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// Ids of those that were published.
    published: VecDeque<String>,
    /// Those whose list is still to be read.
    waiting: VecDeque<Arc<Notification>>,
}

impl Sources {
    /// Keeps of `applied` what was not published yet: a notification and its copy in a chat are the same (R13d).
    pub(crate) fn admit(&mut self, applied: &mut Vec<Arc<Notification>>) {
        applied.retain(|notification| {
            let id = &notification.client_msg_id;
            let new = id.is_empty() || !self.published.contains(id);
            if new {
                remember(&mut self.published, id.clone());
                if notification.list().is_some() {
                    remember(&mut self.waiting, notification.clone());
                }
            }
            new
        });
    }

    /// The notifications that asked for a reading of the list: what it shows is theirs.
    pub(crate) fn take(&mut self, list: List) -> Vec<Arc<Notification>> {
        let (taken, waiting): (VecDeque<_>, _) =
            self.waiting.drain(..).partition(|notification| notification.list() == Some(list));
        self.waiting = waiting;
        taken.into()
    }
}

fn remember<T>(newest: &mut VecDeque<T>, item: T) {
    newest.push_back(item);
    if newest.len() > REMEMBERED {
        newest.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use openim_proto::constants::content_type;

    use super::*;

    fn notification(content_type: i32, id: &str) -> Arc<Notification> {
        Arc::new(Notification { content_type, client_msg_id: id.to_owned(), ..Notification::default() })
    }

    #[test]
    fn a_copy_is_no_second_notification_and_each_list_gets_its_own() {
        let mut sources = Sources::default();
        let added = notification(content_type::BLACK_ADDED, "n1");
        let mut first = vec![added.clone(), notification(content_type::FRIENDS_INFO_UPDATE, "n2")];
        sources.admit(&mut first);
        assert_eq!(first.len(), 2);
        let mut copies =
            vec![notification(content_type::BLACK_ADDED, "n1"), notification(content_type::READ_RECEIPT, "")];
        sources.admit(&mut copies);
        assert_eq!(copies, [notification(content_type::READ_RECEIPT, "")]);
        assert_eq!(sources.take(List::Blacks), [added]);
        assert!(sources.take(List::Blacks).is_empty());
        assert_eq!(sources.take(List::Friends).len(), 1);
    }

    #[test]
    fn what_nobody_asks_for_is_forgotten() {
        let mut sources = Sources::default();
        for i in 0..1000 {
            sources.admit(&mut vec![notification(content_type::FRIEND_DELETED, &i.to_string())]);
        }
        let kept = sources.take(List::Friends);
        assert_eq!(kept.len(), REMEMBERED);
        assert_eq!(kept.last().map(|last| last.client_msg_id.as_str()), Some("999"));
    }
}
