//! Tests of what is said to databases and of what their answers mean, against servers that are a list of bytes.

use std::collections::VecDeque;

use super::*;
use crate::credential::Surroundings;
use crate::detector::registry::Registry;
use crate::verify::plan::{Plan, plan};
use crate::verify::testing::now;

/// The password of all tests.
const WORD: &[u8] = b"a password of nobody";

/// A server that says what it is told, whatever it hears.
struct Scripted {
    says: VecDeque<u8>,
    heard: Vec<u8>,
    /// How much was said to it before the connection was encrypted.
    in_the_open: Option<usize>,
    open: bool,
}

impl Scripted {
    fn new(says: &[u8]) -> Self {
        Self { says: says.iter().copied().collect(), heard: Vec::new(), in_the_open: None, open: false }
    }

    fn heard_password(&self) -> bool {
        memchr::memmem::find(&self.heard, WORD).is_some()
    }
}

impl Wire for Scripted {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.heard.extend_from_slice(bytes);
        Ok(())
    }

    fn receive(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        match self.says.len() >= count {
            true => Ok(self.says.drain(..count).collect()),
            false => Err(Failure::Connect { host: "db".into(), reason: "it ended".into() }),
        }
    }

    fn encrypt(&mut self) -> Result<(), Failure> {
        assert!(!self.heard_password() && self.in_the_open.is_none());
        self.in_the_open = (!self.open).then_some(self.heard.len());
        Ok(())
    }

    fn may_stay_open(&self) -> bool {
        self.open
    }

    fn nonsense(&self, reason: &'static str) -> Failure {
        Failure::Malformed { host: "db".into(), reason: reason.into() }
    }
}

fn login(protocol: Protocol, user: &str) -> Login {
    let (user, database) = (user.to_owned(), "shop".to_owned());
    Login { protocol, user, password: Secret::new(WORD), database, options: String::new() }
}

/// What came of a login, and the server afterwards.
fn spoken(protocol: Protocol, says: &[u8]) -> (Result<Outcome, Failure>, Scripted) {
    let mut wire = Scripted::new(says);
    let login = login(protocol, "app");
    let outcome = match protocol {
        Protocol::Postgres => postgres::log_in(&login, &mut wire),
        Protocol::Redis => redis::log_in(&login, &mut wire),
        Protocol::Mysql => mysql::log_in(&login, &mut wire),
        Protocol::Mongodb => mongodb::log_in(&login, &mut wire),
        Protocol::Amqp => amqp::log_in(&login, &mut wire),
    };
    assert!(!wire.heard_password() || wire.in_the_open.is_some(), "the password is sent in the open");
    (outcome, wire)
}

