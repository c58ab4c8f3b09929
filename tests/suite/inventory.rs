//! The inventory on the command line: importing, listing, differences, coverage, enrolment, and what is refused.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{KeyKind, Run, Scratch, fake_key, key};

/// A provider's list of project keys with these numbers.
fn openai_list(numbers: &[u32]) -> String {
    let rows: Vec<Value> = numbers
        .iter()
        .map(|number| {
            json!({
                "object": "organization.project.api_key", "id": format!("key_{number}"), "name": format!("bot {number}"),
                "redacted_value": format!("sk-proj-EXa...{number:03}"), "created_at": 1_746_000_000,
                "last_used_at": 1_763_700_000, "owner_project_access": "active",
                "owner": {"type": "service_account", "service_account":
                    {"id": format!("svc_acct_{number}"), "name": format!("bot {number}"), "role": "member",
                     "created_at": 1_746_000_000}}
            })
        })
        .collect();
    json!({"object": "list", "data": rows, "has_more": false}).to_string()
}

const HAND: &str = "schema = \"credtrace.inventory/1\"\n[[people]]\nid = \"owner.a@acme.example\"\nstatus = \"left\"\n\
    aliases = [\"owner-a\"]\n[[identity]]\nid = \"openai:svc_acct_1\"\nowner = \"owner-a\"\nenvironment = \"prod\"\n\
    ai_system = \"support\"\n";

fn import_list(scratch: &Scratch, as_of: &str, numbers: &[u32]) -> Run {
    scratch.write("keys.json", openai_list(numbers));
    scratch.run(&[
        "inventory",
        "import",
        "--from",
        "openai-project-keys",
        "--account",
        "org-acme",
        "--project",
        "proj_ex",
        "--as-of",
        as_of,
        "keys.json",
    ])
}

fn listed(scratch: &Scratch) -> Value {
    let run = scratch.run(&["inventory", "list", "--format", "json"]).status(0);
    serde_json::from_str(&run.stdout).unwrap()
}

fn identity<'a>(list: &'a Value, id: &str) -> &'a Value {
    let found = list["identity"].as_array().unwrap().iter().find(|identity| identity["id"] == id);
    found.unwrap_or_else(|| panic!("no {id} in {list}"))
}

#[test]
fn what_is_kept_by_hand_overrides_a_list_and_survives_its_next_import() {
    let scratch = Scratch::new();
    scratch.write("credtrace.inventory.toml", HAND);
    scratch.run(&["inventory", "import", "--from", "toml", "credtrace.inventory.toml"]).status(0);
    for day in ["2026-01-10", "2026-01-11"] {
        import_list(&scratch, day, &[1, 2]).status(0);
        let list = listed(&scratch);
        let known = identity(&list, "openai:svc_acct_1");
        assert_eq!((&known["owner"], &known["environment"]), (&json!("owner-a"), &json!("prod")));
        assert_eq!(known["account"], "org-acme");
        assert_eq!(list["credential"].as_array().unwrap().len(), 2);
    }
    let human = scratch.run(&["inventory", "list", "--owner", "OWNER.A@acme.example"]).status(0);
    assert!(human.stdout.contains("owner.a@acme.example (left)"), "{human:?}");
    assert_eq!(human.stdout.lines().count(), 2, "{human:?}");
}

#[test]
fn importing_again_changes_nothing_and_a_newer_list_takes_away_what_is_gone() {
    let scratch = Scratch::new();
    import_list(&scratch, "2026-01-10", &[1, 2]).status(0);
    let first = listed(&scratch);
    let again = import_list(&scratch, "2026-01-10", &[1, 2]).status(0);
    assert!(again.stdout.contains("0 added, 0 changed, 0 removed"), "{again:?}");
    assert_eq!(listed(&scratch), first);
    let next = import_list(&scratch, "2026-01-12", &[2, 3]).status(0);
    assert!(next.stdout.contains("2 added, 0 changed, 2 removed"), "{next:?}");
    let changes = scratch.run(&["inventory", "diff"]).status(0);
    assert!(changes.stdout.contains("- credential openai:key_1"), "{changes:?}");
    assert!(changes.stdout.contains("+ credential openai:key_3"), "{changes:?}");
    import_list(&scratch, "2026-01-11", &[1]).status(2).says("older than");
}

