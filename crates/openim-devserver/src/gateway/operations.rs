//! What clients ask for over the gateway (gateway.md section 3).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use openim_proto::Message;
use openim_proto::constants::operation;
use openim_proto::envelope::{Request, Response};
use openim_proto::error_code;
use openim_proto::msg::{GetConversationsHasReadAndMaxSeqReq, GetLastMessageReq, GetSeqMessageReq};
use openim_proto::push::DelUserPushTokenReq;
use openim_proto::sdkws::{
    GetMaxSeqReq, MsgData, PullMessageBySeqsReq, SetAppBackgroundStatusReq, SubUserOnlineStatus,
};

use crate::domain::{Caller, Delivery, Device, Domain, Fault, Frame, Outgoing, deliver, suffered};
use crate::faults::{Effect, Event, Point};

/// The platforms that have push tokens.
const PUSH_PLATFORMS: std::ops::RangeInclusive<i32> = 1..=9;

/// Handles a request and queues its answer; false if the connection must be closed then.
pub(super) async fn handle(request: Request, device: &Arc<Device>, domain: &Arc<Domain>) -> bool {
    if *request.send_id != *device.user_id {
        return false;
    }
    let caller = Caller {
        user_id: device.user_id.clone(),
        is_admin: domain.is_admin(&device.user_id),
        operation_id: request.operation_id.clone(),
    };
    let asked = Event {
        user_id: &device.user_id,
        platform_id: Some(device.handshake.platform_id),
        operation: Some(request.req_identifier),
        ..Event::default()
    };
    let outcome = match domain.environment.faults().take(Point::Request, &asked).map(|fate| fate.effect) {
        Some(Effect::Refuse { code, message }) => Err(Fault::made(code, message)),
        Some(_) => return true,
        None => match request.req_identifier {
            operation::SEND_MSG => return send(request, &caller, device, domain).await,
            operation::GET_NEWEST_SEQ => newest_seqs(&request, &caller, domain),
            operation::PULL_BY_RANGE => pull_ranges(&request, &caller, domain).await,
            operation::SEND_SIGNAL_MSG => Err(Fault::args("there are no call signals")),
            operation::PULL_BY_SEQS => pull_lists(&request, &caller, domain).await,
            operation::GET_CONV_MAX_READ_SEQ => read_states(&request, &caller, domain),
            operation::PULL_CONV_LAST_MESSAGE => last_messages(&request, &caller, domain).await,
            operation::LOGOUT => logout(&request, &caller, domain),
            operation::SET_BACKGROUND => set_background(&request, device),
            operation::SUB_ONLINE_STATUS => watch(&request, device, domain),
            _ => return false,
        },
    };
    let answers = addressed(answer(&request, outcome), device, domain);
    // in the queue, behind the answers of messages that are not committed yet
    domain.store.after(move || deliver(answers));
    request.req_identifier != operation::LOGOUT
}

async fn send(request: Request, caller: &Caller, device: &Arc<Device>, domain: &Domain) -> bool {
    let refused = match decode::<MsgData>(&request) {
        Ok(message) => {
            let accepted = |response: &openim_proto::msg::SendMsgResp| {
                addressed(answer(&request, Ok(response.encode_to_vec())), device, domain)
            };
            domain.world().send(caller, message, accepted).err()
        }
        Err(fault) => Some(fault),
    };
    if let Some(fault) = refused {
        let answers = addressed(answer(&request, Err(fault)), device, domain);
        domain.store.after(move || deliver(answers));
    }
    if domain.store.is_behind() {
        domain.store.committed().await;
    }
    true
}

fn newest_seqs(request: &Request, caller: &Caller, domain: &Domain) -> Result<Vec<u8>, Fault> {
    let wanted: GetMaxSeqReq = decode(request)?;
    caller.must_be(&wanted.user_id)?;
    Ok(domain.world().newest_seqs(&wanted.user_id).encode_to_vec())
}

async fn pull_ranges(request: &Request, caller: &Caller, domain: &Domain) -> Result<Vec<u8>, Fault> {
    let wanted: PullMessageBySeqsReq = decode(request)?;
    caller.must_be(&wanted.user_id)?;
    let user_id = wanted.user_id.clone();
    Ok(domain.pull_ranges(&user_id, wanted).await?.encode_to_vec())
}

