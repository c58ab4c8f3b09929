//! MongoDB's login (<https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/>): which mechanisms the user has,
//! and SCRAM in one of them. Of BSON only what these few commands need is read and written.

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::scram::{self, Hash, Scram};
use super::{Login, Outcome, Wire};
use crate::secret::hex;
use crate::verify::exchange::Failure;

/// `OP_MSG`.
const MESSAGE: u32 = 2013;
/// The longest answer that is read, in bytes.
const LONGEST: usize = 32 * 1024;
/// `AuthenticationFailed`.
const FAILED: i64 = 18;

pub(super) fn log_in(login: &Login, wire: &mut dyn Wire) -> Result<Outcome, Failure> {
    wire.encrypt()?;
    let database = [login.option("authSource"), Some(login.database.as_str()), Some("admin")];
    let database = database.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or("admin");
    let mut hello = Document::new();
    hello.number("hello", 1).text("saslSupportedMechs", &format!("{database}.{}", login.user)).text("$db", "admin");
    let known = ask(wire, hello)?;
    let Some(Value::Document(mechanisms)) = find(&known, "saslSupportedMechs") else {
        return Ok(Outcome::unclear(format!("it does not say how this user of {:?} logs in", shown(database))));
    };
    let has = |name: &str| {
        elements(mechanisms).any(|(_, value)| matches!(value, Value::Text(text) if text == name.as_bytes()))
    };
    let (hash, name) = if has("SCRAM-SHA-256") {
        (Hash::Sha256, "SCRAM-SHA-256")
    } else if has("SCRAM-SHA-1") {
        (Hash::Sha1, "SCRAM-SHA-1")
    } else {
        return Ok(Outcome::unclear("this user logs in without a password"));
    };
    prove(login, wire, hash, name, database)
}

/// Speaks SCRAM.
fn prove(login: &Login, wire: &mut dyn Wire, hash: Hash, name: &str, database: &str) -> Result<Outcome, Failure> {
    let password = match hash {
        Hash::Sha256 => Zeroizing::new(login.password.expose().to_vec()),
        Hash::Sha1 => {
            let whole = Md5::new().chain_update(format!("{}:mongo:", login.user)).chain_update(login.password.expose());
            Zeroizing::new(hex(&whole.finalize()).into_bytes())
        }
    };
    let Some(scram) = Scram::new(hash, &login.user) else {
        return Ok(Outcome::unclear("this machine gave no random number; nothing was sent"));
    };
    let mut start = Document::new();
    start
        .number("saslStart", 1)
        .text("mechanism", name)
        .binary("payload", scram.first().as_bytes())
        .text("$db", database);
    let begun = ask(wire, start)?;
    let Some(server) = payload(&begun) else { return Ok(refusal(&begun)) };
    let Some((last, expected)) = scram.last(&String::from_utf8_lossy(server), &password) else {
        return Err(wire.nonsense("its words of SCRAM are none"));
    };
    let conversation = match find(&begun, "conversationId") {
        Some(Value::Number(number)) => number,
        _ => 1,
    };
    let mut go_on = Document::new();
    go_on.number("saslContinue", 1).number("conversationId", conversation as i32);
    go_on.binary("payload", last.as_bytes()).text("$db", database);
    let ended = ask(wire, go_on)?;
    let Some(server) = payload(&ended) else { return Ok(refusal(&ended)) };
    match scram::proves(&String::from_utf8_lossy(server), &expected) {
        true => Ok(Outcome::Accepted),
        false => Ok(Outcome::unclear("it could not prove that it knows the password")),
    }
}

fn payload(answer: &[u8]) -> Option<&[u8]> {
    let fine = matches!(find(answer, "ok"), Some(Value::Number(1)));
    match find(answer, "payload") {
        Some(Value::Binary(bytes)) if fine => Some(bytes),
        _ => None,
    }
}

/// Reads the number of an error; its words are not repeated.
fn refusal(answer: &[u8]) -> Outcome {
    match find(answer, "code") {
        Some(Value::Number(FAILED)) => Outcome::WrongPassword("18 AuthenticationFailed"),
        Some(Value::Number(code)) => {
            Outcome::unclear(format!("it refused with {code}, which says nothing of the password"))
        }
        _ => Outcome::unclear("it refused without a number"),
    }
}

/// A name of a database, as far as it may be told.
fn shown(name: &str) -> String {
    name.chars().filter(|character| character.is_ascii_alphanumeric() || "-_".contains(*character)).take(64).collect()
}