#[test]
fn a_difference_is_told_without_being_made() {
    let scratch = Scratch::new();
    import_list(&scratch, "2026-01-10", &[1]).status(0);
    let before = listed(&scratch);
    scratch.write("hand.toml", HAND);
    let told = scratch.run(&["inventory", "diff", "--from", "toml", "hand.toml"]).status(0);
    assert!(told.stdout.contains("~ identity openai:svc_acct_1: ai_system, environment, owner"), "{told:?}");
    assert!(told.stdout.contains("+ person owner.a@acme.example"), "{told:?}");
    assert_eq!(listed(&scratch), before);
}

#[test]
fn every_template_imports_cleanly_and_a_list_can_be_imported_again() {
    for (option, kind) in [(None, "toml"), (Some("json"), "json"), (Some("csv"), "csv")] {
        let scratch = Scratch::new();
        let arguments: Vec<&str> =
            ["inventory", "template"].into_iter().chain(option.map(|_| "--format")).chain(option).collect();
        scratch.write("template", scratch.run(&arguments).status(0).stdout);
        scratch.run(&["inventory", "import", "--from", kind, "template"]).status(0);
        let first = listed(&scratch);
        for format in ["json", "csv"] {
            let list = scratch.run(&["inventory", "list", "--format", format]).status(0).stdout;
            let other = Scratch::new();
            other.write("list", list);
            other.run(&["inventory", "import", "--from", format, "list"]).status(0);
            let second = listed(&other);
            assert_eq!(
                (&first["identity"], &first["credential"]),
                (&second["identity"], &second["credential"]),
                "{format}"
            );
        }
    }
}

#[test]
fn coverage_says_what_is_whole_and_how_old_it_is() {
    let scratch = Scratch::new();
    scratch.run(&["inventory", "coverage"]).status(2).says("no inventory yet");
    import_list(&scratch, "2026-01-10", &[1, 2]).status(0);
    let run = scratch.run(&["inventory", "coverage", "--format", "json"]).status(0);
    let entries: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&entries[0]["provider"], &entries[0]["complete"]), (&json!("openai"), &json!(true)));
    let human = scratch.run(&["inventory", "coverage"]).status(0);
    assert!(human.stdout.contains("2026-01-10"), "{human:?}");
}

#[test]
fn a_row_at_fault_is_named_and_the_others_are_kept() {
    let scratch = Scratch::new();
    scratch.write("hand.toml", format!("{HAND}[[identity]]\nid = \"second\"\nstatus = \"asleep\"\n"));
    let run = scratch.run(&["inventory", "import", "--from", "toml", "hand.toml"]).status(2);
    let run = run.says("line 11: identity status must be one of active").says("hand.toml");
    assert!(run.stdout.contains("2 added, 0 changed, 0 removed, 1 refused"), "{run:?}");
    assert_eq!(listed(&scratch)["identity"].as_array().unwrap().len(), 1);
}

#[test]
fn a_file_that_cannot_be_used_imports_nothing_of_any_file() {
    let scratch = Scratch::new();
    scratch.write("good.toml", HAND);
    let bad = [
        ("cut.toml", "[[identity]]\nid = \"x".to_owned(), "cut.toml"),
        ("empty.toml", String::new(), "holds no row"),
        ("other.toml", openai_list(&[1]), "line 1"),
        ("folder", String::new(), "is a folder"),
        ("missing.toml", String::new(), "missing.toml"),
    ];
    std::fs::create_dir(scratch.path("folder")).unwrap();
    for (name, text, reason) in bad {
        if name.contains('.') && name != "missing.toml" {
            scratch.write(name, text);
        }
        scratch.run(&["inventory", "import", "--from", "toml", "good.toml", name]).status(2).says(reason);
        scratch.run(&["inventory", "list"]).status(2).says("no inventory yet");
    }
    let large = std::fs::File::create(scratch.path("large.toml")).unwrap();
    large.set_len(1 << 30).unwrap();
    scratch.run(&["inventory", "import", "--from", "toml", "large.toml"]).status(2).says("split it");
    scratch.run(&["inventory", "import", "--from", "openai-project-keys", "large.toml"]).status(2).says("split it");
    scratch.run(&["inventory", "import", "--from", "toml", "--account", "x", "good.toml"]).status(2).says("--account");
    scratch.run(&["inventory", "import", "--from", "nothing", "good.toml"]).status(2).says("openai-project-keys");
}

