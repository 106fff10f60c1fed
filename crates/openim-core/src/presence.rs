//! Who is online (client-behaviour.md 8.8): asked for once, or subscribed to.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use openim_proto::Message as _;
use openim_proto::constants::operation;
use openim_proto::sdkws::{SubUserOnlineStatus, SubUserOnlineStatusElem, SubUserOnlineStatusTips};
use serde::{Deserialize, Serialize};

use crate::client::{Client, Done};
use crate::error::Result;
use crate::event::Event;
use crate::friend::check_ids;
use crate::model::UserOnlineState;
use crate::pull;
use crate::session::Session;

/// The subscriptions of a session.
#[derive(Debug, Default)]
pub(crate) struct Presence(Mutex<Subscriptions>);

#[derive(Debug, Default)]
struct Subscriptions {
    users: BTreeMap<String, Subscription>,
    /// Pushes that came so far.
    pushes: u64,
    /// Calls that subscribed so far.
    calls: u64,
}

/// What is known of a user.
#[derive(Debug, Default)]
struct Subscription {
    /// `None` until the server has said.
    platforms: Option<Vec<i32>>,
    /// Number of the push that told it last.
    pushed: u64,
    /// A call that named him succeeded.
    kept: bool,
    /// Calls that name him and still wait for the server.
    asking: Vec<u64>,
}

/// A call that subscribes. Unless it succeeds, what no other call asked for is forgotten when it is over.
struct Asking<'a> {
    presence: &'a Presence,
    user_ids: &'a [String],
    call: u64,
    succeeded: bool,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let mut subscriptions = self.presence.lock();
        for user_id in self.user_ids {
            // somebody unsubscribed in between
            let Some(known) = subscriptions.users.get_mut(user_id) else { continue };
            let named = known.asking.contains(&self.call);
            known.asking.retain(|call| *call != self.call);
            known.kept |= named && self.succeeded;
            if !known.kept && known.asking.is_empty() {
                subscriptions.users.remove(user_id);
            }
        }
    }
}

/// How the server says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Push,
    /// The answer to a request that was made after so many pushes: newer ones know better.
    Answer(u64),
}

impl Presence {
    fn lock(&self) -> MutexGuard<'_, Subscriptions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to subscribe.
    fn subscribe<'a>(&'a self, user_ids: &'a [String]) -> Asking<'a> {
        let mut subscriptions = self.lock();
        subscriptions.calls += 1;
        let call = subscriptions.calls;
        for user_id in user_ids {
            subscriptions.users.entry(user_id.clone()).or_default().asking.push(call);
        }
        Asking { presence: self, user_ids, call, succeeded: false }
    }

    fn unsubscribe(&self, user_ids: &[String]) {
        let mut subscriptions = self.lock();
        for user_id in user_ids {
            subscriptions.users.remove(user_id);
        }
    }

    fn user_ids(&self) -> Vec<String> {
        self.lock().users.keys().cloned().collect()
    }

    /// Pushes that came so far.
    fn pushes(&self) -> u64 {
        self.lock().pushes
    }

    /// What is known of these users, or of all.
    fn states(&self, user_ids: Option<&[String]>) -> Vec<UserOnlineState> {
        let subscriptions = self.lock();
        let known = |(user_id, subscription): (&String, &Subscription)| {
            subscription.platforms.clone().map(|platforms| state(user_id.clone(), platforms))
        };
        match user_ids {
            None => subscriptions.users.iter().filter_map(known).collect(),
            Some(wanted) => {
                wanted.iter().filter_map(|id| subscriptions.users.get_key_value(id).and_then(known)).collect()
            }
        }
    }

