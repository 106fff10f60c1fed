//! From gob to an envelope, by the definitions that the sender gives (gateway.md 2.4.2, 2.4.3).

use std::collections::BTreeMap;

use super::{FIRST_USER_TYPE, GobError, Record, Slot};

/// Values nested deeper than this inside a field that nobody reads are refused: skipping them takes stack.
const DEPTH_LIMIT: u32 = 100;

const INT: i64 = 2;
const BYTES: i64 = 5;
const STRING: i64 = 6;

/// What a sender says about a type of its own.
enum Definition<'a> {
    Struct(Vec<Field<'a>>),
    /// Array or slice of this type.
    Sequence(i64),
    Map(i64, i64),
    /// A type that writes itself into a byte slice.
    Opaque,
}

struct Field<'a> {
    name: &'a [u8],
    kind: i64,
}

type Definitions<'a> = BTreeMap<i64, Definition<'a>>;

/// Reads the first value of a stream.
pub(super) fn decode<R: Record>(frame: &[u8]) -> Result<R, GobError> {
    let mut stream = Reader { rest: frame };
    let mut definitions = Definitions::new();
    loop {
        let mut message = Reader { rest: stream.bytes()? };
        let id = message.signed()?;
        if id >= 0 {
            return record(&mut message, id, &definitions);
        }
        let id = id.checked_neg().filter(|id| *id >= FIRST_USER_TYPE).ok_or(GobError::Definition("reserved id"))?;
        let definition = message.definition()?;
        if !message.rest.is_empty() {
            return Err(GobError::Definition("too long"));
        }
        if definitions.insert(id, definition).is_some() {
            return Err(GobError::Definition("repeated"));
        }
    }
}

fn record<R: Record>(message: &mut Reader<'_>, id: i64, definitions: &Definitions<'_>) -> Result<R, GobError> {
    let fields = match definitions.get(&id) {
        Some(Definition::Struct(fields)) => fields,
        None if id >= FIRST_USER_TYPE => return Err(GobError::UnknownType(id)),
        _ => return Err(GobError::NotAStruct),
    };
    let mut record = R::default();
    let mut known = false;
    // types are compared before anything is read: a field may be wrong and absent
    for field in fields {
        let Some((name, slot)) = record.slot(field.name) else { continue };
        let kind = match slot {
            Slot::Int(_) => INT,
            Slot::Text(_) => STRING,
            Slot::Bytes(_) => BYTES,
        };
        if field.kind != kind {
            return Err(GobError::WrongType(name));
        }
        known = true;
    }
    if !known {
        return Err(GobError::NoField);
    }
    message.fields(|number, message| {
        let field = field(fields, number)?;
        match record.slot(field.name) {
            None => message.skip(field.kind, definitions, 0)?,
            Some((name, Slot::Int(into))) => {
                *into = message.signed()?.try_into().map_err(|_| GobError::OutOfRange(name))?;
            }
            Some((name, Slot::Text(into))) => {
                let text = std::str::from_utf8(message.bytes()?).map_err(|_| GobError::NotUtf8(name))?;
                text.clone_into(into);
            }
            Some((_, Slot::Bytes(into))) => message.bytes()?.clone_into(into),
        }
        Ok(())
    })?;
    Ok(record)
}