#[test]
fn a_list_of_another_kind_is_named_so() {
    let scratch = Scratch::new();
    scratch.write("keys.json", openai_list(&[1]));
    scratch.run(&["inventory", "import", "--from", "anthropic-api-keys", "keys.json"]).status(2).says("keys.json");
    scratch.run(&["inventory", "import", "--from", "json", "keys.json"]).status(2).says("--from");
    scratch.run(&["inventory", "list"]).status(2).says("no inventory yet");
}

#[test]
fn two_hand_kept_files_of_one_name_do_not_replace_each_other() {
    let scratch = Scratch::new();
    scratch.write("a/credtrace.inventory.toml", HAND);
    scratch.write("b/credtrace.inventory.toml", HAND.replace("svc_acct_1", "svc_acct_2"));
    let import = |file| scratch.run(&["inventory", "import", "--from", "toml", file]);
    import("a/credtrace.inventory.toml").status(0);
    import("b/credtrace.inventory.toml").status(2).says("same name");
    import("a/credtrace.inventory.toml").status(0);
    std::fs::remove_file(scratch.path("a/credtrace.inventory.toml")).unwrap();
    import("b/credtrace.inventory.toml").status(0);
}

#[test]
fn a_foreign_table_is_read_by_a_map() {
    let scratch = Scratch::new();
    scratch.write("export.csv", "Name,Owner Email,Stage\nbot,a@acme.example,Production\n");
    scratch.run(&["inventory", "import", "--from", "csv", "export.csv"]).status(2).says("--map");
    let map = "[map]\nid = \"Name\"\nowner = \"Owner Email\"\nenvironment = \"Stage\"\n[values.environment]\nProduction = \"prod\"\n";
    scratch.write("map.toml", map);
    scratch.run(&["inventory", "import", "--from", "csv", "--map", "map.toml", "export.csv"]).status(0);
    let list = listed(&scratch);
    assert_eq!(identity(&list, "bot")["environment"], "prod");
}

#[test]
fn two_imports_at_once_both_arrive() {
    let scratch = Scratch::new();
    let hand = |number: u32| format!("[[identity]]\nid = \"bot-{number}\"\n");
    std::thread::scope(|scope| {
        for number in 0..4 {
            let name = format!("hand-{number}.toml");
            scratch.write(&name, hand(number));
            let scratch = &scratch;
            scope.spawn(move || scratch.run(&["inventory", "import", "--from", "toml", &name]).status(0));
        }
    });
    assert_eq!(listed(&scratch)["identity"].as_array().unwrap().len(), 4);
}

#[test]
fn a_store_that_is_none_is_refused_and_left_alone() {
    let scratch = Scratch::new();
    let store = scratch.write("store.db", "this is a letter, and no inventory at all\n".repeat(200));
    scratch.write("hand.toml", HAND);
    let before = std::fs::read(&store).unwrap();
    let import = scratch.run(&["inventory", "import", "--from", "toml", "--inventory", "store.db", "hand.toml"]);
    import.status(2).says("no store of credtrace");
    assert_eq!(std::fs::read(&store).unwrap(), before);
    scratch.run(&["inventory", "list", "--inventory", "missing.db"]).status(2).says("missing.db");
}

