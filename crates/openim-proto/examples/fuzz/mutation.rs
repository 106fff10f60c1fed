//! Breaking what was well-formed: as bytes, as protobuf, as JSON. The structured ones keep lengths and syntax right, so
//! that the damage reaches the code behind the parser.

use serde_json::Value;

use super::random::Random;

/// Bytes that a mutation may grow a case to.
const LIMIT: usize = 64 * 1024;

/// Edits bytes in one to four places.
pub fn bytes(random: &mut Random, mut bytes: Vec<u8>, pool: &[Vec<u8>]) -> Vec<u8> {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + 1 + random.below(16)).min(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let count = 1 + random.below(8);
                let inserted: Vec<u8> = (0..count).map(|_| random.next() as u8).collect();
                drop(bytes.splice(at..at, inserted));
            }
            3 => {
                let part = bytes[at..end].to_vec();
                let times = 1 + random.below(32);
                drop(bytes.splice(at..at, part.repeat(times)));
            }
            4 if !pool.is_empty() => {
                let other = random.pick(pool);
                let from = random.below(other.len() + 1);
                let until = (from + random.below(64)).min(other.len());
                drop(bytes.splice(at..end, other[from..until].iter().copied()));
            }
            5 => {
                let number = random.number().to_be_bytes();
                let width = 1 << random.below(4);
                let end = (at + width).min(bytes.len());
                drop(bytes.splice(at..end, number[8 - width..].iter().copied()));
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ => {}
        }
    }
    bytes.truncate(LIMIT);
    bytes
}

/// A field of a protobuf message.
#[derive(Clone)]
struct Field {
    number: u64,
    value: Wire,
}

#[derive(Clone)]
enum Wire {
    Number(u64),
    Eight([u8; 8]),
    Four([u8; 4]),
    Bytes(Vec<u8>),
}

/// Edits a protobuf message at any depth. What is no message is edited as JSON or as bytes.
pub fn protobuf(random: &mut Random, message: &[u8], pool: &[Vec<u8>]) -> Vec<u8> {
    let Some(mut fields) = parse(message).filter(|fields| !fields.is_empty()) else {
        return match serde_json::from_slice::<Value>(message) {
            Ok(value) if !random.once_in(8) => json(random, value).to_string().into_bytes(),
            _ => bytes(random, message.to_vec(), pool),
        };
    };
    let at = random.below(fields.len());
    match random.below(16) {
        0 => drop(fields.remove(at)),
        1 => {
            let times = 1 + random.below(40);
            let copy = fields[at].clone();
            fields.extend(std::iter::repeat_n(copy, times));
        }
        2 => {
            let other = random.below(fields.len());
            fields.swap(at, other);
        }
        3 => fields[at].number = 1 + random.below(45) as u64,
        4 => fields.push(Field { number: 1 + random.below(45) as u64, value: Wire::Number(random.number()) }),
        5 => {
            let empty = Field { number: fields[at].number, value: Wire::Bytes(Vec::new()) };
            fields.extend(std::iter::repeat_n(empty, random.below(2000)));
        }
        6 => fields[at].value = Wire::Eight(random.next().to_le_bytes()),
        7 => fields[at].value = Wire::Four((random.next() as u32).to_le_bytes()),
        _ => {
            fields[at].value = match &fields[at].value {
                Wire::Bytes(inner) if !random.once_in(6) => Wire::Bytes(protobuf(random, inner, pool)),
                Wire::Bytes(inner) => Wire::Bytes(bytes(random, inner.clone(), pool)),
                _ => Wire::Number(random.number()),
            }
        }
    }
    let mut out = Vec::with_capacity(message.len() + 64);
    for field in fields {
        write(&mut out, &field);
    }
    out.truncate(LIMIT);
    out
}

fn parse(mut rest: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let key = varint(&mut rest)?;
        let value = match key & 7 {
            0 => Wire::Number(varint(&mut rest)?),
            1 => Wire::Eight(*split(&mut rest, 8)?.first_chunk()?),
            2 => {
                let length = varint(&mut rest)?;
                Wire::Bytes(split(&mut rest, usize::try_from(length).ok()?)?.to_vec())
            }
            5 => Wire::Four(*split(&mut rest, 4)?.first_chunk()?),
            _ => return None,
        };
        fields.push(Field { number: key >> 3, value });
    }
    Some(fields)
}

fn split<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, left) = rest.split_first()?;
        *rest = left;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn write(out: &mut Vec<u8>, field: &Field) {
    let key = |kind: u64| field.number << 3 | kind;
    match &field.value {
        Wire::Number(number) => {
            write_varint(out, key(0));
            write_varint(out, *number);
        }
        Wire::Eight(bytes) => {
            write_varint(out, key(1));
            out.extend(bytes);
        }
        Wire::Four(bytes) => {
            write_varint(out, key(5));
            out.extend(bytes);
        }
        Wire::Bytes(bytes) => {
            write_varint(out, key(2));
            write_varint(out, bytes.len() as u64);
            out.extend(bytes);
        }
    }
}

fn write_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Edits JSON at any depth, also inside texts that are JSON themselves, as the details of notifications are.
pub fn json(random: &mut Random, value: Value) -> Value {
    if random.once_in(6) {
        return other(random, value);
    }
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let at = random.below(fields.len());
            let mut edited = serde_json::Map::new();
            for (place, (key, field)) in fields.into_iter().enumerate() {
                match (place == at, random.below(8)) {
                    (false, _) => drop(edited.insert(key, field)),
                    (true, 0) => {}
                    (true, 1) => drop(edited.insert(key.to_uppercase(), field)),
                    (true, _) => drop(edited.insert(key, json(random, field))),
                }
            }
            Value::Object(edited)
        }
        Value::Array(mut items) if !items.is_empty() => {
            let at = random.below(items.len());
            match random.below(4) {
                0 => drop(items.remove(at)),
                1 => {
                    let copy = items[at].clone();
                    items.extend(std::iter::repeat_n(copy, random.below(50)));
                }
                _ => items[at] = json(random, items[at].take()),
            }
            Value::Array(items)
        }
        Value::String(text) => match serde_json::from_str::<Value>(&text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => Value::String(json(random, inner).to_string()),
            _ => other(random, Value::String(text)),
        },
        value => other(random, value),
    }
}

/// A value of any kind instead of this one.
fn other(random: &mut Random, value: Value) -> Value {
    match random.below(9) {
        0 => Value::Null,
        1 => random.once_in(2).into(),
        2 => random.number().into(),
        3 => (random.number() as i64).into(),
        4 => f64::from_bits(random.next()).into(),
        5 => Value::Array(vec![value; random.below(4)]),
        6 => serde_json::json!({ "": value }),
        7 => {
            let mut deep = value;
            for _ in 0..random.below(140) {
                deep = if random.once_in(2) { Value::Array(vec![deep]) } else { serde_json::json!({ "detail": deep }) };
            }
            deep
        }
        _ => {
            let texts =
                ["", "0", "\u{0}", "\u{feff}", "null", "{}", "{\"detail\":\"{}\"}", "😀", "si_u1_u2", "AtAllTag"];
            Value::String((*random.pick(&texts)).to_owned())
        }
    }
}
