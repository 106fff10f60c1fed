//! Conversation ids (gateway.md section 5). Ids are built, never parsed: user ids may contain `_`.

use crate::constants::session;
use crate::options;
use crate::sdkws::MsgData;

/// The two ids in byte-wise ascending order, joined with `_`.
fn pair(a: &str, b: &str) -> String {
    if a <= b { format!("{a}_{b}") } else { format!("{b}_{a}") }
}

/// Single chat of two users: `si_<a>_<b>`.
pub fn single(a: &str, b: &str) -> String {
    format!("si_{}", pair(a, b))
}

/// Group chat: `sg_<groupID>`.
pub fn group(group_id: &str) -> String {
    format!("sg_{group_id}")
}

/// Conversation of a notification account with a user (sessionType 4): `sn_<a>_<b>`. Synced like a chat.
pub fn notification_account(a: &str, b: &str) -> String {
    format!("sn_{}", pair(a, b))
}

/// Notification stream of two users, or of one with himself: `n_<a>_<b>`.
pub fn notification_pair(a: &str, b: &str) -> String {
    format!("n_{}", pair(a, b))
}

/// Notification stream of a group: `n_<groupID>`.
pub fn notification_group(group_id: &str) -> String {
    format!("n_{group_id}")
}

/// The notification stream beside a chat conversation: everything before the first `_` becomes `n`.
pub fn notification_of(conversation_id: &str) -> String {
    match conversation_id.split_once('_') {
        Some((_, rest)) => format!("n_{rest}"),
        None => format!("n_{conversation_id}"),
    }
}

/// Whether the id names a notification stream. `sn_…` does not: it is a conversation.
pub fn is_notification(conversation_id: &str) -> bool {
    conversation_id.starts_with("n_")
}

/// Whether a session type is one of groups: then a conversation has a group, else a peer.
pub fn is_group(session_type: i32) -> bool {
    matches!(session_type, session::GROUP | session::GROUP_LEGACY)
}

/// The chat conversation of a session type, or `None` for a number that is no session type.
/// `source_id` is the peer's user id, or the group id for group sessions.
pub fn chat(session_type: i32, self_id: &str, source_id: &str) -> Option<String> {
    match session_type {
        session::SINGLE => Some(single(self_id, source_id)),
        session::GROUP_LEGACY => Some(format!("g_{source_id}")),
        session::GROUP => Some(group(source_id)),
        session::NOTIFICATION => Some(notification_account(self_id, source_id)),
        _ => None,
    }
}

/// The conversation or stream that a message belongs to: the `n_` form if its option `isNotNotification` is false,
/// otherwise the chat form of its session type. `None` for an unknown session type.
pub fn of_message(message: &MsgData) -> Option<String> {
    if options::is_on(&message.options, options::IS_NOT_NOTIFICATION) {
        let source = match message.session_type {
            session::GROUP | session::GROUP_LEGACY => &message.group_id,
            _ => &message.recv_id,
        };
        return chat(message.session_type, &message.send_id, source);
    }
    match message.session_type {
        session::SINGLE | session::NOTIFICATION => Some(notification_pair(&message.send_id, &message.recv_id)),
        session::GROUP | session::GROUP_LEGACY => Some(notification_group(&message.group_id)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_specification() {
        assert_eq!(single("u1", "u2"), "si_u1_u2");
        assert_eq!(single("b", "a"), "si_a_b");
        assert_eq!(group("42"), "sg_42");
        assert_eq!(notification_group("42"), "n_42");
        assert_eq!(notification_of("si_a_b"), "n_a_b");
        assert_eq!(notification_of("sg_123"), "n_123");
        assert_eq!(notification_of("sn_a_b"), "n_a_b");
        assert!(is_notification("n_a_b") && !is_notification("sn_a_b"));
    }

    #[test]
    fn a_message_finds_its_stream_by_option_and_session() {
        let mut message =
            MsgData { send_id: "b".into(), recv_id: "a".into(), session_type: session::SINGLE, ..Default::default() };
        assert_eq!(of_message(&message).as_deref(), Some("si_a_b"));
        message.options.insert(options::IS_NOT_NOTIFICATION.into(), false);
        assert_eq!(of_message(&message).as_deref(), Some("n_a_b"));
        message.session_type = session::GROUP;
        message.group_id = "g1".into();
        assert_eq!(of_message(&message).as_deref(), Some("n_g1"));
        message.session_type = 9;
        assert_eq!(of_message(&message), None);
    }
}
