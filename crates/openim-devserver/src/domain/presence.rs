//! Who watches whose online state, and who is told of a change (gateway.md section 10).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use openim_proto::Message as _;
use openim_proto::constants::operation;
use openim_proto::envelope::Response;
use openim_proto::sdkws::{SubUserOnlineStatusElem, SubUserOnlineStatusTips};

use super::disturbance::{Deliveries, Pushed};
use super::{Device, Frame, World};

/// Subscriptions. They belong to a connection `W`, known by a number, and end with it.
pub(super) struct Subscriptions<W> {
    /// Watched user to the connections that watch.
    watchers: HashMap<Arc<str>, BTreeMap<u64, W>>,
    /// Connection to the users that it watches.
    watched: HashMap<u64, BTreeSet<Arc<str>>>,
}

impl<W> Default for Subscriptions<W> {
    fn default() -> Self {
        Self { watchers: HashMap::new(), watched: HashMap::new() }
    }
}

impl<W> Subscriptions<W> {
    /// A connection watches a user; again is the same as once.
    fn add(&mut self, id: u64, watcher: W, user_id: &str) {
        let user_id: Arc<str> = user_id.into();
        self.watchers.entry(user_id.clone()).or_default().insert(id, watcher);
        self.watched.entry(id).or_default().insert(user_id);
    }

    /// A connection no longer watches a user.
    fn remove(&mut self, id: u64, user_id: &str) {
        self.forget_watcher(id, user_id);
        if let Some(watched) = self.watched.get_mut(&id) {
            watched.remove(user_id);
            if watched.is_empty() {
                self.watched.remove(&id);
            }
        }
    }

    /// A connection is gone.
    pub(super) fn end(&mut self, id: u64) {
        for user_id in self.watched.remove(&id).unwrap_or_default() {
            self.forget_watcher(id, &user_id);
        }
    }

    /// Who watches a user, oldest connection first.
    fn watchers(&self, user_id: &str) -> impl Iterator<Item = &W> {
        self.watchers.get(user_id).into_iter().flat_map(BTreeMap::values)
    }

    fn forget_watcher(&mut self, id: u64, user_id: &str) {
        if let Some(watchers) = self.watchers.get_mut(user_id) {
            watchers.remove(&id);
            if watchers.is_empty() {
                self.watchers.remove(user_id);
            }
        }
    }
}

impl World {
    /// Changes what a connection watches, first what it no longer does; answers the state of every user newly asked for,
    /// in that order.
    pub(crate) fn watch(
        &mut self,
        device: &Arc<Device>,
        subscribe: &[String],
        unsubscribe: &[String],
    ) -> SubUserOnlineStatusTips {
        for user_id in unsubscribe {
            self.subscriptions.remove(device.id, user_id);
        }
        for user_id in subscribe {
            self.subscriptions.add(device.id, device.clone(), user_id);
        }
        SubUserOnlineStatusTips { subscribers: subscribe.iter().map(|user_id| self.presence(user_id)).collect() }
    }

    /// Tells those who watch a user on which platforms he is now, if that is another set than before.
    pub(super) fn tell_watchers(&self, user_id: &str, before: &[i32]) {
        let mut watchers = self.subscriptions.watchers(user_id).peekable();
        if watchers.peek().is_none() {
            return;
        }
        let state = self.presence(user_id);
        if state.online_platform_i_ds == before {
            return;
        }
        let frame = Frame::new(Response {
            req_identifier: operation::SUB_ONLINE_STATUS,
            data: SubUserOnlineStatusTips { subscribers: vec![state] }.encode_to_vec(),
            ..Response::default()
        });
        let mut deliveries = Deliveries::default();
        for watcher in watchers {
            deliveries.push(&self.environment, &frame, Pushed::default(), vec![watcher.clone()]);
        }
        let environment = self.environment.clone();
        self.store.after(move || deliveries.deliver(&environment));
    }

    fn presence(&self, user_id: &str) -> SubUserOnlineStatusElem {
        SubUserOnlineStatusElem { user_id: user_id.to_owned(), online_platform_i_ds: self.online.platforms(user_id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watchers(subscriptions: &Subscriptions<&'static str>, user_id: &str) -> Vec<&'static str> {
        subscriptions.watchers(user_id).copied().collect()
    }

    #[test]
    fn subscriptions_belong_to_a_connection_and_leave_nothing_behind() {
        let mut subscriptions = Subscriptions::default();
        for (id, watcher, user_id) in [(2, "b", "carol"), (1, "a", "carol"), (1, "a", "dave"), (1, "a", "carol")] {
            subscriptions.add(id, watcher, user_id);
        }
        assert_eq!(watchers(&subscriptions, "carol"), ["a", "b"]);
        assert_eq!(watchers(&subscriptions, "dave"), ["a"]);
        subscriptions.remove(1, "carol");
        subscriptions.remove(1, "nobody");
        assert_eq!(watchers(&subscriptions, "carol"), ["b"]);
        subscriptions.end(1);
        subscriptions.end(7);
        assert_eq!(watchers(&subscriptions, "dave"), [""; 0]);
        subscriptions.remove(2, "carol");
        assert!(subscriptions.watchers.is_empty() && subscriptions.watched.is_empty());
    }
}
