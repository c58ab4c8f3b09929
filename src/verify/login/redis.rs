//! Redis' `AUTH` (<https://redis.io/docs/latest/commands/auth/>): the password, and `QUIT`.

use zeroize::Zeroizing;

use super::{Login, Outcome, Wire};
use crate::verify::exchange::Failure;

/// The longest line that is read, in bytes.
const LONGEST: usize = 1024;

pub(super) fn log_in(login: &Login, wire: &mut dyn Wire) -> Result<Outcome, Failure> {
    wire.encrypt()?;
    let password = login.password.expose();
    let words: Vec<&[u8]> = match login.user.as_str() {
        "" => vec![b"AUTH", password],
        user => vec![b"AUTH", user.as_bytes(), password],
    };
    wire.send(&command(&words))?;
    let answer = line(wire)?;
    let outcome = match answer.as_slice() {
        b"+OK" => Outcome::Accepted,
        // Since version 6; before, a wrong password is `ERR invalid password`.
        answer if answer.starts_with(b"-WRONGPASS ") => Outcome::WrongPassword("WRONGPASS"),
        b"-ERR invalid password" => Outcome::WrongPassword("ERR invalid password"),
        answer
            if answer.starts_with(b"-ERR AUTH <password> called without")
                || answer.starts_with(b"-ERR Client sent AUTH, but no password is set") =>
        {
            Outcome::unclear("it asks for no password at all")
        }
        answer if answer.starts_with(b"-") => Outcome::unclear("it refused in words that say nothing of the password"),
        _ => return Err(wire.nonsense("it is not Redis")),
    };
    let _ = wire.send(&command(&[b"QUIT"]));
    Ok(outcome)
}

/// Writes a command as an array of strings.
fn command(words: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(format!("*{}\r\n", words.len()).into_bytes());
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Reads a line without its end.
fn line(wire: &mut dyn Wire) -> Result<Vec<u8>, Failure> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        if line.len() >= LONGEST {
            return Err(wire.nonsense("it is not Redis"));
        }
        line.extend(wire.receive(1)?);
    }
    line.truncate(line.len() - 2);
    Ok(line)
}