async fn pull_lists(request: &Request, caller: &Caller, domain: &Domain) -> Result<Vec<u8>, Fault> {
    let wanted: GetSeqMessageReq = decode(request)?;
    let user_id = own_or_named(caller, &wanted.user_id)?;
    Ok(domain.pull_lists(&user_id, wanted).await?.encode_to_vec())
}

fn read_states(request: &Request, caller: &Caller, domain: &Domain) -> Result<Vec<u8>, Fault> {
    let wanted: GetConversationsHasReadAndMaxSeqReq = decode(request)?;
    if wanted.user_id.is_empty() {
        return Err(Fault::args("userID is empty"));
    }
    caller.must_be(&wanted.user_id)?;
    let states = domain.world().read_states(&wanted.user_id, wanted.conversation_i_ds, wanted.return_pinned);
    Ok(states.encode_to_vec())
}

async fn last_messages(request: &Request, caller: &Caller, domain: &Domain) -> Result<Vec<u8>, Fault> {
    let wanted: GetLastMessageReq = decode(request)?;
    let user_id = own_or_named(caller, &wanted.user_id)?;
    Ok(domain.last_messages(&user_id, wanted.conversation_i_ds).await?.encode_to_vec())
}

fn logout(request: &Request, caller: &Caller, domain: &Domain) -> Result<Vec<u8>, Fault> {
    let wanted: DelUserPushTokenReq = decode(request)?;
    if request.data.is_empty() {
        return Ok(Vec::new());
    }
    if !PUSH_PLATFORMS.contains(&wanted.platform_id) {
        return Err(Fault::args("platformID is invalid"));
    }
    caller.must_be(&wanted.user_id)?;
    domain.world().forget_push_token(wanted.user_id, wanted.platform_id);
    Ok(Vec::new())
}

fn set_background(request: &Request, device: &Device) -> Result<Vec<u8>, Fault> {
    let wanted: SetAppBackgroundStatusReq = decode(request)?;
    device.in_background.store(wanted.is_background, Ordering::Relaxed);
    Ok(Vec::new())
}

fn watch(request: &Request, device: &Arc<Device>, domain: &Domain) -> Result<Vec<u8>, Fault> {
    let wanted: SubUserOnlineStatus = decode(request)?;
    let states = domain.world().watch(device, &wanted.subscribe_user_id, &wanted.unsubscribe_user_id);
    Ok(states.encode_to_vec())
}

/// The user of a request in which older clients leave it out.
fn own_or_named(caller: &Caller, user_id: &str) -> Result<String, Fault> {
    if user_id.is_empty() {
        return Ok(caller.user_id.to_string());
    }
    caller.must_be(user_id)?;
    Ok(user_id.to_owned())
}

fn decode<T: Message + Default>(request: &Request) -> Result<T, Fault> {
    T::decode(request.data.as_slice()).map_err(|error| Fault::internal(error.to_string()))
}

/// An answer on its way, as levers let it go.
fn addressed(frame: Arc<Frame>, device: &Arc<Device>, domain: &Domain) -> Vec<Delivery> {
    let answered = Event {
        user_id: &device.user_id,
        platform_id: Some(device.handshake.platform_id),
        operation: Some(frame.response.req_identifier),
        ..Event::default()
    };
    let delivery = (device.clone(), Outgoing::Frame(frame));
    match domain.environment.faults().take(Point::Answer, &answered) {
        None => vec![delivery],
        Some(fate) => suffered(delivery, &fate.effect),
    }
}

fn answer(request: &Request, outcome: Result<Vec<u8>, Fault>) -> Arc<Frame> {
    let (err_code, err_msg, data) = match outcome {
        Ok(data) => (error_code::OK, String::new(), data),
        Err(fault) => (fault.code, fault.message.into_owned(), Vec::new()),
    };
    Frame::new(Response {
        req_identifier: request.req_identifier,
        msg_incr: request.msg_incr.clone(),
        operation_id: request.operation_id.clone(),
        err_code,
        err_msg,
        data,
    })
}