/// Sends a command and returns the document of its answer.
fn ask(wire: &mut dyn Wire, command: Document) -> Result<Vec<u8>, Failure> {
    let document = command.done();
    let mut message = Zeroizing::new(Vec::new());
    for number in [(document.len() + 21) as u32, 1, 0, MESSAGE, 0] {
        message.extend_from_slice(&number.to_le_bytes());
    }
    message.push(0);
    message.extend_from_slice(&document);
    wire.send(&message)?;
    let head = wire.receive(16)?;
    let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let length = word(0) as usize;
    if word(12) != MESSAGE || !(26..=LONGEST).contains(&length) {
        return Err(wire.nonsense("it is not MongoDB"));
    }
    let body = wire.receive(length - 16)?;
    // Flags, and the kind of the one section.
    match body.get(4) {
        Some(0) => Ok(body[5..].to_vec()),
        _ => Err(wire.nonsense("it is not MongoDB")),
    }
}

/// A document that is being written.
struct Document(Zeroizing<Vec<u8>>);

impl Document {
    fn new() -> Self {
        Self(Zeroizing::new(Vec::new()))
    }

    fn name(&mut self, kind: u8, name: &str) {
        self.0.push(kind);
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(0);
    }

    fn number(&mut self, name: &str, number: i32) -> &mut Self {
        self.name(0x10, name);
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.name(0x02, name);
        self.0.extend_from_slice(&(text.len() as u32 + 1).to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        self
    }

    fn binary(&mut self, name: &str, bytes: &[u8]) -> &mut Self {
        self.name(0x05, name);
        self.0.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.0.push(0);
        self.0.extend_from_slice(bytes);
        self
    }

    fn done(self) -> Zeroizing<Vec<u8>> {
        let length = (self.0.len() as u32 + 5).to_le_bytes();
        Zeroizing::new([&length[..], &self.0, &[0]].concat())
    }
}

/// A value that is read.
#[derive(Debug, PartialEq, Eq)]
enum Value<'document> {
    Text(&'document [u8]),
    Binary(&'document [u8]),
    /// A document or a list.
    Document(&'document [u8]),
    Number(i64),
    Other,
}

fn find<'document>(document: &'document [u8], name: &str) -> Option<Value<'document>> {
    elements(document).find(|(known, _)| *known == name.as_bytes()).map(|(_, value)| value)
}

/// Returns the elements of a document, as far as they can be read.
fn elements(document: &[u8]) -> impl Iterator<Item = (&[u8], Value<'_>)> {
    let mut rest = document.get(4..).unwrap_or_default();
    std::iter::from_fn(move || {
        let (kind, after) = rest.split_first().filter(|(kind, _)| **kind != 0)?;
        let end = after.iter().position(|byte| *byte == 0)?;
        let (name, after) = (&after[..end], &after[end + 1..]);
        let sized = |more: usize| {
            let length = u32::from_le_bytes(after.get(..4)?.try_into().ok()?) as usize;
            length.checked_add(more).filter(|length| *length <= after.len())
        };
        let (value, length) = match *kind {
            0x01 => (Value::Number(f64::from_le_bytes(after.get(..8)?.try_into().ok()?) as i64), 8),
            0x02 => {
                let length = sized(4)?;
                (Value::Text(after.get(4..length.checked_sub(1)?)?), length)
            }
            0x03 | 0x04 => {
                let length = sized(0)?;
                (Value::Document(after.get(..length)?), length)
            }
            0x05 => {
                let length = sized(5)?;
                (Value::Binary(after.get(5..length)?), length)
            }
            0x07 => (Value::Other, 12),
            0x08 => (Value::Other, 1),
            0x09 | 0x11 => (Value::Other, 8),
            0x0a => (Value::Other, 0),
            0x10 => (Value::Number(i32::from_le_bytes(after.get(..4)?.try_into().ok()?).into()), 4),
            0x12 => (Value::Number(i64::from_le_bytes(after.get(..8)?.try_into().ok()?)), 8),
            _ => return None,
        };
        rest = after.get(length..)?;
        Some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_garbage_is_nothing() {
        let mut document = Document::new();
        document.number("ok", 1).text("name", "value").binary("payload", b"bytes");
        let bytes = document.done();
        assert_eq!(find(&bytes, "ok"), Some(Value::Number(1)));
        assert_eq!(find(&bytes, "name"), Some(Value::Text(b"value")));
        assert_eq!(payload(&bytes), Some(&b"bytes"[..]));
        assert_eq!(find(&bytes, "other"), None);
        for cut in 0..bytes.len() {
            assert!(elements(&bytes[..cut]).count() <= 3);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(0_u8..=255, 0..200)) {
            let _ = elements(&bytes).count();
        }
    }
}
