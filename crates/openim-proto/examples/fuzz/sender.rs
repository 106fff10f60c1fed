//! Gob streams of senders that never were: structs with some of a request's fields in any order, among fields of random
//! types, written by an encoder that shares no code with the one under test.

use openim_proto::envelope::Request;

use super::random::Random;

/// A type as Go knows it.
enum Kind {
    /// bool, int, uint, float: a number each, with this id.
    Number(i64),
    /// Byte slice or string.
    Text(i64),
    Complex,
    Opaque(i64),
    Sequence(i64, Box<Kind>),
    Map(i64, Box<(Kind, Kind)>),
    Struct(i64, Vec<Kind>),
}

impl Kind {
    fn id(&self) -> i64 {
        match self {
            Self::Number(id) | Self::Text(id) | Self::Opaque(id) => *id,
            Self::Complex => 7,
            Self::Sequence(id, _) | Self::Map(id, _) | Self::Struct(id, _) => *id,
        }
    }
}

#[derive(Default)]
struct Sender {
    definitions: Vec<Vec<u8>>,
    last_id: i64,
}

/// A frame, and the request that any reader must find in it.
pub fn request(random: &mut Random) -> (Vec<u8>, Request) {
    let mut sender = Sender { last_id: 63 + random.below(500) as i64, ..Sender::default() };
    let mut expected = Request::default();
    // name, type, value
    let mut fields: Vec<(String, i64, Vec<u8>)> = Vec::new();
    let text = |random: &mut Random| "张a_".repeat(random.below(40));
    for name in ["ReqIdentifier", "Token", "SendID", "OperationID", "MsgIncr", "Data"] {
        if !fields.is_empty() && random.once_in(4) {
            continue;
        }
        let mut value = Vec::new();
        let id = match name {
            "ReqIdentifier" => {
                expected.req_identifier = random.number() as i32;
                signed(&mut value, expected.req_identifier.into());
                2
            }
            "Data" => {
                expected.data = (0..random.below(400)).map(|_| random.next() as u8).collect();
                counted(&mut value, &expected.data);
                5
            }
            _ => {
                let into = match name {
                    "Token" => &mut expected.token,
                    "SendID" => &mut expected.send_id,
                    "OperationID" => &mut expected.operation_id,
                    _ => &mut expected.msg_incr,
                };
                *into = text(random);
                counted(&mut value, into.as_bytes());
                6
            }
        };
        fields.insert(random.below(fields.len() + 1), (name.to_owned(), id, value));
    }
    for extra in 0..random.below(6) {
        let kind = sender.kind(random, 0);
        let mut bytes = Vec::new();
        value(random, &kind, &mut bytes);
        let name = *random.pick(&["reqIdentifier", "SENDID", "Extra", "D", "ErrCode"]);
        fields.insert(random.below(fields.len() + 1), (format!("{name}{extra}"), kind.id(), bytes));
    }
    let id = sender.next_id();
    let names: Vec<(&str, i64)> = fields.iter().map(|(name, id, _)| (name.as_str(), *id)).collect();
    sender.define_struct(random, id, &names);

    let mut frame = Vec::new();
    for definition in &sender.definitions {
        counted(&mut frame, definition);
    }
    let mut body = Vec::new();
    signed(&mut body, id);
    let mut delta = 1;
    for (name, _, bytes) in &fields {
        // one byte is the zero of numbers and texts, which senders leave out; that of other types may stay
        if bytes == &[0] && !name.ends_with(char::is_numeric) {
            delta += 1;
            continue;
        }
        unsigned(&mut body, delta);
        body.extend(bytes);
        delta = 1;
    }
    body.push(0);
    counted(&mut frame, &body);
    (frame, expected)
}

