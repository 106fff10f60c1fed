//! The API structs: what events and results carry, and the source of the TypeScript types. Times are milliseconds
//! unless a field says otherwise; every field is always present; absent lists are `[]`.

mod conversation;
mod friend;
mod keyless;
mod message;
mod receipt;
mod status;
mod user;

pub use conversation::Conversation;
pub use friend::{Black, FoundFriend, Friend, FriendApplication, Friendship};
pub use keyless::KEYS;
pub(crate) use keyless::Keyless;
pub use message::{
    AdvancedHistoryMessages, AttachedInfoElem, Body, GroupHasReadInfo, Message, MessageSendState, OfflinePush,
    SendError,
};
pub use receipt::Receipt;
pub use status::{ConnectionStatus, LoginStatus, Stats, Status, SyncStatus};
pub use user::{PublicUserInfo, SelfUserInfo, UserOnlineState};