/// What it was that decided nothing.
fn unclear(outcome: Result<Outcome, Failure>) -> String {
    match outcome {
        Ok(Outcome::Unclear(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

/// A message of PostgreSQL.
fn postgres(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat()
}

#[test]
fn postgres_is_encrypted_then_convinced_and_left_without_a_query() {
    let says = [b"S".to_vec(), postgres(b'R', &[0, 0, 0, 3]), postgres(b'R', &[0; 4])].concat();
    let (outcome, wire) = spoken(Protocol::Postgres, &says);
    assert_eq!(outcome, Ok(Outcome::Accepted));
    assert_eq!(wire.in_the_open, Some(8), "only the request for encryption is sent in the open");
    assert!(wire.heard_password() && wire.heard.ends_with(&[b'X', 0, 0, 0, 4]));
    assert!(memchr::memmem::find(&wire.heard, b"user\0app\0database\0shop\0").is_some());
    let says = [b"S".to_vec(), postgres(b'R', &[0, 0, 0, 5, 1, 2, 3, 4]), postgres(b'R', &[0; 4])].concat();
    let (outcome, wire) = spoken(Protocol::Postgres, &says);
    assert_eq!(outcome, Ok(Outcome::Accepted));
    assert!(
        memchr::memmem::find(&wire.heard, b"md519d23cb327b7d76b87a2da431554308a\0").is_some() && !wire.heard_password()
    );
}

#[test]
fn only_the_code_of_a_wrong_password_says_that_postgres_refuses_it() {
    let refused = |code: &str| {
        let words = format!("SFATAL\0C{code}\0Mpassword of {} is wrong\0\0", String::from_utf8_lossy(WORD));
        spoken(Protocol::Postgres, &[b"S".to_vec(), postgres(b'E', words.as_bytes())].concat()).0
    };
    assert_eq!(refused("28P01"), Ok(Outcome::WrongPassword("28P01")));
    for code in ["28000", "3D000", "53300", "XX000"] {
        let reason = unclear(refused(code));
        assert!(reason.contains(code) && !reason.contains("nobody"), "{reason}");
    }
    assert!(unclear(refused("<script>")).contains("no code"));
}

#[test]
fn a_postgres_that_does_not_encrypt_or_is_none_gets_no_password() {
    let (outcome, wire) = spoken(Protocol::Postgres, b"N");
    assert!(unclear(outcome).contains("does not encrypt") && !wire.heard_password());
    for says in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SHTTP/1.1 400 Bad Request\r\n\r\n",
        b"SR\xff\xff\xff\xff",
        b"SR\0\0\0\x04",
        b"SR\0\0\0\x00",
    ] {
        let (outcome, wire) = spoken(Protocol::Postgres, says);
        assert!(matches!(outcome, Err(Failure::Malformed { .. })), "{outcome:?}");
        assert!(!wire.heard_password());
    }
    let endless = [b"S".to_vec(), postgres(b'N', b"x").repeat(99)].concat();
    assert!(matches!(spoken(Protocol::Postgres, &endless).0, Err(Failure::Malformed { .. })));
    let ways = [b"S".to_vec(), postgres(b'R', &[0, 0, 0, 7])].concat();
    assert!(unclear(spoken(Protocol::Postgres, &ways).0).contains("no password"));
}

#[test]
fn redis_takes_a_user_and_a_password_in_one_command() {
    let (outcome, wire) = spoken(Protocol::Redis, b"+OK\r\n");
    assert_eq!((outcome, wire.in_the_open), (Ok(Outcome::Accepted), Some(0)));
    assert_eq!(wire.heard, b"*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n$20\r\na password of nobody\r\n*1\r\n$4\r\nQUIT\r\n");
    for (says, code) in
        [("-WRONGPASS invalid username-password pair", "WRONGPASS"), ("-ERR invalid password", "ERR invalid password")]
    {
        assert_eq!(spoken(Protocol::Redis, format!("{says}\r\n").as_bytes()).0, Ok(Outcome::WrongPassword(code)));
    }
    for (says, word) in [
        ("-ERR AUTH <password> called without any password configured", "no password at all"),
        ("-NOPERM this user has no permissions", "say nothing"),
        ("-ERR max number of clients reached", "say nothing"),
    ] {
        assert!(unclear(spoken(Protocol::Redis, format!("{says}\r\n").as_bytes()).0).contains(word), "{says}");
    }
    for says in [b"HTTP/1.1 400 Bad Request\r\n".to_vec(), vec![b'x'; 5000]] {
        assert!(matches!(spoken(Protocol::Redis, &says).0, Err(Failure::Malformed { .. })));
    }
}

/// A packet of MySQL.
fn mysql(sequence: u8, body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_le_bytes()[..3], &[sequence], body].concat()
}

/// The greeting of a server of version 8 with the salt 1 to 20.
fn greeting(plugin: &str, secure: bool) -> Vec<u8> {
    let salt: Vec<u8> = (1..=20).collect();
    let low: u16 = if secure { 0xffff } else { !0x0800 };
    let parts = [
        b"\x0a8.4.0\0".to_vec(),
        vec![9, 0, 0, 0],
        salt[..8].to_vec(),
        vec![0],
        low.to_le_bytes().to_vec(),
        vec![255, 2, 0, 0xff, 0xdf, 21],
        vec![0; 10],
        salt[8..].to_vec(),
        vec![0],
        plugin.as_bytes().to_vec(),
        vec![0],
    ];
    mysql(0, &parts.concat())
}

/// The proofs of the password for that salt, reckoned apart.
const NATIVE: &str = "b13b1d65b2b6166a9497919b8bf612e7660b2c59";
const CACHING: &str = "03c2a5de370f1e07d9c35191d1e1e91e7958ea6229d2f7f740a7c5a7c77d01ad";

#[test]
fn mysql_is_encrypted_and_convinced_in_the_way_of_its_plugin() {
    let heard = |wire: &Scripted, proof: &str| crate::secret::hex(&wire.heard).contains(proof);
    for (plugin, proof) in [("mysql_native_password", NATIVE), ("caching_sha2_password", CACHING)] {
        let says = [greeting(plugin, true), mysql(3, &[0, 0, 0, 2, 0, 0, 0])].concat();
        let (outcome, wire) = spoken(Protocol::Mysql, &says);
        assert_eq!(outcome, Ok(Outcome::Accepted), "{plugin}");
        assert_eq!(wire.in_the_open, Some(36), "a request for encryption holds no name");
        assert!(heard(&wire, proof) && !wire.heard_password() && wire.heard.ends_with(&[1, 0, 0, 0, 1]));
    }
    let whole = [greeting("caching_sha2_password", true), mysql(3, &[1, 4]), mysql(5, &[0])].concat();
    let (outcome, wire) = spoken(Protocol::Mysql, &whole);
    assert!(outcome == Ok(Outcome::Accepted) && wire.heard_password());
    let known = [greeting("caching_sha2_password", true), mysql(3, &[1, 3]), mysql(4, &[0])].concat();
    assert_eq!(spoken(Protocol::Mysql, &known).0, Ok(Outcome::Accepted));
    let salt: Vec<u8> = (1..=20).collect();
    let other = [b"\xfemysql_native_password\0".to_vec(), salt, vec![0]].concat();
    let switched = [greeting("caching_sha2_password", true), mysql(3, &other), mysql(5, &[0])].concat();
    let (outcome, wire) = spoken(Protocol::Mysql, &switched);
    assert!(outcome == Ok(Outcome::Accepted) && heard(&wire, NATIVE));
}

#[test]
fn no_answer_of_mysql_says_that_a_password_is_dead() {
    let refused = |number: u16| {
        let words = [&[0xff][..], &number.to_le_bytes(), b"#28000Access denied"].concat();
        unclear(spoken(Protocol::Mysql, &[greeting("mysql_native_password", true), mysql(3, &words)].concat()).0)
    };
    assert!(refused(1045).contains("may not come from this machine"));
    assert!(refused(1040).contains("1040"));
    let barred = mysql(0, &[&[0xff][..], &1130_u16.to_le_bytes(), b"Host is not allowed"].concat());
    assert!(unclear(spoken(Protocol::Mysql, &barred).0).contains("1130"));
    let (outcome, wire) = spoken(Protocol::Mysql, &greeting("mysql_native_password", false));
    assert!(unclear(outcome).contains("does not encrypt") && wire.heard.is_empty());
    let odd = [greeting("mysql_native_password", true), mysql(3, b"\xfeauthentication_kerberos\0x\0")].concat();
    assert!(unclear(spoken(Protocol::Mysql, &odd).0).contains("not spoken here"));
    for says in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\x03\0\0\0\x0a8.", b"\0\0\0\0", b"SSH-2.0-x\r\n"] {
        assert!(spoken(Protocol::Mysql, says).0.is_err(), "{says:?}");
    }
}

/// A method of AMQP in a frame.
fn amqp(method: &[u8]) -> Vec<u8> {
    [&[1, 0, 0][..], &(method.len() as u32).to_be_bytes(), method, &[0xce]].concat()
}

#[test]
fn amqp_says_by_its_close_that_a_password_is_wrong() {
    let start = amqp(&[0, 10, 0, 10, 0, 9, 0, 0, 0, 0]);
    let (outcome, wire) =
        spoken(Protocol::Amqp, &[start.clone(), amqp(&[0, 10, 0, 30, 0, 0, 0, 0, 0, 0, 0, 0])].concat());
    assert_eq!((outcome, wire.in_the_open), (Ok(Outcome::Accepted), Some(0)));
    let plain = [b"\0app\0", WORD].concat();
    assert!(memchr::memmem::find(&wire.heard, &plain).is_some());
    assert!(memchr::memmem::find(&wire.heard, b"authentication_failure_close").is_some());
    let close = |code: u16| {
        [start.clone(), amqp(&[&[0, 10, 0, 50][..], &code.to_be_bytes(), &[0, 0, 0, 0, 0]].concat())].concat()
    };
    assert_eq!(spoken(Protocol::Amqp, &close(403)).0, Ok(Outcome::WrongPassword("403 ACCESS_REFUSED")));
    assert!(unclear(spoken(Protocol::Amqp, &close(530)).0).contains("says nothing"));
    let mut wire = Scripted::new(&close(403));
    assert!(unclear(amqp::log_in(&login(Protocol::Amqp, "guest"), &mut wire)).contains("guest"));
    for says in [&b"AMQP\0\0\x09\x01"[..], b"HTTP/1.1 400 Bad Request\r\n\r\n", &[1, 0, 0, 255, 255, 255, 255]] {
        let (outcome, wire) = spoken(Protocol::Amqp, says);
        assert!(outcome.is_err() && !wire.heard_password());
    }
}

proptest::proptest! {
    #[test]
    fn no_server_makes_it_panic(says in proptest::collection::vec(0_u8..=255, 0..300), secure in 0..3_usize) {
        let heads = [Vec::new(), b"S".to_vec(), greeting("caching_sha2_password", true)];
        let says = [heads[secure].clone(), says].concat();
        for protocol in [Protocol::Postgres, Protocol::Redis, Protocol::Mysql, Protocol::Mongodb, Protocol::Amqp] {
            let _ = spoken(protocol, &says);
        }
    }
}

fn address(scheme: &str, host: &str) -> Address {
    let path = "/shop".to_owned();
    Address { scheme: scheme.into(), user: "app".into(), host: host.into(), port: None, path, query: String::new() }
}

/// What is planned for a password in some addresses, where databases may be logged in to.
fn planned(detector: &str, addresses: Vec<Address>, allowed: bool) -> Result<Request, (Liveness, String)> {
    let registry = Registry::built_in();
    let detector = registry.get(detector).expect("a detector");
    let surroundings = Surroundings { addresses, ..Surroundings::default() };
    let found = FoundCredential { surroundings, ..FoundCredential::alone(Secret::new(b"p%40ss%2fw0rd")) };
    let mut endpoints = Endpoints::default();
    if allowed {
        endpoints.allow_databases();
    }
    match plan(detector, false, &found, &endpoints, now()) {
        Plan::Ask(mut requests) => Ok(requests.remove(0)),
        Plan::Settled(verdict) => Err((verdict.state, verdict.reason.expect("a reason"))),
    }
}

#[test]
fn nobody_is_logged_in_to_unless_a_person_says_so() {
    let (state, reason) =
        planned("postgres-connection-uri", vec![address("postgres", "db.acme-data.com")], false).expect_err("nobody");
    assert_eq!(state, Liveness::NotChecked);
    assert!(reason.contains("--verify-databases"), "{reason}");
    let request =
        planned("postgres-connection-uri", vec![address("postgres", "DB.acme-data.com")], true).expect("a login");
    assert_eq!(request.endpoint.to_string(), "https://db.acme-data.com:5432");
    let login = Login::of(&request).expect("a login");
    assert_eq!((login.user.as_str(), login.database.as_str()), ("app", "shop"));
    assert_eq!(login.password.expose(), b"p@ss/w0rd");
    assert!(!format!("{request:?}").contains("p@ss"));
}

#[test]
fn only_hosts_of_the_public_internet_are_logged_in_to() {
    for (host, state) in [
        ("localhost", Liveness::Refused),
        ("db", Liveness::Refused),
        ("db.internal", Liveness::Refused),
        ("db.prod.svc.cluster.local", Liveness::Refused),
        ("db.example.com", Liveness::Refused),
        ("127.0.0.1", Liveness::Refused),
        ("10.0.0.5", Liveness::Refused),
        ("169.254.169.254", Liveness::Refused),
        ("[::1]", Liveness::Refused),
        ("[::ffff:10.0.0.5]", Liveness::Refused),
    ] {
        let (told, reason) =
            planned("postgres-connection-uri", vec![address("postgresql+asyncpg", host)], true).expect_err(host);
        assert_eq!(told, state, "{host}");
        assert!(reason.contains("--endpoint postgres=tls://"), "{reason}");
    }
    let two = vec![address("postgres", "a.acme-data.com"), address("postgres", "b.acme-data.com")];
    assert_eq!(planned("postgres-connection-uri", two, true).expect_err("which").0, Liveness::Refused);
    assert_eq!(planned("postgres-connection-uri", Vec::new(), true).expect_err("where").0, Liveness::Unknown);
    let records = planned("mongodb-connection-uri", vec![address("mongodb+srv", "c.a1b2c.mongodb.net")], true);
    assert!(records.expect_err("records").1.contains("not looked up"));
    let other = planned("service-connection-uri", vec![address("smtps", "mail.acme-data.com")], true);
    assert_eq!(other.expect_err("no database").0, Liveness::NotChecked);
}

#[test]
fn what_came_of_a_login_is_told_in_our_own_words() {
    let request =
        planned("redis-connection-uri", vec![address("rediss", "cache.acme-data.com")], true).expect("a login");
    let verdict = |outcome: Outcome| judge(&request, &Ok(outcome.answer())).expect("a verdict");
    assert_eq!(verdict(Outcome::Accepted).state, Liveness::Live);
    let dead = verdict(Outcome::WrongPassword("WRONGPASS"));
    assert_eq!(dead.state, Liveness::Dead);
    assert!(dead.reason.expect("a reason").contains("WRONGPASS"));
    assert_eq!(verdict(Outcome::unclear("it refused")).state, Liveness::Unknown);
    let failed = judge(&request, &Err(Failure::Interrupted)).expect("a verdict");
    assert_eq!(failed.state, Liveness::Unknown);
    assert!(judge(&Request::new(Endpoint::of_host("a.b"), "GET", "/"), &Err(Failure::Interrupted)).is_none());
}
