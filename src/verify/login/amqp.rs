//! The greeting of AMQP 0-9-1 (<https://www.rabbitmq.com/docs/specification>): a password in the mechanism `PLAIN`, and the
//! end of the connection before any channel is opened.

use zeroize::Zeroizing;

use super::{Login, Outcome, Wire};
use crate::verify::exchange::Failure;

/// What a client says first.
const HEADER: &[u8; 8] = b"AMQP\x00\x00\x09\x01";
/// The longest frame that is read, in bytes.
const LONGEST: usize = 16 * 1024;
/// What ends a frame.
const END: u8 = 0xce;
/// Methods of the class `connection`.
const START: [u8; 4] = [0, 10, 0, 10];
const START_OK: [u8; 4] = [0, 10, 0, 11];
const TUNE: [u8; 4] = [0, 10, 0, 30];
const CLOSE: [u8; 4] = [0, 10, 0, 50];
/// `ACCESS_REFUSED` (<https://www.rabbitmq.com/docs/auth-notification>).
const REFUSED: [u8; 2] = 403_u16.to_be_bytes();

pub(super) fn log_in(login: &Login, wire: &mut dyn Wire) -> Result<Outcome, Failure> {
    wire.encrypt()?;
    wire.send(HEADER)?;
    if !method(wire)?.starts_with(&START) {
        return Err(wire.nonsense("it is not AMQP 0-9-1"));
    }
    wire.send(&frame(&start_ok(login)))?;
    let answer = method(wire)?;
    if answer.starts_with(&TUNE) {
        // 200, no words, and no method that caused it.
        let _ = wire.send(&frame(&[&CLOSE[..], &200_u16.to_be_bytes(), &[0], &[0; 4]].concat()));
        return Ok(Outcome::Accepted);
    }
    match answer.strip_prefix(&CLOSE).and_then(|rest| rest.get(..2)) {
        // This user may come from the server's own machine alone, whatever the password.
        Some(code) if code == REFUSED && login.user == "guest" => {
            Ok(Outcome::unclear("it lets guest in from itself alone"))
        }
        Some(code) if code == REFUSED => Ok(Outcome::WrongPassword("403 ACCESS_REFUSED")),
        Some(_) => Ok(Outcome::unclear("it closed the connection, which says nothing of the password")),
        None => Ok(Outcome::unclear("it wants to be convinced in a way that no password does")),
    }
}

/// Writes the answer to the greeting. The capability in it lets the server say that a password is wrong; without it, it
/// would only hang up.
fn start_ok(login: &Login) -> Zeroizing<Vec<u8>> {
    let name = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    let long = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let capability = [&name("authentication_failure_close")[..], b"t\x01"].concat();
    let properties = [&name("capabilities")[..], b"F", &long(&capability)].concat();
    let response = Zeroizing::new([&[0], login.user.as_bytes(), &[0], login.password.expose()].concat());
    let parts = [&START_OK[..], &long(&properties), &name("PLAIN"), &long(&response), &name("en_US")];
    Zeroizing::new(parts.concat())
}

/// Writes a method of channel 0 as a frame.
fn frame(payload: &[u8]) -> Zeroizing<Vec<u8>> {
    let length = (payload.len() as u32).to_be_bytes();
    Zeroizing::new([&[1, 0, 0], &length[..], payload, &[END]].concat())
}

/// Reads the next method of channel 0.
fn method(wire: &mut dyn Wire) -> Result<Vec<u8>, Failure> {
    let head = wire.receive(7)?;
    let length = u32::from_be_bytes([head[3], head[4], head[5], head[6]]) as usize;
    if head[0] != 1 || length > LONGEST {
        return Err(wire.nonsense("it is not AMQP 0-9-1"));
    }
    let mut payload = wire.receive(length + 1)?;
    match payload.pop() {
        Some(END) => Ok(payload),
        _ => Err(wire.nonsense("it is not AMQP 0-9-1")),
    }
}
