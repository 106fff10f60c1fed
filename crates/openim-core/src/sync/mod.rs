//! From what the server says to rows and events. `gaps`, `unread` and `versions` are pure: state and input in, state and
//! effects out. `inbound` and `notifications` apply what arrived inside one transaction; `changes` turns what a
//! transaction did into events. Nothing here talks to the network.

pub(crate) mod changes;
pub(crate) mod gaps;
pub(crate) mod inbound;
pub(crate) mod notifications;
pub(crate) mod unread;
pub(crate) mod versions;

#[cfg(test)]
mod tests;
