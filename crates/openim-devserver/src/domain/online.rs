//! Connections: who is online where, and kicks.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use openim_proto::constants::{operation, platform};
use openim_proto::envelope::Response;

use super::gate::Gate;
use super::token::KICKED;
use super::{Frame, Outbox, Outgoing, World, multi_login};

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
    /// Number of the connection.
    pub(super) id: u64,
    /// Whose it is.
    pub(crate) user_id: Arc<str>,
    /// From where.
    pub(crate) handshake: Handshake,
    /// Whether the application said that it went to the background.
    pub(crate) in_background: AtomicBool,
    /// When it opened, ms, by the clock that no lever moves.
    pub(super) opened_at: i64,
    /// What waits to be written.
    pub(crate) outbox: Outbox,
    /// Closed while it is silent.
    pub(crate) gate: Arc<Gate>,
}

impl Device {
    /// Platform and token.
    pub(super) fn login(&self) -> (i32, &str) {
        (self.handshake.platform_id, &self.handshake.token)
    }

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
}

impl Online {
    /// Connections of a user, oldest first.
    pub(crate) fn devices(&self, user_id: &str) -> &[Arc<Device>] {
        self.devices.get(user_id).map_or(&[], Vec::as_slice)
    }

    /// Every connection.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Device>> {
        self.devices.values().flatten()
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
}

impl World {
    /// Registers a connection, ends those whose place it takes (gateway.md 9.2) and tells those who watch its user.
    pub(crate) fn connect(&mut self, handshake: Handshake, outbox: Outbox, gate: Arc<Gate>) -> Arc<Device> {
        let user_id = self
            .users
            .get(handshake.user_id.as_str())
            .map_or_else(|| handshake.user_id.as_str().into(), |user| user.id.clone());
        self.online.last_id += 1;
        let device = Arc::new(Device {
            id: self.online.last_id,
            user_id: user_id.clone(),
            handshake,
            in_background: AtomicBool::new(false),
            opened_at: self.environment.true_now_ms(),
            outbox,
            gate,
        });
        let Handshake { platform_id, token, .. } = &device.handshake;
        if self.token_state(&user_id, *platform_id, token) == Some(KICKED) {
            // another login took its place while it was being let in
            self.say_goodbye(vec![device.clone()]);
            return device;
        }
        let before = self.online.platforms(&user_id);
        let replaced = self.replaced_by(&device);
        for old in &replaced {
            self.remove(old);
        }
        self.say_goodbye(replaced);
        self.online.devices.entry(user_id.clone()).or_default().push(device.clone());
        self.tell_watchers(&user_id, &before);
        device
    }

    /// Forgets a connection and tells those who watch its user.
    pub(crate) fn disconnect(&mut self, device: &Device) {
        let before = self.online.platforms(&device.user_id);
        self.remove(device);
        self.tell_watchers(&device.user_id, &before);
    }

    /// The connections that a new one ends; ends their tokens.
    fn replaced_by(&mut self, device: &Device) -> Vec<Arc<Device>> {
        let policy = self.config.multi_login.policy;
        let others = self.online.devices(&device.user_id);
        let Some(user) = self.users.get(&device.user_id).filter(|_| !others.is_empty()) else { return Vec::new() };
        let login = device.login();
        let replaced: Vec<_> =
            others.iter().filter(|old| multi_login::closes(policy, login, old.login())).cloned().collect();
        let closed: Vec<_> = replaced.iter().map(|old| old.login()).collect();
        let ended = multi_login::ended_by_connection(policy, &user.tokens, login, &closed);
        self.end_tokens(&device.user_id, &ended);
        replaced
    }

    fn remove(&mut self, device: &Device) {
        self.subscriptions.end(device.id);
        if let Some(devices) = self.online.devices.get_mut(&device.user_id) {
            devices.retain(|other| other.id != device.id);
            if devices.is_empty() {
                self.online.devices.remove(&device.user_id);
            }
        }
    }

    /// Ends connections with a kick frame: they are offline at once, whenever their peers take note (gateway.md 9.3).
    pub(crate) fn kick(&mut self, devices: Vec<Arc<Device>>) {
        for device in &devices {
            self.disconnect(device);
        }
        self.say_goodbye(devices);
    }

    fn say_goodbye(&self, devices: Vec<Arc<Device>>) {
        if devices.is_empty() {
            return;
        }
        let frame = Frame::new(Response { req_identifier: operation::KICK_ONLINE, ..Response::default() });
        self.store.after(move || {
            for device in devices {
                device.outbox.push(Outgoing::Frame(frame.clone()));
                device.outbox.push(Outgoing::Close);
            }
        });
    }
}