fn field<'f, 'a>(fields: &'f [Field<'a>], number: u64) -> Result<&'f Field<'a>, GobError> {
    usize::try_from(number).ok().and_then(|number| fields.get(number)).ok_or(GobError::UnknownField(number))
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn unsigned(&mut self) -> Result<u64, GobError> {
        let (first, rest) = self.rest.split_first().ok_or(GobError::Truncated)?;
        self.rest = rest;
        if *first < 128 {
            return Ok((*first).into());
        }
        let count = usize::from(first.wrapping_neg());
        if count > 8 {
            return Err(GobError::Number);
        }
        let bytes = self.take(count)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn signed(&mut self) -> Result<i64, GobError> {
        let number = self.unsigned()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], GobError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(GobError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A length and as many bytes: a string, a byte slice, a message.
    fn bytes(&mut self) -> Result<&'a [u8], GobError> {
        let length = self.unsigned()?;
        self.take(usize::try_from(length).map_err(|_| GobError::Truncated)?)
    }

    /// How many elements follow. Each takes a byte at least, so more than there are bytes is a lie.
    fn count(&mut self) -> Result<u64, GobError> {
        let count = self.unsigned()?;
        if count > self.rest.len() as u64 { Err(GobError::Truncated) } else { Ok(count) }
    }

    /// A struct: calls `read` with the number of each field that is present, from 0.
    fn fields(&mut self, mut read: impl FnMut(u64, &mut Self) -> Result<(), GobError>) -> Result<(), GobError> {
        let mut next = 0_u64;
        loop {
            let delta = self.unsigned()?;
            if delta == 0 {
                return Ok(());
            }
            next = next.checked_add(delta).ok_or(GobError::Number)?;
            read(next - 1, self)?;
        }
    }

    /// A type definition behind its id (gateway.md 2.4.2).
    fn definition(&mut self) -> Result<Definition<'a>, GobError> {
        let mut definition = None;
        self.fields(|number, reader| {
            let found = match number {
                // array and slice
                0 | 1 => Definition::Sequence(reader.components()?.0),
                2 => Definition::Struct(reader.struct_definition()?),
                3 => {
                    let (key, element) = reader.components()?;
                    Definition::Map(key, element)
                }
                // the three ways in which Go types write themselves
                4..=6 => reader.components().map(|_| Definition::Opaque)?,
                _ => return Err(GobError::Definition("unknown kind")),
            };
            match definition.replace(found) {
                None => Ok(()),
                Some(_) => Err(GobError::Definition("two kinds")),
            }
        })?;
        definition.ok_or(GobError::Definition("no kind"))
    }

    /// The descriptor of any type but a struct: the common part, and up to two numbers (element and length of an array,
    /// element of a slice, key and element of a map).
    fn components(&mut self) -> Result<(i64, i64), GobError> {
        let mut found = (0, 0);
        self.fields(|number, reader| {
            match number {
                0 => reader.common_part()?,
                1 => found.0 = reader.signed()?,
                2 => found.1 = reader.signed()?,
                _ => return Err(GobError::Definition("unknown part")),
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// The type's name and, once more, its id. Nobody compares them.
    fn common_part(&mut self) -> Result<(), GobError> {
        self.fields(|number, reader| match number {
            0 => reader.bytes().map(drop),
            1 => reader.signed().map(drop),
            _ => Err(GobError::Definition("unknown part")),
        })
    }

    fn struct_definition(&mut self) -> Result<Vec<Field<'a>>, GobError> {
        let mut fields = Vec::new();
        self.fields(|number, reader| match number {
            0 => reader.common_part(),
            1 => {
                for _ in 0..reader.count()? {
                    fields.push(reader.field_definition()?);
                }
                Ok(())
            }
            _ => Err(GobError::Definition("unknown part")),
        })?;
        Ok(fields)
    }

    /// Name and type. Both are required, so that a definition cannot hold more fields than a sixth of its bytes.
    fn field_definition(&mut self) -> Result<Field<'a>, GobError> {
        let mut field = Field { name: &[], kind: 0 };
        self.fields(|number, reader| {
            match number {
                0 => field.name = reader.bytes()?,
                1 => field.kind = reader.signed()?,
                _ => return Err(GobError::Definition("unknown part")),
            }
            Ok(())
        })?;
        if field.name.is_empty() || field.kind <= 0 {
            return Err(GobError::Definition("a field without name or type"));
        }
        Ok(field)
    }

    /// Passes over a value of a field that the envelope lacks.
    fn skip(&mut self, kind: i64, definitions: &Definitions<'_>, depth: u32) -> Result<(), GobError> {
        if depth > DEPTH_LIMIT {
            return Err(GobError::TooDeep);
        }
        match kind {
            // bool, int, uint, float
            1..=4 => self.unsigned().map(drop),
            BYTES | STRING => self.bytes().map(drop),
            // complex: two floats
            7 => self.unsigned().and_then(|_| self.unsigned()).map(drop),
            8 => Err(GobError::Interface),
            _ => match definitions.get(&kind).ok_or(GobError::UnknownType(kind))? {
                Definition::Struct(fields) => {
                    self.fields(|number, reader| reader.skip(field(fields, number)?.kind, definitions, depth + 1))
                }
                Definition::Sequence(element) => {
                    for _ in 0..self.count()? {
                        self.skip(*element, definitions, depth + 1)?;
                    }
                    Ok(())
                }
                Definition::Map(key, element) => {
                    for _ in 0..self.count()? {
                        self.skip(*key, definitions, depth + 1)?;
                        self.skip(*element, definitions, depth + 1)?;
                    }
                    Ok(())
                }
                Definition::Opaque => self.bytes().map(drop),
            },
        }
    }
}