/// Whether any file of a folder holds a text.
fn holds(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap_or_default();
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

#[test]
fn an_enrolled_value_leaves_its_fingerprint_and_never_itself() {
    let scratch = Scratch::new();
    import_list(&scratch, "2026-01-10", &[1]).status(0);
    let value = fake_key(KeyKind::OpenAi, 7);
    let enroll = ["enroll", "--identity", "openai:svc_acct_1", "--hs256"];
    let run = scratch.command(&enroll).input(format!("\"{value}\"\n")).run().status(0);
    let run = run.never_says(&value[8..17]);
    let fingerprint = run.stdout.split_whitespace().next().unwrap().to_owned();
    let found = scratch.scan_command(&["-"]).input(format!("key: {value}\n")).run().status(1);
    assert_eq!(found.finding(&value)["fingerprint"], fingerprint.as_str());
    let again = scratch.command(&enroll).input(&value).run().status(0).says("was enrolled before");
    assert!(again.stdout.contains(&fingerprint), "{again:?}");
    let list = listed(&scratch);
    let credential = list["credential"].as_array().unwrap().iter().find(|known| known["join"]["fp"][0] == fingerprint);
    let credential = credential.unwrap_or_else(|| panic!("not enrolled: {list}"));
    assert_eq!(
        (&credential["type"], &credential["identity"]),
        (&json!("openai-project-key"), &json!("openai:svc_acct_1"))
    );
    assert_eq!(credential["join"]["fp"].as_array().unwrap().len(), 2);
    let variable = &value["sk-proj-".len()..];
    for at in 0..variable.len() - 9 {
        assert!(!holds(&scratch.home(), &variable[at..at + 9]), "the store holds a part of the value at {at}");
    }
}

#[test]
fn what_cannot_be_enrolled_is_refused() {
    let scratch = Scratch::new();
    import_list(&scratch, "2026-01-10", &[1]).status(0);
    let enroll = |arguments: &[&str], input: &str| {
        let all: Vec<&str> = ["enroll", "--identity", "openai:svc_acct_1"].iter().chain(arguments).copied().collect();
        scratch.command(&all).input(input).run().never_says(&key(5)[13..22])
    };
    enroll(&[], "").status(2).says("no value");
    enroll(&[], &format!("KEY={}\n", key(5))).status(2).says("alone");
    enroll(&["--type", "openai-project-key"], &key(5)).status(2).says("of the type anthropic-api-key");
    enroll(&["--type", "no-such-type"], &key(5)).status(2).says("no detector");
    enroll(&["--record-id", "key_1"], &key(5)).status(2).says("is not this one");
    enroll(&["--fingerprint-key-file", "missing"], &key(5)).status(2).says("missing");
    let nobody = scratch.command(&["enroll", "--identity", "nobody"]).input(key(5)).run();
    nobody.status(2).says("inventory list");
    scratch.command(&["enroll", "--identity", "x"]).input("a".repeat(70_000)).run().status(2).says("longer than");
}

#[test]
fn a_value_in_a_hand_kept_file_stays_out_of_the_store() {
    let scratch = Scratch::new();
    scratch.write("hand.toml", format!("{HAND}purpose = \"uses {}\"\n", key(9)));
    let run = scratch.run(&["inventory", "import", "--from", "toml", "hand.toml"]).status(2);
    let run = run.says("purpose holds what looks like a whole anthropic-api-key");
    run.never_says(&key(9)[13..22]);
    assert!(!holds(&scratch.home(), &key(9)[13..22]));
    let list = listed(&scratch);
    assert_eq!(identity(&list, "openai:svc_acct_1").get("purpose"), None);
}

#[test]
fn what_is_shown_on_a_terminal_cannot_steer_it() {
    let scratch = Scratch::new();
    scratch.write("hand.json", json!({"identity": [{"id": "a\u{202e}b", "owner": "=1+1"}]}).to_string());
    scratch.run(&["inventory", "import", "--from", "json", "hand.json"]).status(0);
    let human = scratch.run(&["inventory", "list"]).status(0);
    assert!(human.stdout.contains("\\u{202e}") && !human.stdout.contains('\u{202e}'), "{human:?}");
    let csv = scratch.run(&["inventory", "list", "--format", "csv"]).status(0);
    assert!(csv.stdout.contains("'=1+1"), "{csv:?}");
}
