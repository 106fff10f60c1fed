//! Connections: who is online where, who watches whom, and kicks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use openim_proto::Message as _;
use openim_proto::constants::{operation, platform};
use openim_proto::envelope::Response;
use openim_proto::sdkws::{SubUserOnlineStatusElem, SubUserOnlineStatusTips};

use super::{Frame, Outbox, Outgoing, World};

/// What a connection said when it opened.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Handshake {
    /// The user, equal to the token's.
    pub(crate) user_id: String,
    /// The platform, equal to the token's.
    pub(crate) platform_id: i32,
    /// The token.
    pub(crate) token: String,
    /// Trace id of the connection.
    pub(crate) operation_id: String,
    /// Version text of the client's SDK.
    pub(crate) sdk_version: String,
}

/// A connection.
pub(crate) struct Device {
    id: u64,
    /// Whose it is.
    pub(crate) user_id: Arc<str>,
    /// From where.
    pub(crate) handshake: Handshake,
    /// Whether the application said that it went to the background.
    pub(crate) in_background: AtomicBool,
    /// What waits to be written.
    pub(crate) outbox: Outbox,
}

impl Device {
    /// Whether pushes reach it: an iOS application in the background sleeps.
    fn takes_pushes(&self) -> bool {
        self.handshake.platform_id != platform::IOS || !self.in_background.load(Ordering::Relaxed)
    }
}

/// A frame on its way to a connection.
pub(crate) type Delivery = (Arc<Device>, Outgoing);

/// Hands frames over, in order.
pub(crate) fn deliver(deliveries: Vec<Delivery>) {
    for (device, outgoing) in deliveries {
        device.outbox.push(outgoing);
    }
}

/// All connections.
#[derive(Default)]
pub(crate) struct Online {
    last_id: u64,
    devices: HashMap<Arc<str>, Vec<Arc<Device>>>,
    /// Watched user to the connections that watch.
    watchers: HashMap<Arc<str>, BTreeMap<u64, Arc<Device>>>,
    /// Connection to the users that it watches.
    watched: HashMap<u64, BTreeSet<Arc<str>>>,
}

impl Online {
    /// Connections of a user, oldest first.
    pub(crate) fn devices(&self, user_id: &str) -> &[Arc<Device>] {
        self.devices.get(user_id).map_or(&[], Vec::as_slice)
    }

    /// Platforms on which a user is online, ascending.
    pub(crate) fn platforms(&self, user_id: &str) -> Vec<i32> {
        self.devices(user_id)
            .iter()
            .map(|device| device.handshake.platform_id)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// Connections of a user that take pushes.
    pub(super) fn push_targets<'a>(&'a self, user_id: &str) -> impl Iterator<Item = &'a Arc<Device>> + use<'a> {
        self.devices(user_id).iter().filter(|device| device.takes_pushes())
    }

    fn state_of(&self, user_id: &str) -> SubUserOnlineStatusElem {
        SubUserOnlineStatusElem { user_id: user_id.to_owned(), online_platform_i_ds: self.platforms(user_id) }
    }
}

impl World {
    /// Registers a connection and tells those who watch its user.
    pub(crate) fn connect(&mut self, handshake: Handshake, outbox: Outbox) -> Arc<Device> {
        let user_id = self
            .users
            .get(handshake.user_id.as_str())
            .map_or_else(|| handshake.user_id.as_str().into(), |user| user.id.clone());
        let before = self.online.platforms(&user_id);
        self.online.last_id += 1;
        let device = Arc::new(Device {
            id: self.online.last_id,
            user_id: user_id.clone(),
            handshake,
            in_background: AtomicBool::new(false),
            outbox,
        });
        self.online.devices.entry(user_id.clone()).or_default().push(device.clone());
        self.tell_watchers(&user_id, &before);
        device
    }

    /// Forgets a connection and tells those who watch its user.
    pub(crate) fn disconnect(&mut self, device: &Device) {
        for user_id in self.online.watched.remove(&device.id).unwrap_or_default() {
            self.unwatch(device.id, &user_id);
        }
        let before = self.online.platforms(&device.user_id);
        if let Some(devices) = self.online.devices.get_mut(&device.user_id) {
            devices.retain(|other| other.id != device.id);
            if devices.is_empty() {
                self.online.devices.remove(&device.user_id);
            }
        }
        self.tell_watchers(&device.user_id, &before);
    }

    /// Changes what a connection watches; answers the state of every user newly asked for.
    pub(crate) fn watch(
        &mut self,
        device: &Arc<Device>,
        subscribe: &[String],
        unsubscribe: &[String],
    ) -> SubUserOnlineStatusTips {
        for user_id in unsubscribe {
            self.unwatch(device.id, user_id);
            if let Some(watched) = self.online.watched.get_mut(&device.id) {
                watched.remove(user_id.as_str());
            }
        }
        for user_id in subscribe {
            let user_id: Arc<str> = user_id.as_str().into();
            self.online.watchers.entry(user_id.clone()).or_default().insert(device.id, device.clone());
            self.online.watched.entry(device.id).or_default().insert(user_id);
        }
        SubUserOnlineStatusTips { subscribers: subscribe.iter().map(|user_id| self.online.state_of(user_id)).collect() }
    }

    /// Ends all connections of a user on a platform with a kick frame.
    pub(crate) fn kick(&mut self, user_id: &str, platform_id: i32) {
        let frame = Frame::new(Response { req_identifier: operation::KICK_ONLINE, ..Response::default() });
        let kicked = self.online.devices(user_id).iter().filter(|device| device.handshake.platform_id == platform_id);
        let deliveries: Vec<Delivery> = kicked
            .flat_map(|device| [(device.clone(), Outgoing::Frame(frame.clone())), (device.clone(), Outgoing::Close)])
            .collect();
        self.store.after(move || deliver(deliveries));
    }

    fn unwatch(&mut self, device_id: u64, user_id: &str) {
        if let Some(watchers) = self.online.watchers.get_mut(user_id) {
            watchers.remove(&device_id);
            if watchers.is_empty() {
                self.online.watchers.remove(user_id);
            }
        }
    }

    fn tell_watchers(&self, user_id: &str, before: &[i32]) {
        let Some(watchers) = self.online.watchers.get(user_id) else { return };
        let state = self.online.state_of(user_id);
        if state.online_platform_i_ds == before {
            return;
        }
        let frame = Frame::new(Response {
            req_identifier: operation::SUB_ONLINE_STATUS,
            data: SubUserOnlineStatusTips { subscribers: vec![state] }.encode_to_vec(),
            ..Response::default()
        });
        let deliveries: Vec<Delivery> =
            watchers.values().map(|device| (device.clone(), Outgoing::Frame(frame.clone()))).collect();
        self.store.after(move || deliver(deliveries));
    }
}
