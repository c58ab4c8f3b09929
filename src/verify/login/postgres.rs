//! PostgreSQL's greeting (<https://www.postgresql.org/docs/current/protocol-message-formats.html>): encryption asked for,
//! a password proved as the server wants, and the end of the connection before any query.

use md5::{Digest, Md5};
use zeroize::Zeroizing;

use super::scram::{self, Hash, Scram};
use super::{Login, Outcome, Wire};
use crate::secret::hex;
use crate::verify::exchange::Failure;

/// The request for encryption: its length, and the number that stands in the place of a version.
const ENCRYPTION: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
/// Version 3.0 of the protocol.
const VERSION: [u8; 4] = [0, 3, 0, 0];
/// The longest message that is read, in bytes.
const LONGEST: usize = 16 * 1024;
/// The most messages before the server decides.
const MOST: usize = 16;
/// `invalid_password` (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
const WRONG: &str = "28P01";

pub(super) fn log_in(login: &Login, wire: &mut dyn Wire) -> Result<Outcome, Failure> {
    wire.send(&ENCRYPTION)?;
    match (wire.receive(1)?.as_slice(), wire.may_stay_open()) {
        ([b'S'], _) => wire.encrypt()?,
        ([b'N'], true) => {}
        ([b'N'], false) => return Ok(Outcome::unclear("it does not encrypt, so the password was not sent")),
        _ => return Err(wire.nonsense("it is not PostgreSQL")),
    }
    let database = if login.database.is_empty() { &login.user } else { &login.database };
    let mut start = VERSION.to_vec();
    for text in ["user", &login.user, "database", database, "application_name", "credtrace"] {
        start.extend_from_slice(text.as_bytes());
        start.push(0);
    }
    start.push(0);
    wire.send(&sized(&start))?;
    let mut scram = None;
    let mut expected = None;
    for _ in 0..MOST {
        let (kind, body) = message(wire)?;
        match kind {
            b'E' => return Ok(refusal(&body)),
            b'R' => match authenticate(login, wire, &body, &mut scram, &mut expected)? {
                Some(outcome) => return Ok(outcome),
                None => continue,
            },
            // A notice, or the choice of an older version.
            b'N' | b'v' => {}
            _ => return Err(wire.nonsense("it is not PostgreSQL")),
        }
    }
    Err(wire.nonsense("it never came to an end"))
}

/// Answers one request for authentication; what came of it, once the server has decided.
fn authenticate(
    login: &Login,
    wire: &mut dyn Wire,
    body: &[u8],
    scram: &mut Option<Scram>,
    expected: &mut Option<String>,
) -> Result<Option<Outcome>, Failure> {
    let Some((kind, rest)) = body.split_first_chunk::<4>() else { return Err(wire.nonsense("it is not PostgreSQL")) };
    let password = login.password.expose();
    match u32::from_be_bytes(*kind) {
        0 => {
            // Terminate.
            let _ = wire.send(&[b'X', 0, 0, 0, 4]);
            return Ok(Some(Outcome::Accepted));
        }
        3 => respond(wire, &[password, &[0]].concat())?,
        5 => respond(wire, &hashed(login, rest))?,
        10 if rest.split(|byte| *byte == 0).any(|name| name == b"SCRAM-SHA-256") => {
            let begun = Scram::new(Hash::Sha256, "");
            let first = begun.as_ref().map(Scram::first).unwrap_or_default();
            let length = (first.len() as u32).to_be_bytes();
            respond(wire, &[&b"SCRAM-SHA-256\0"[..], &length, first.as_bytes()].concat())?;
            *scram = begun;
        }
        11 => {
            let server = String::from_utf8_lossy(rest);
            let Some((last, proof)) = scram.as_ref().and_then(|scram| scram.last(&server, password)) else {
                return Err(wire.nonsense("its words of SCRAM are none"));
            };
            *expected = Some(proof);
            respond(wire, last.as_bytes())?;
        }
        12 => {
            let proved = expected.as_ref().is_some_and(|proof| scram::proves(&String::from_utf8_lossy(rest), proof));
            if !proved {
                return Ok(Some(Outcome::unclear("it could not prove that it knows the password")));
            }
        }
        _ => return Ok(Some(Outcome::unclear("it wants to be convinced in a way that no password does"))),
    }
    Ok(None)
}

/// Hashes a password as `md5` does: with the user's name, then with the server's salt.
fn hashed(login: &Login, salt: &[u8]) -> Vec<u8> {
    let first = Md5::new().chain_update(login.password.expose()).chain_update(&login.user).finalize();
    let second = Md5::new().chain_update(hex(&first)).chain_update(salt).finalize();
    format!("md5{}\0", hex(&second)).into_bytes()
}

/// Puts a length before bytes, which counts itself.
fn sized(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32 + 4).to_be_bytes()[..], bytes].concat()
}

fn respond(wire: &mut dyn Wire, bytes: &[u8]) -> Result<(), Failure> {
    let message = Zeroizing::new([&[b'p'][..], &sized(bytes)].concat());
    wire.send(&message)
}

fn message(wire: &mut dyn Wire) -> Result<(u8, Vec<u8>), Failure> {
    let head = wire.receive(5)?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    if !(4..=LONGEST).contains(&length) {
        return Err(wire.nonsense("it is not PostgreSQL"));
    }
    Ok((head[0], wire.receive(length - 4)?))
}

/// Reads the code of an error; its words are not repeated.
fn refusal(body: &[u8]) -> Outcome {
    let code = body.split(|byte| *byte == 0).find_map(|field| field.strip_prefix(b"C")).unwrap_or_default();
    if code == WRONG.as_bytes() {
        return Outcome::WrongPassword(WRONG);
    }
    let known = code.len() == 5 && code.iter().all(u8::is_ascii_alphanumeric);
    let code = if known { String::from_utf8_lossy(code).into_owned() } else { "no code".to_owned() };
    Outcome::unclear(format!("it refused with {code}, which says nothing of the password"))
}