    /// Takes what the server says; the states that differ from those that were known.
    fn learn(&self, word: Word, told: Vec<SubUserOnlineStatusElem>) -> Vec<UserOnlineState> {
        let mut subscriptions = self.lock();
        subscriptions.pushes += u64::from(word == Word::Push);
        let pushes = subscriptions.pushes;
        let mut news = Vec::new();
        for SubUserOnlineStatusElem { user_id, online_platform_i_ds: mut platforms } in told {
            platforms.sort_unstable();
            platforms.dedup();
            let Some(known) = subscriptions.users.get_mut(&user_id) else { continue };
            match word {
                Word::Push => known.pushed = pushes,
                Word::Answer(asked_after) if known.pushed > asked_after => continue,
                Word::Answer(_) => {}
            }
            // the first word of the server answers the subscription and is no change
            if known.platforms.as_ref().is_some_and(|known| *known != platforms) {
                news.push(state(user_id, platforms.clone()));
            }
            known.platforms = Some(platforms);
        }
        news
    }
}

fn state(user_id: String, platform_ids: Vec<i32>) -> UserOnlineState {
    UserOnlineState { user_id, status: i32::from(!platform_ids.is_empty()), platform_ids }
}

impl Client {
    /// Subscribes to the presence of users: their states now; `OnUserStatusChanged` tells each change. Goes on over lost
    /// connections; ends with the session. What fails subscribes to nobody new.
    pub async fn subscribe_users_status(&self, user_ids: Vec<String>) -> Result<Done<Vec<UserOnlineState>>> {
        check_ids("userIDList", &user_ids)?;
        let session = self.session()?;
        let mut asking = session.presence.subscribe(&user_ids);
        let event = ask(&session, user_ids.clone(), Vec::new()).await?;
        asking.succeeded = true;
        drop(asking);
        Ok(Done { value: session.presence.states(Some(&user_ids)), event })
    }

    /// Ends subscriptions.
    pub async fn unsubscribe_users_status(&self, user_ids: Vec<String>) -> Result<Done<()>> {
        check_ids("userIDList", &user_ids)?;
        let session = self.session()?;
        session.presence.unsubscribe(&user_ids);
        match ask(&session, Vec::new(), user_ids).await {
            // the server forgets with the connection
            Err(error) if !error.is_connection_loss() => Err(error),
            _ => Ok(Done::quietly(())),
        }
    }

    /// The states of all users subscribed to, as last heard.
    pub async fn get_subscribe_users_status(&self) -> Result<Done<Vec<UserOnlineState>>> {
        Ok(Done::quietly(self.session()?.presence.states(None)))
    }

    /// The states of users now, subscribed or not, in the order asked for.
    pub async fn get_user_status(&self, user_ids: Vec<String>) -> Result<Done<Vec<UserOnlineState>>> {
        check_ids("userIDList", &user_ids)?;
        let session = self.session()?;
        let request = StatusRequest { user_id: &session.user_id, user_ids: &user_ids };
        let answer: StatusAnswer = session.rest("/user/get_users_status", &request).await?;
        let mut known: BTreeMap<String, Vec<i32>> = BTreeMap::new();
        for status in answer.status_list.unwrap_or_default() {
            let mut platforms = status.platform_ids.unwrap_or_default();
            platforms.sort_unstable();
            known.insert(status.user_id, platforms);
        }
        let value = user_ids
            .into_iter()
            .map(|user_id| {
                let platforms = known.get(&user_id).cloned().unwrap_or_default();
                state(user_id, platforms)
            })
            .collect();
        Ok(Done::quietly(value))
    }
}

#[derive(Serialize)]
struct StatusRequest<'a> {
    #[serde(rename = "userID")]
    user_id: &'a str,
    #[serde(rename = "userIDs")]
    user_ids: &'a [String],
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct StatusAnswer {
    #[serde(rename = "statusList")]
    status_list: Option<Vec<PlatformsOf>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PlatformsOf {
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "platformIDs")]
    platform_ids: Option<Vec<i32>>,
}

