//! `--verify-databases`: nobody is logged in to without it, only public hosts are with it, and a server that a person named
//! is told the password and nothing else.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::harness::{Run, Scratch};
use crate::suite::leaks::{folder_holds_none, run_holds_none};

/// The password of all tests, long enough to be one and put together so that no file holds it.
fn word() -> String {
    ["vQ7x", "Lm3Zt9Rk2W", "d8Jc4sHf6Gy1Te0uMq8Xa5Lw2zKv9Bn3"].concat()
}

/// Redis without encryption, which takes one password, and what it heard.
fn redis(password: &str) -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (kept, password) = (Arc::clone(&heard), password.to_owned());
    let answer = move |mut stream: TcpStream| {
        let mut buffer = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            kept.lock().unwrap().extend_from_slice(&buffer[..count]);
            let reply = if text.contains("QUIT") || text.contains(&password) { "+OK\r\n" } else { "-WRONGPASS no\r\n" };
            stream.write_all(reply.as_bytes()).unwrap();
        }
    };
    std::thread::spawn(move || listener.incoming().flatten().for_each(answer));
    (format!("redis=tcp://{address}"), heard)
}

fn verdict(run: &Run) -> Value {
    let lines = run.lines();
    let found = lines.iter().find(|line| line["detector"].as_str().is_some_and(|id| id.ends_with("connection-uri")));
    found.unwrap_or_else(|| panic!("an address is found: {run:?}"))["verification"].clone()
}

fn scan(scratch: &Scratch, text: &str, more: &[&str]) -> Run {
    scratch.write("a.env", text);
    let asking = ["scan", "a.env", "--format", "jsonl", "--verify", "--verify-max-age", "0"];
    scratch.command(&[&asking[..], more].concat()).run().status(1)
}

#[test]
fn a_server_that_a_person_named_is_told_the_password_and_nothing_else() {
    let scratch = Scratch::new();
    let text = format!("REDIS_URL=redis://app:{}@cache.acme-data.com:6380/0\n", word());
    for (known, state) in [(word(), "live"), ("another".to_owned(), "dead")] {
        let (endpoint, heard) = redis(&known);
        let run = scan(&scratch, &text, &["--verify-databases", "--allow-insecure-endpoints", "--endpoint", &endpoint]);
        let said = verdict(&run);
        assert_eq!(said["state"], state, "{said}");
        assert!(said["checked_at"].is_string(), "{said}");
        let expected =
            format!("*3\r\n$4\r\nAUTH\r\n$3\r\napp\r\n${}\r\n{}\r\n*1\r\n$4\r\nQUIT\r\n", word().len(), word());
        assert_eq!(String::from_utf8_lossy(&heard.lock().unwrap()), expected);
        let human = scratch.command(&["scan", "a.env", "--format", "human"]).run().status(1);
        run_holds_none(&run, &[word()]);
        run_holds_none(&human, &[word()]);
        folder_holds_none(&scratch.home(), &[word()]);
    }
}

#[test]
fn nobody_is_logged_in_to_without_the_option() {
    let scratch = Scratch::new();
    let (endpoint, heard) = redis(&word());
    let text = format!("REDIS_URL=redis://app:{}@cache.acme-data.com:6380/0\n", word());
    let run = scan(&scratch, &text, &["--allow-insecure-endpoints", "--endpoint", &endpoint]);
    let said = verdict(&run);
    assert_eq!(said["state"], "not-checked", "{said}");
    assert!(said["reason"].as_str().unwrap().contains("--verify-databases"), "{said}");
    assert!(heard.lock().unwrap().is_empty());
    scratch.run(&["scan", "a.env", "--verify-databases"]).status(2).says("without --verify");
    let run = scan(&scratch, &text, &["--verify-databases", "--endpoint", "redis=tls://127.0.0.1:9"]);
    assert!(verdict(&run)["reason"].as_str().unwrap().contains("loopback address; nothing was sent"), "{run:?}");
    let plain = ["scan", "a.env", "--verify", "--verify-databases", "--endpoint", "redis=tcp://127.0.0.1:9"];
    scratch.run(&plain).status(2).says("in the open");
}

#[test]
fn an_address_of_a_network_of_ones_own_is_refused_with_its_reason() {
    let scratch = Scratch::new();
    for (address, reason) in [
        ("postgres://app:{}@10.0.0.5:5432/shop", "10.0.0.5 is a private address"),
        ("postgresql://app:{}@localhost/shop?sslmode=require", "localhost is no host of the public internet"),
        ("mysql+pymysql://app:{}@db:3306/shop", "db is no host"),
        ("mongodb://app:{}@127.0.0.1:27017/shop?authSource=admin", "127.0.0.1 is a loopback address"),
        ("amqps://app:{}@mq.prod.internal/vhost", "mq.prod.internal is no host"),
        ("mongodb+srv://app:{}@cluster0.a1b2c.mongodb.net/shop", "records that are not looked up"),
    ] {
        let text = format!("DATABASE_URL=\"{}\"\n", address.replace("{}", &word()));
        let said = verdict(&scan(&scratch, &text, &["--verify-databases"]));
        assert!(matches!(said["state"].as_str(), Some("refused" | "unknown")), "{said}");
        assert!(said["reason"].as_str().unwrap().contains(reason), "{said}");
        assert!(said["checked_at"].is_null(), "nobody was asked: {said}");
    }
}

#[test]
fn one_address_can_be_asked_about_by_itself() {
    let scratch = Scratch::new();
    let (endpoint, _) = redis(&word());
    let options =
        ["verify", "--detector", "redis-connection-uri", "--allow-insecure-endpoints", "--endpoint", &endpoint];
    let text = format!("rediss://:{}@cache.acme-data.com\n", word());
    let run = scratch.command(&[&options[..], &["--verify-databases"]].concat()).input(&text).run().status(1);
    assert!(run.stdout.contains("Live: 127.0.0.1 took the password"), "{run:?}");
    run_holds_none(&run, &[word()]);
    let run = scratch.command(&options).input(&text).run().status(2);
    assert!(run.stdout.contains("--verify-databases allows"), "{run:?}");
    let listed = scratch.run(&["verify", "--list-endpoints", "--verify-databases"]).status(0);
    let line = listed.stdout.lines().find(|line| line.starts_with("tls://* ") && line.contains("postgres"));
    assert!(line.is_some_and(|line| line.contains("postgres-connection-uri")), "{listed:?}");
    assert!(!scratch.run(&["verify", "--list-endpoints"]).status(0).stdout.contains("tls://"));
}

#[test]
fn a_login_is_tried_once_whatever_the_server_does() {
    let scratch = Scratch::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("redis=tcp://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(0));
    let count = Arc::clone(&heard);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            *count.lock().unwrap() += 1;
            // It hears the password and hangs up.
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    let text = format!("REDIS_URL=redis://app:{}@cache.acme-data.com:6380/0\n", word());
    let run = scan(&scratch, &text, &["--verify-databases", "--allow-insecure-endpoints", "--endpoint", &endpoint]);
    let said = verdict(&run);
    assert_eq!(said["state"], "unknown", "{said}");
    assert!(said["reason"].as_str().unwrap().contains("before the answer did"), "{said}");
    assert_eq!(*heard.lock().unwrap(), 1);
}
