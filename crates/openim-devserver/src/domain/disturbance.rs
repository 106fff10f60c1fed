//! What levers do to pushes and open connections.

use std::sync::Arc;

use super::online::{Delivery, deliver};
use super::{Device, Frame, Outgoing, World};
use crate::environment::Environment;
use crate::error::Error;
use crate::faults::{Disturbance, Effect, Event, Point};
use crate::store::sql;

/// Seqs that a hole may have at most.
const LARGEST_HOLE: i64 = 1_000_000;

/// What levers ask about a pushed message; empty for other pushes.
#[derive(Clone, Copy, Default)]
pub(super) struct Pushed<'a> {
    pub(super) conversation_id: &'a str,
    pub(super) content_type: i32,
    pub(super) seq: i64,
}

/// Frames on their way, and those that levers hold back: lever, whether it is the last one, frames.
#[derive(Default)]
pub(super) struct Deliveries {
    pub(super) frames: Vec<Delivery>,
    held: Vec<(u64, bool, Vec<Delivery>)>,
}

impl Deliveries {
    /// Addresses a push to connections of one user; levers may have something against it.
    pub(super) fn push(
        &mut self,
        environment: &Environment,
        frame: &Arc<Frame>,
        pushed: Pushed<'_>,
        devices: Vec<Arc<Device>>,
    ) {
        let whole = |device: Arc<Device>| (device, Outgoing::Frame(frame.clone()));
        let faults = environment.faults();
        if !faults.any(Point::Push) {
            return self.frames.extend(devices.into_iter().map(whole));
        }
        let now = environment.true_now_ms();
        let events: Vec<_> = devices.iter().map(|device| event(device, frame, pushed, now)).collect();
        let Some(fate) = faults.take_of(Point::Push, &events) else {
            return self.frames.extend(devices.into_iter().map(whole));
        };
        let (concerned, spared): (Vec<_>, Vec<_>) = devices.into_iter().zip(fate.concerned).partition(|(_, it)| *it);
        self.frames.extend(spared.into_iter().map(|(device, _)| whole(device)));
        let concerned: Vec<_> = concerned.into_iter().map(|(device, _)| whole(device)).collect();
        if fate.effect == Effect::Reverse {
            self.held.push((fate.id, fate.is_last, concerned));
        } else {
            self.frames.extend(concerned.into_iter().flat_map(|delivery| suffered(delivery, &fate.effect)));
        }
    }

    /// Hands everything over, in order.
    pub(super) fn deliver(self, environment: &Environment) {
        deliver(self.frames);
        for (id, is_last, frames) in self.held {
            environment.faults().hold(id, is_last, move || deliver(frames));
        }
    }
}

/// What an effect makes of a frame.
pub(crate) fn suffered((device, outgoing): Delivery, effect: &Effect) -> Vec<Delivery> {
    let frame = match (&outgoing, effect) {
        (_, Effect::Drop) => return Vec::new(),
        (Outgoing::Frame(frame), Effect::Delay { .. } | Effect::Repeat) => frame.clone(),
        _ => return vec![(device, outgoing)],
    };
    match effect {
        Effect::Delay { ms } => vec![(device, Outgoing::Later { ms: *ms, frame })],
        _ => vec![(device.clone(), outgoing), (device, Outgoing::Frame(frame))],
    }
}

fn event<'a>(device: &'a Device, frame: &Frame, pushed: Pushed<'a>, now: i64) -> Event<'a> {
    Event {
        user_id: &device.user_id,
        platform_id: Some(device.handshake.platform_id),
        operation: Some(frame.response.req_identifier),
        path: None,
        content_type: pushed.content_type,
        conversation_id: pushed.conversation_id,
        seq: pushed.seq,
        age_ms: Some(now - device.opened_at),
    }
}

impl World {
    /// Does something to the open connections of a user, or of all users; gives their number.
    pub(crate) fn disturb(
        &mut self,
        user_id: Option<&str>,
        platform_id: Option<i32>,
        disturbance: Disturbance,
    ) -> Result<usize, Error> {
        disturbance.check()?;
        let of_platform =
            |device: &&Arc<Device>| platform_id.is_none_or(|platform| device.handshake.platform_id == platform);
        let devices: Vec<Arc<Device>> = match user_id {
            Some(user_id) => self.online.devices(user_id).iter().filter(of_platform).cloned().collect(),
            None => self.online.all().filter(of_platform).cloned().collect(),
        };
        let count = devices.len();
        match disturbance {
            Disturbance::Kick => {
                for device in &devices {
                    let (platform, token) = device.login();
                    let ended = [(platform, token.to_owned())];
                    self.end_tokens(&device.user_id.clone(), &ended);
                }
                self.kick(devices);
            }
            Disturbance::Stall => devices.iter().for_each(|device| device.gate.close()),
            Disturbance::Resume => devices.iter().for_each(|device| device.gate.open()),
            Disturbance::Close { code, reason } => self.send_to_all(devices, move || match code {
                Some(code) => Outgoing::CloseWith { code, reason: reason.clone() },
                None => Outgoing::Close,
            }),
            Disturbance::Send { frame } => self.send_to_all(devices, move || Outgoing::Raw(frame.clone())),
        }
        Ok(count)
    }

    fn send_to_all(&self, devices: Vec<Arc<Device>>, outgoing: impl Fn() -> Outgoing + Send + 'static) {
        self.store.after(move || deliver(devices.into_iter().map(|device| (device, outgoing())).collect()));
    }

    /// Skips seqs of a conversation, which then exist nowhere and are served as placeholders, as after a real server
    /// lost its cache (gateway.md 11.5); gives the newest seq.
    pub(crate) fn make_hole(&mut self, conversation_id: &str, count: i64) -> Result<i64, Error> {
        let wrong = |field: &str, reason: String| Err(Error::Args { field: field.into(), reason });
        if !(1..=LARGEST_HOLE).contains(&count) {
            return wrong("count", format!("must be 1 to {LARGEST_HOLE}"));
        }
        let now = self.environment.now_ms();
        let Some(stream) = self.streams.get_mut(conversation_id).filter(|stream| stream.max_seq > 0) else {
            return wrong("conversationID", format!("is {conversation_id}, which has no message yet"));
        };
        stream.max_seq += count;
        stream.max_seq_time = now;
        let (id, newest) = (stream.id, stream.max_seq);
        self.store.submit(move |batch| sql::raise_seq_floor(batch.db()?, id, newest));
        Ok(newest)
    }
}
