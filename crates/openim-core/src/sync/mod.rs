//! From what the server says to rows and events. `gaps`, `unread`, `versions` and `lists` are pure: state and input in,
//! state and effects out. `inbound`, `notifications` and `people` apply what arrived inside one transaction; `changes` turns what a
//! transaction did into events. Nothing here talks to the network.

pub(crate) mod changes;
pub(crate) mod gaps;
pub(crate) mod inbound;
pub(crate) mod lists;
pub(crate) mod notifications;
pub(crate) mod people;
pub(crate) mod reset;
pub(crate) mod unread;
pub(crate) mod versions;

#[cfg(test)]
mod tests;

/// Which comparison with the server it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Comparison {
    /// The first sync of this device.
    pub(crate) first: bool,
    /// Not the first one of this session: listeners have heard of everything up to here and expect no hole.
    pub(crate) again: bool,
}
