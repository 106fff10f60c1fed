//! Opening a connection: parameters, token, and every way to be refused (gateway.md 1.2 to 1.4).

use std::io::Result;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openim_proto::constants::platform;
use openim_proto::envelope::HandshakeReply;
use openim_proto::error_code;
use openim_proto::wire::{Wire, WireFormat};
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::head::{self, Head};
use crate::domain::{Domain, Fault, Handshake};
use crate::faults::{Effect, Event, Point};

/// How long a client may take for its request.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection that was let in.
pub(super) struct Opened {
    /// Who it is.
    pub(super) handshake: Handshake,
    /// How it encodes.
    pub(super) wire: Wire,
    /// Bytes of the first frames that came with the request.
    pub(super) rest: Vec<u8>,
}

/// The parameters, from the query or packed into `v`.
struct Parameters {
    handshake: Handshake,
    wire: Wire,
    wants_reply: bool,
}

/// The JSON inside `v`.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Packed {
    token: String,
    #[serde(rename = "userID")]
    user_id: String,
    #[serde(rename = "platformID")]
    platform_id: i32,
    #[serde(rename = "operationID")]
    operation_id: String,
    compression: String,
    sdk_type: String,
    send_response: bool,
    sdk_version: String,
}

/// Reads the request and lets it in, or answers the refusal and returns `None`.
pub(super) async fn open(stream: &mut TcpStream, domain: &Domain, full: bool) -> Result<Option<Opened>> {
    let head = tokio::time::timeout(PATIENCE, Head::read(stream)).await??;
    let parameters = match full {
        true => Err(Fault::new(error_code::CONN_OVER_MAX_NUM_LIMIT, "too many connections")),
        false => Parameters::of(&head),
    };
    let parameters = match parameters {
        Ok(parameters) => parameters,
        Err(fault) => return refuse(stream, &fault).await,
    };
    let admitted = admit(domain, &parameters.handshake);
    // what is not about the token is told before the upgrade, even if a reply was asked for
    if let Err(fault) = &admitted
        && !(parameters.wants_reply && error_code::is_token_error(fault.code))
    {
        return refuse(stream, fault).await;
    }
    let Some(accept) = head.accept else {
        let fields = "Content-Type: text/plain; charset=utf-8\r\nSec-Websocket-Version: 13\r\nX-Content-Type-Options: nosniff\r\n";
        head::answer(stream, "400 Bad Request", fields, "Bad Request\n").await?;
        return Ok(None);
    };
    head::switch(stream, &accept).await?;
    if parameters.wants_reply {
        stream.write_all(&text_frame(&reply_text(admitted.as_ref().err()))).await?;
    }
    match admitted {
        Ok(()) => Ok(Some(Opened { handshake: parameters.handshake, wire: parameters.wire, rest: head.rest })),
        Err(_) => {
            // the real server closes without a close frame
            stream.shutdown().await?;
            Ok(None)
        }
    }
}

fn admit(domain: &Domain, handshake: &Handshake) -> std::result::Result<(), Fault> {
    let event = Event { user_id: &handshake.user_id, platform_id: Some(handshake.platform_id), ..Event::default() };
    if let Some(Effect::Refuse { code, message }) =
        domain.environment.faults().take(Point::Handshake, &event).map(|fate| fate.effect)
    {
        return Err(Fault::made(code, message));
    }
    let claims = domain.jwt.read(&handshake.token, domain.environment.now_ms())?;
    domain.world().check_token(&claims, &handshake.token)?;
    let invalid = |detail: String| Fault::new(error_code::TOKEN_INVALID, detail);
    if claims.user_id != handshake.user_id {
        return Err(invalid(format!("token uid {} != userID {}", claims.user_id, handshake.user_id)));
    }
    if claims.platform_id != handshake.platform_id {
        return Err(invalid(format!("token platform {} != platformID {}", claims.platform_id, handshake.platform_id)));
    }
    Ok(())
}

impl Parameters {
    fn of(head: &Head) -> std::result::Result<Self, Fault> {
        let packed = head.parameter("v");
        let packed = if packed.is_empty() { Self::from_query(head)? } else { Self::unpack(packed)? };
        for (value, name) in
            [(&packed.operation_id, "operationID"), (&packed.token, "token"), (&packed.user_id, "sendID")]
        {
            if value.is_empty() {
                return Err(Fault::new(error_code::CONN_ARGS, format!("{name} is empty")));
            }
        }
        if platform::name(packed.platform_id).is_none() {
            return Err(Fault::new(error_code::CONN_ARGS, "platformID is invalid"));
        }
        let Some(format) = WireFormat::from_sdk_type(&packed.sdk_type) else {
            return Err(Fault::new(error_code::CONN_ARGS, "sdkType is invalid"));
        };
        let compression = if packed.compression.is_empty() { &head.compression } else { &packed.compression };
        Ok(Self {
            wire: Wire { format, gzip: compression == "gzip" },
            wants_reply: packed.send_response,
            handshake: Handshake {
                user_id: packed.user_id,
                platform_id: packed.platform_id,
                token: packed.token,
                operation_id: packed.operation_id,
                sdk_version: packed.sdk_version,
            },
        })
    }

    fn from_query(head: &Head) -> std::result::Result<Packed, Fault> {
        let text = |name| head.parameter(name).to_owned();
        let platform_id = head.parameter("platformID").parse();
        let platform_id = platform_id.map_err(|_| Fault::new(error_code::CONN_ARGS, "platformID is not int"))?;
        let send_response = match head.parameter("isMsgResp") {
            "" => false,
            word => go_bool(word).ok_or_else(|| Fault::new(error_code::CONN_ARGS, "isMsgResp is not bool"))?,
        };
        // must be a boolean, and then does not count: a connection starts in the foreground
        go_bool(head.parameter("isBackground")).ok_or_else(|| Fault::internal("invalid syntax"))?;
        Ok(Packed {
            token: text("token"),
            user_id: text("sendID"),
            platform_id,
            operation_id: text("operationID"),
            compression: text("compression"),
            sdk_type: text("sdkType"),
            send_response,
            sdk_version: text("sdkVersion"),
        })
    }

    fn unpack(packed: &str) -> std::result::Result<Packed, Fault> {
        let wrong = |error: String| Fault::new(error_code::CONN_ARGS, error);
        let json = URL_SAFE_NO_PAD.decode(packed).map_err(|error| wrong(error.to_string()))?;
        serde_json::from_slice(&json).map_err(|error| wrong(error.to_string()))
    }
}

/// The words that Go reads as booleans.
fn go_bool(word: &str) -> Option<bool> {
    match word {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

async fn refuse(stream: &mut TcpStream, fault: &Fault) -> Result<Option<Opened>> {
    let fields = "Content-Type: application/json; charset=utf-8\r\n";
    head::answer(stream, "200 OK", fields, &reply_text(Some(fault))).await?;
    Ok(None)
}

fn reply_text(fault: Option<&Fault>) -> String {
    let reply = fault.map_or_else(HandshakeReply::default, |fault| HandshakeReply {
        err_code: fault.code,
        err_msg: fault.message.clone().into(),
        err_dlt: fault.detail.clone().into(),
    });
    serde_json::to_string(&reply).unwrap_or_default()
}

/// An unmasked text frame; replies are far shorter than 64 kB.
fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u8::try_from(text.len()) {
        Ok(length) if length < 126 => frame.push(length),
        _ => {
            frame.push(126);
            frame.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    frame.extend(text.as_bytes());
    frame
}
