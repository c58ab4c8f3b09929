//! Folders that try to hang the scan, lead it outside or make it silently miss something.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;
use std::time::Duration;

use crate::harness::{Scratch, is_root, key, make_device, write};

/// No run of this module may take longer: one that does hangs on something.
const AT_ONCE: Duration = Duration::from_secs(2);

fn make_fifo(path: &std::path::Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn what_is_no_regular_file_is_skipped_counted_and_never_waited_for() {
    let scratch = Scratch::new();
    scratch.write("tree/good.txt", key(1));
    make_fifo(&scratch.path("tree/fifo"));
    let _listener = UnixListener::bind(scratch.path("tree/socket")).unwrap();
    let mut odd = 2;
    if make_device(&scratch.path("tree/zero"), "5") {
        odd += 1;
    } else {
        eprintln!("skipped in part: only root can make a device");
    }
    let run = scratch.scan(&["tree"]).within(AT_ONCE).status(1);
    run.finding(&key(1));
    assert!(run.skipped() >= odd, "each of the {odd} is counted{run:?}");
    assert_eq!(run.summary()["blobs_scanned"], 1);
}

#[test]
fn a_fifo_a_socket_or_a_device_as_target_is_refused_at_once() {
    let scratch = Scratch::new();
    make_fifo(&scratch.path("fifo"));
    let _listener = UnixListener::bind(scratch.path("socket")).unwrap();
    for target in ["fifo", "socket", "/dev/zero"] {
        let run = scratch.scan(&[target]).within(AT_ONCE).status(2).says(target);
        assert_eq!(run.summary()["complete"], false, "{run:?}");
    }
}

#[test]
fn symbolic_links_lead_nowhere() {
    let scratch = Scratch::new();
    write(&scratch.elsewhere("outside/secret.txt"), key(2));
    scratch.write("tree/good.txt", key(3));
    let link = |to: &std::path::Path, name: &str| symlink(to, scratch.path("tree").join(name)).unwrap();
    link(&scratch.elsewhere("outside/secret.txt"), "file");
    link(&scratch.elsewhere("outside"), "folder");
    link("/etc/passwd".as_ref(), "passwd");
    link("/proc/self/environ".as_ref(), "environ");
    link("/proc".as_ref(), "proc");
    link(".".as_ref(), "loop");
    link("self".as_ref(), "self");
    link("gone".as_ref(), "dangling");
    let run = scratch.scan(&["tree"]).within(AT_ONCE).status(1);
    run.finding(&key(3));
    assert!(run.finding_of(&key(2)).is_none(), "a file outside of the target was read{run:?}");
    assert_eq!(run.findings().len(), 1);
    assert_eq!(run.summary()["blobs_scanned"], 1);
    assert!(run.skipped() >= 8, "each link is counted{run:?}");
}

#[test]
fn a_link_as_target_is_what_the_user_meant_and_never_a_green_zero() {
    let scratch = Scratch::new();
    scratch.write("tree/good.txt", key(4));
    symlink(scratch.path("tree"), scratch.path("to-folder")).unwrap();
    symlink(scratch.path("tree/good.txt"), scratch.path("to-file")).unwrap();
    for target in ["to-folder", "to-file"] {
        scratch.scan(&[target]).status(1).finding(&key(4));
    }
}

#[test]
fn a_file_that_may_not_be_read_ends_with_2_and_the_rest_is_scanned() {
    let scratch = Scratch::new();
    scratch.write("tree/good.txt", key(5));
    scratch.write("tree/closed/inside.txt", key(6));
    let closed = scratch.write("tree/closed.txt", key(7));
    for path in [closed, scratch.path("tree/closed")] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o000)).unwrap();
    }
    let command = scratch.scan_command(&["tree"]);
    // Root reads everything, so another user has to run it.
    let command = if is_root() { command.run_by_nobody(&scratch.elsewhere("credtrace")) } else { command };
    let run = command.run().status(2).says("closed.txt");
    std::fs::set_permissions(scratch.path("tree/closed"), std::fs::Permissions::from_mode(0o755)).unwrap();
    run.finding(&key(5));
    assert_eq!(run.summary()["complete"], false);
    assert_eq!(run.summary()["errors"].as_array().unwrap().len(), 2, "the file and the folder{run:?}");
}

#[test]
fn names_with_control_characters_are_shown_escaped_and_carried_whole() {
    let scratch = Scratch::new();
    let name = "a\nb\u{1b}[2J\r\u{202e}c.txt";
    scratch.write(format!("tree/{name}"), key(8));
    let run = scratch.scan(&["tree"]).status(1);
    assert!(run.paths(&key(8))[0].ends_with(name), "{run:?}");
    let run = scratch.run(&["scan", "--format", "human", "tree"]).status(1);
    for raw in ["\u{1b}", "a\nb", "\r", "\u{202e}"] {
        assert!(!run.stdout.contains(raw), "the terminal gets {raw:?}{run:?}");
    }
}

#[test]
fn a_name_that_is_not_utf8_is_carried_without_loss() {
    use base64::Engine;
    use std::os::unix::ffi::OsStrExt;
    let scratch = Scratch::new();
    let name: &[u8] = b"caf\xe9.txt";
    scratch.write(std::path::Path::new("tree").join(std::ffi::OsStr::from_bytes(name)), key(9));
    let run = scratch.scan(&["tree"]).status(1);
    let encoded = run.occurrences(&key(9))[0]["path_bytes_b64"].as_str().unwrap_or_default().to_owned();
    let decoded = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
    assert!(decoded.ends_with(name), "{run:?}");
}

#[test]
fn a_path_longer_than_the_system_allows_is_scanned_or_said() {
    let scratch = Scratch::new();
    scratch.write("tree/good.txt", key(10));
    let folder = "d".repeat(200);
    // Made by a shell that goes down step by step, since no call takes a path of this length.
    let script = format!(
        "cd {} && i=0 && while [ $i -lt 25 ]; do mkdir {folder} && cd -P {folder} || exit 1; i=$((i+1)); done && \
         printf %s \"$KEY\" > deep.txt",
        scratch.path("tree").display()
    );
    let made = Command::new("bash").arg("-c").arg(script).env("KEY", key(11)).output().unwrap();
    if !made.status.success() {
        eprintln!("skipped: the shell cannot make so deep a folder: {}", String::from_utf8_lossy(&made.stderr));
        return;
    }
    let run = scratch.scan(&["tree"]).within(AT_ONCE);
    run.finding(&key(10));
    let said = run.status == Some(2) && run.summary()["complete"] == false;
    assert!(run.finding_of(&key(11)).is_some() || said, "the deep file is neither found nor missed aloud{run:?}");
}

#[test]
fn a_folder_a_thousand_deep_is_no_trouble() {
    let scratch = Scratch::new();
    scratch.write(format!("tree/{}deep.txt", "d/".repeat(1000)), key(12));
    scratch.scan(&["tree"]).within(AT_ONCE).status(1).finding(&key(12));
}

#[test]
fn files_that_lie_about_their_length_are_read_to_their_end() {
    let scratch = Scratch::new();
    let run = scratch.scan_command(&["/proc/self/environ"]).env("PLANTED", key(13)).run().within(AT_ONCE);
    assert!(run.finding_of(&key(13)).is_some() || run.status == Some(2), "a green zero{run:?}");
}
