//! MySQL's and MariaDB's greeting (<https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>): encryption, a
//! password in the way of the server's plugin, and `COM_QUIT`.

use ring::digest;
use zeroize::Zeroizing;

use super::{Login, Outcome, Wire};
use crate::verify::exchange::Failure;

/// The longest packet that is read, in bytes.
const LONGEST: usize = 16 * 1024;
/// The most packets before the server decides.
const MOST: usize = 8;
/// `ER_ACCESS_DENIED_ERROR`: a wrong password, and also a right one of an account that may come from other hosts alone. So
/// no answer of this database means that a password is dead.
const DENIED: u16 = 1045;
/// Capabilities: protocol 4.1, encryption, the password in the way of version 4.1, a plugin by its name.
const CAPABILITIES: u32 = 0x0000_0200 | SECURE | 0x0000_8000 | 0x0008_0000;
/// The capability of encryption.
const SECURE: u32 = 0x0000_0800;
/// The character set `utf8mb4_general_ci`.
const CHARACTERS: u8 = 45;

/// What the server says first.
struct Greeting {
    capabilities: u32,
    salt: Vec<u8>,
    plugin: Vec<u8>,
}

pub(super) fn log_in(login: &Login, wire: &mut dyn Wire) -> Result<Outcome, Failure> {
    let (mut sequence, packet) = receive(wire)?;
    if packet.first() == Some(&0xff) {
        return Ok(refusal(&packet));
    }
    let Some(greeting) = greeting(&packet) else { return Err(wire.nonsense("it is not MySQL")) };
    let secure = greeting.capabilities & SECURE != 0;
    if !secure && !wire.may_stay_open() {
        return Ok(Outcome::unclear("it does not encrypt, so the password was not sent"));
    }
    let capabilities = if secure { CAPABILITIES } else { CAPABILITIES & !SECURE };
    let mut head = capabilities.to_le_bytes().to_vec();
    head.extend_from_slice(&(LONGEST as u32).to_le_bytes());
    head.push(CHARACTERS);
    head.extend_from_slice(&[0; 23]);
    if secure {
        sequence += 1;
        send(wire, sequence, &head)?;
        wire.encrypt()?;
    }
    let proof = proof(&greeting.plugin, login.password.expose(), &greeting.salt);
    head.extend_from_slice(login.user.as_bytes());
    head.extend_from_slice(&[0, proof.len() as u8]);
    head.extend_from_slice(&proof);
    head.extend_from_slice(&greeting.plugin);
    head.push(0);
    send(wire, sequence.wrapping_add(1), &head)?;
    decide(login, wire)
}

/// Answers what the server wants until it decides.
fn decide(login: &Login, wire: &mut dyn Wire) -> Result<Outcome, Failure> {
    for _ in 0..MOST {
        let (sequence, packet) = receive(wire)?;
        let next = sequence.wrapping_add(1);
        match packet.split_first() {
            Some((0x00, _)) => {
                let _ = send(wire, 0, &[1]);
                return Ok(Outcome::Accepted);
            }
            Some((0xff, _)) => return Ok(refusal(&packet)),
            // Another plugin, with a salt of its own.
            Some((0xfe, rest)) => {
                let mut parts = rest.splitn(2, |byte| *byte == 0);
                let plugin = parts.next().unwrap_or_default().to_vec();
                let salt = parts.next().unwrap_or_default();
                let salt = salt.strip_suffix(&[0]).unwrap_or(salt);
                if !matches!(
                    plugin.as_slice(),
                    b"mysql_native_password" | b"caching_sha2_password" | b"mysql_clear_password"
                ) {
                    return Ok(Outcome::unclear("it wants to be convinced in a way that is not spoken here"));
                }
                send(wire, next, &proof(&plugin, login.password.expose(), salt))?;
            }
            // caching_sha2_password: the proof was known (3), or the whole password is wanted (4), which encryption hides.
            Some((0x01, [3])) => {}
            Some((0x01, [4])) => {
                let whole = Zeroizing::new([login.password.expose(), &[0]].concat());
                send(wire, next, &whole)?;
            }
            _ => return Err(wire.nonsense("it is not MySQL")),
        }
    }
    Err(wire.nonsense("it never came to an end"))
}

/// Reads the greeting: version, connection, the salt in two parts, capabilities in two parts, the plugin.
fn greeting(packet: &[u8]) -> Option<Greeting> {
    let rest = packet.strip_prefix(&[10])?;
    let version = rest.iter().position(|byte| *byte == 0)?;
    let rest = rest.get(version + 1 + 4..)?;
    let (first, rest) = rest.split_at_checked(8)?;
    let (low, rest) = rest.get(1..)?.split_first_chunk::<2>()?;
    let (high, rest) = rest.get(3..)?.split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first()?;
    let rest = rest.get(10..)?;
    let count = usize::from(*length).saturating_sub(8).clamp(13, 64).min(rest.len());
    let (second, rest) = rest.split_at(count);
    let salt = [first, second.strip_suffix(&[0]).unwrap_or(second)].concat();
    let plugin = rest.split(|byte| *byte == 0).next().filter(|name| !name.is_empty());
    let plugin = plugin.unwrap_or(b"mysql_native_password").to_vec();
    let capabilities = u32::from(u16::from_le_bytes(*low)) | (u32::from(u16::from_le_bytes(*high)) << 16);
    Some(Greeting { capabilities, salt, plugin })
}

/// Proves a password in the way of a plugin: what its hash makes of the salt, so that only who knows the hash can tell.
fn proof(plugin: &[u8], password: &[u8], salt: &[u8]) -> Zeroizing<Vec<u8>> {
    let mixed = |left: &[u8], right: &[u8]| left.iter().zip(right).map(|(left, right)| left ^ right).collect();
    let hash = |algorithm, text: &[u8]| digest::digest(algorithm, text).as_ref().to_vec();
    Zeroizing::new(match plugin {
        b"mysql_native_password" => {
            let sha1 = |text: &[u8]| hash(&digest::SHA1_FOR_LEGACY_USE_ONLY, text);
            let once = sha1(password);
            mixed(&once, &sha1(&[salt, &sha1(&once)].concat()))
        }
        b"mysql_clear_password" => [password, &[0]].concat(),
        _ => {
            let sha256 = |text: &[u8]| hash(&digest::SHA256, text);
            let once = sha256(password);
            mixed(&once, &sha256(&[&sha256(&once)[..], salt].concat()))
        }
    })
}

fn send(wire: &mut dyn Wire, sequence: u8, body: &[u8]) -> Result<(), Failure> {
    let length = (body.len() as u32).to_le_bytes();
    let packet = Zeroizing::new([&length[..3], &[sequence], body].concat());
    wire.send(&packet)
}

fn receive(wire: &mut dyn Wire) -> Result<(u8, Vec<u8>), Failure> {
    let head = wire.receive(4)?;
    let length = u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize;
    if length == 0 || length > LONGEST {
        return Err(wire.nonsense("it is not MySQL"));
    }
    Ok((head[3], wire.receive(length)?))
}

/// Reads the number of an error; its words are not repeated.
fn refusal(packet: &[u8]) -> Outcome {
    match packet.get(1..3).map(|number| u16::from_le_bytes([number[0], number[1]])) {
        Some(DENIED) => Outcome::unclear(
            "it refused with 1045: the password is wrong, or its user may not come from this machine's address",
        ),
        Some(number) => Outcome::unclear(format!("it refused with {number}, which says nothing of the password")),
        None => Outcome::unclear("it refused without a number"),
    }
}