/// Request 2005. The number of the last event.
async fn ask(session: &Session, subscribe: Vec<String>, unsubscribe: Vec<String>) -> Result<u64> {
    if subscribe.is_empty() && unsubscribe.is_empty() {
        return Ok(0);
    }
    let asked_after = session.presence.pushes();
    let request = SubUserOnlineStatus { subscribe_user_id: subscribe, unsubscribe_user_id: unsubscribe };
    let answer = session.request(operation::SUB_ONLINE_STATUS, request.encode_to_vec()).await?;
    let tips: SubUserOnlineStatusTips = pull::decode(&answer)?;
    Ok(learn(session, Word::Answer(asked_after), tips))
}

/// The server forgot the subscriptions with the last connection: asks again, and tells what changed meanwhile.
pub(crate) async fn resubscribe(session: &Session) -> Result<()> {
    ask(session, session.presence.user_ids(), Vec::new()).await?;
    Ok(())
}

/// A push of the server.
pub(crate) fn pushed(session: &Session, payload: &[u8]) {
    match SubUserOnlineStatusTips::decode(payload) {
        Ok(tips) => {
            learn(session, Word::Push, tips);
        }
        Err(error) => tracing::warn!(%error, "unreadable push of online states"),
    }
}

fn learn(session: &Session, word: Word, tips: SubUserOnlineStatusTips) -> u64 {
    let news = session.presence.learn(word, tips.subscribers);
    if news.is_empty() { 0 } else { session.emit(news.into_iter().map(Event::UserStatusChanged).collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(user_id: &str, platforms: &[i32]) -> SubUserOnlineStatusElem {
        SubUserOnlineStatusElem { user_id: user_id.to_owned(), online_platform_i_ds: platforms.to_vec() }
    }

    #[test]
    fn the_first_answer_is_no_change_and_later_ones_are_told_once() {
        let presence = Presence::default();
        let bob = ["bob".to_owned()];
        let _asking = presence.subscribe(&bob);
        assert_eq!(presence.states(None), [], "nothing is known yet");
        assert_eq!(presence.learn(Word::Answer(0), vec![told("bob", &[5, 1])]), []);
        assert_eq!(presence.learn(Word::Push, vec![told("bob", &[1, 5])]), []);
        let offline = state("bob".to_owned(), Vec::new());
        let news = presence.learn(Word::Push, vec![told("bob", &[]), told("carol", &[1])]);
        assert_eq!(news, std::slice::from_ref(&offline));
        assert_eq!(presence.states(Some(&bob)), [offline]);
        presence.unsubscribe(&bob);
        assert_eq!(presence.learn(Word::Push, vec![told("bob", &[1])]), []);
    }

    #[test]
    fn a_call_that_fails_takes_back_only_what_no_other_call_asked_for() {
        let presence = Presence::default();
        let (bob, both) = (["bob".to_owned()], ["bob".to_owned(), "carol".to_owned()]);
        let failing = presence.subscribe(&both);
        let mut other = presence.subscribe(&bob);
        drop(failing);
        assert_eq!(presence.user_ids(), bob, "the other call still asks");
        other.succeeded = true;
        drop(other);
        drop(presence.subscribe(&both));
        assert_eq!(presence.user_ids(), bob, "subscribed before");
        let late = presence.subscribe(&both);
        presence.unsubscribe(&both);
        let _newer = presence.subscribe(&bob);
        drop(late);
        assert_eq!(presence.user_ids(), bob, "it was unsubscribed and asked for anew");
    }

    #[test]
    fn an_answer_does_not_take_back_what_a_push_told_since_the_request() {
        let presence = Presence::default();
        let bob = ["bob".to_owned()];
        let _asking = presence.subscribe(&bob);
        presence.learn(Word::Answer(0), vec![told("bob", &[])]);
        let asked_after = presence.pushes();
        let online = state("bob".to_owned(), vec![1]);
        assert_eq!(presence.learn(Word::Push, vec![told("bob", &[1])]), [online]);
        assert_eq!(presence.learn(Word::Answer(asked_after), vec![told("bob", &[])]), []);
        let offline = state("bob".to_owned(), Vec::new());
        assert_eq!(presence.learn(Word::Answer(presence.pushes()), vec![told("bob", &[])]), [offline]);
    }
}