impl Sender {
    fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    fn kind(&mut self, random: &mut Random, depth: usize) -> Kind {
        match random.below(if depth < 4 { 10 } else { 4 }) {
            0 | 1 => Kind::Number(1 + random.below(4) as i64),
            2 => Kind::Text(5 + random.below(2) as i64),
            3 => Kind::Complex,
            4 => {
                let id = self.next_id();
                let number = 4 + random.below(3) as u64;
                self.define(random, id, number, &[]);
                Kind::Opaque(id)
            }
            5 | 6 => {
                let element = self.kind(random, depth + 1);
                let id = self.next_id();
                let number = random.below(2) as u64;
                let length = if number == 0 { vec![element.id(), 3] } else { vec![element.id()] };
                self.define(random, id, number, &length);
                Kind::Sequence(id, Box::new(element))
            }
            7 => {
                let pair = (self.kind(random, depth + 1), self.kind(random, depth + 1));
                let id = self.next_id();
                self.define(random, id, 3, &[pair.0.id(), pair.1.id()]);
                Kind::Map(id, Box::new(pair))
            }
            _ => {
                let fields: Vec<Kind> = (0..1 + random.below(4)).map(|_| self.kind(random, depth + 1)).collect();
                let id = self.next_id();
                let names: Vec<(&str, i64)> = fields.iter().map(|kind| ("F", kind.id())).collect();
                self.define_struct(random, id, &names);
                Kind::Struct(id, fields)
            }
        }
    }

    /// The definition of any type but a struct.
    fn define(&mut self, random: &mut Random, id: i64, number: u64, parts: &[i64]) {
        let mut definition = Vec::new();
        signed(&mut definition, -id);
        unsigned(&mut definition, number + 1);
        common(&mut definition, random, id);
        for part in parts {
            definition.push(1);
            signed(&mut definition, *part);
        }
        definition.extend([0, 0]);
        self.add(random, definition);
    }

    fn define_struct(&mut self, random: &mut Random, id: i64, fields: &[(&str, i64)]) {
        let mut definition = Vec::new();
        signed(&mut definition, -id);
        definition.push(3);
        common(&mut definition, random, id);
        definition.push(1);
        unsigned(&mut definition, fields.len() as u64);
        for (name, id) in fields {
            definition.push(1);
            counted(&mut definition, name.as_bytes());
            definition.push(1);
            signed(&mut definition, *id);
            definition.push(0);
        }
        definition.extend([0, 0]);
        self.add(random, definition);
    }

    /// Definitions may come in any order as long as they come before the value.
    fn add(&mut self, random: &mut Random, definition: Vec<u8>) {
        self.definitions.insert(random.below(self.definitions.len() + 1), definition);
    }
}

/// The part that all definitions begin with; its id may be left out.
fn common(out: &mut Vec<u8>, random: &mut Random, id: i64) {
    out.extend([1, 1]);
    counted(out, b"T");
    if !random.once_in(4) {
        out.push(1);
        signed(out, id);
    }
    out.push(0);
}

fn value(random: &mut Random, kind: &Kind, out: &mut Vec<u8>) {
    match kind {
        Kind::Number(_) => unsigned(out, random.number()),
        Kind::Text(_) | Kind::Opaque(_) => counted(out, &vec![7; random.below(200)]),
        Kind::Complex => {
            unsigned(out, random.number());
            unsigned(out, random.number());
        }
        Kind::Sequence(_, element) => {
            let count = random.below(4);
            unsigned(out, count as u64);
            (0..count).for_each(|_| value(random, element, out));
        }
        Kind::Map(_, pair) => {
            let count = random.below(4);
            unsigned(out, count as u64);
            for _ in 0..count {
                value(random, &pair.0, out);
                value(random, &pair.1, out);
            }
        }
        Kind::Struct(_, fields) => {
            let mut delta = 1;
            for field in fields {
                if random.once_in(3) {
                    delta += 1;
                    continue;
                }
                unsigned(out, delta);
                value(random, field, out);
                delta = 1;
            }
            out.push(0);
        }
    }
}

fn unsigned(out: &mut Vec<u8>, number: u64) {
    if number < 128 {
        out.push(number as u8);
        return;
    }
    let bytes: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    out.push(256_usize.wrapping_sub(bytes.len()) as u8);
    out.extend(bytes);
}

fn signed(out: &mut Vec<u8>, number: i64) {
    unsigned(out, if number < 0 { 2 * !number as u64 + 1 } else { 2 * number as u64 });
}

fn counted(out: &mut Vec<u8>, bytes: &[u8]) {
    unsigned(out, bytes.len() as u64);
    out.extend(bytes);
}
