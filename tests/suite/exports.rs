//! Exports of tickets and chats, transcripts of agents, build logs: who wrote it, where and when, told of each place; and
//! `--agents`, which finds what agents keep.

use crate::harness::archives::{ZipMember, gzip, zip};
use crate::harness::{Run, Scratch, key, write};
use serde_json::{Value, json};

/// Fails unless the key's only place tells this.
#[track_caller]
fn tells(run: &Run, seed: u64, source: &str, context: &Value) {
    let places = run.occurrences(&key(seed));
    assert_eq!(places.len(), 1, "{run:?}");
    assert_eq!((&places[0]["source"], &places[0]["context"]), (&source.into(), context), "{run:?}");
}

/// Fails unless the key's place is where it stands in these bytes.
#[track_caller]
fn stands_in(run: &Run, seed: u64, bytes: &str) {
    let place = &run.occurrences(&key(seed))[0];
    let at = bytes.find(&key(seed)).unwrap();
    let line_start = bytes[..at].rfind('\n').map_or(0, |feed| feed + 1);
    let expected = (at, at + key(seed).len(), bytes[..at].matches('\n').count() + 1, at - line_start + 1);
    let number = |field: &str| place[field].as_u64().unwrap() as usize;
    assert_eq!((number("start"), number("end"), number("line"), number("column")), expected, "{run:?}");
}

/// A search of Jira's, with keys in a description, a comment and a value that was edited out.
fn jira() -> String {
    let comment = |name: &str, text: &str| {
        json!({"author": {"displayName": name, "emailAddress": "x@example.com"}, "created": "2024-02-03T04:05:06.000+0100",
            "body": {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [{"type": "text", "text": text}]}]}})
    };
    let issue = |number: u64, description: &str, comments: &[Value]| {
        json!({"id": number.to_string(), "key": format!("OPS-{number}"), "self": "https://acme.atlassian.net/rest/api/3/issue/1",
            "fields": {"summary": "Build fails", "description": description, "created": "2024-01-01T10:00:00.000+0000",
                "reporter": {"displayName": "Bo Lee"}, "creator": {"displayName": "Robot"}, "comment": {"comments": comments}},
            "changelog": {"histories": [{"author": {"displayName": "Cy"}, "created": "2024-03-01T00:00:00.000+0000",
                "items": [{"field": "description", "fromString": if number == 12 { key(3) } else { String::new() }, "toString": ""}]}]}})
    };
    let issues =
        [issue(11, "nothing", &[]), issue(12, &key(1), &[comment("Ana Ray", "hi"), comment("Ana Ray", &key(2))])];
    serde_json::to_string_pretty(&json!({"expand": "names", "startAt": 0, "issues": issues})).unwrap()
}

#[test]
fn a_ticket_export_tells_ticket_writer_and_time() {
    let scratch = Scratch::new();
    let text = jira();
    scratch.write("tree/jira.json", &text);
    let run = scratch.scan(&["tree"]).status(1);
    tells(&run, 1, "ticket", &json!({"ticket": "OPS-12", "by": "Bo Lee", "at": "2024-01-01T10:00:00Z"}));
    tells(&run, 2, "ticket", &json!({"ticket": "OPS-12", "by": "Ana Ray", "at": "2024-02-03T03:05:06Z"}));
    tells(&run, 3, "ticket", &json!({"ticket": "OPS-12", "by": "Cy", "at": "2024-03-01T00:00:00Z"}));
    for seed in 1..4 {
        stands_in(&run, seed, &text);
    }
    let run = scratch.scan(&["--kind", "text", "tree"]).status(1);
    tells(&run, 1, "file", &Value::Null);
    let run = scratch.scan_command(&["-"]).input(&text).run().status(1);
    tells(&run, 2, "ticket", &json!({"ticket": "OPS-12", "by": "Ana Ray", "at": "2024-02-03T03:05:06Z"}));
    let human = scratch.run(&["scan", "--format", "human", "tree"]).status(1);
    assert!(human.stdout.contains("in OPS-12") && human.stdout.contains("by Ana Ray"), "{human:?}");
}

#[test]
fn a_large_export_is_read_once_more_for_what_was_found() {
    let scratch = Scratch::new();
    let filler =
        |number: u64| json!({"key": format!("OPS-{number}"), "fields": {"description": "nothing at all ".repeat(100)}});
    let mut issues: Vec<Value> = (100..3000).map(filler).collect();
    issues.push(json!({"key": "OPS-7", "fields": {"description": key(1), "created": "2024-01-01T10:00:00.000+0000"}}));
    issues.extend((3000..4000).map(filler));
    let text = json!({"issues": issues}).to_string();
    assert!(text.len() > 4 << 20);
    scratch.write("jira.json", &text);
    for arguments in [&["jira.json"][..], &["--mmap", "jira.json"]] {
        let run = scratch.scan(arguments).status(1);
        tells(&run, 1, "ticket", &json!({"ticket": "OPS-7", "at": "2024-01-01T10:00:00Z"}));
        stands_in(&run, 1, &text);
    }
}

#[test]
fn other_tickets_and_chats_are_known_too() {
    let scratch = Scratch::new();
    let zendesk = json!({"id": 35436, "subject": "help", "description": key(1), "requester_id": 209, "created_at": "2024-07-20T22:55:29Z"});
    scratch
        .write("tree/tickets.jsonl", format!("{}\n{zendesk}\n", json!({"id": 1, "subject": "s", "requester_id": 2})));
    let github = json!([{"url": "https://api.github.com/repos/acme/bot/issues/9", "html_url": "https://github.com/acme/bot/issues/9",
        "number": 9, "title": "t", "user": {"login": "octo", "id": 5}, "body": key(2), "created_at": "2024-01-01T00:00:00Z"}]);
    scratch.write("tree/issues.json", github.to_string());
    let message = |user: &str, text: &str| {
        json!({"type": "message", "user": user, "text": text, "ts": "1700000001.000200",
        "user_profile": {"real_name": "Dee"}})
    };
    let slack = json!([message("U1", "hi"), message("U2", &key(3))]).to_string();
    scratch.write("tree/slack.zip", zip(&[ZipMember::deflated("ops/2023-11-14.json", &slack)]));
    let linear = json!({"issues": {"nodes": [{"identifier": "ENG-7", "title": "t", "description": key(4), "creator": {"name": "Bo"},
        "createdAt": "2024-01-01T00:00:00.000Z"}]}});
    scratch.write("tree/linear.json", serde_json::to_string_pretty(&linear).unwrap());
    let run = scratch.scan(&["tree"]).status(1);
    tells(&run, 1, "ticket", &json!({"ticket": "35436", "by": "209", "at": "2024-07-20T22:55:29Z"}));
    tells(&run, 2, "ticket", &json!({"ticket": "acme/bot#9", "by": "octo", "at": "2024-01-01T00:00:00Z"}));
    tells(&run, 3, "ticket", &json!({"ticket": "ops", "by": "Dee", "at": "2023-11-14T22:13:21.0002Z"}));
    assert_eq!(run.paths(&key(3)), ["slack.zip!/ops/2023-11-14.json"]);
    stands_in(&run, 3, &slack);
    tells(&run, 4, "ticket", &json!({"ticket": "ENG-7", "by": "Bo", "at": "2024-01-01T00:00:00Z"}));
}

/// A transcript of Claude Code's: a question, a command, what it printed.
fn claude_code() -> String {
    let line = |role: &str, content: Value| {
        json!({"parentUuid": null, "isSidechain": false, "cwd": "/src", "sessionId": "5e55", "version": "2.0", "gitBranch": "main",
            "type": role, "message": {"role": role, "content": content}, "uuid": "u-1", "timestamp": "2025-03-04T05:06:07.123Z"})
    };
    let lines = [
        json!({"type": "summary", "summary": "Deploy", "leafUuid": "u-1"}),
        line("user", json!(format!("use {}", key(1)))),
        line(
            "assistant",
            json!([{"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": format!("curl -H 'x-api-key: {}'", key(2))}}]),
        ),
        line(
            "user",
            json!([{"type": "tool_result", "tool_use_id": "t", "content": format!("{}\nKEY=\"{}\"\n", "x".repeat(100_000), key(3))}]),
        ),
    ];
    lines.map(|line| line.to_string() + "\n").concat()
}

#[test]
fn a_transcript_tells_session_turn_and_time() {
    let scratch = Scratch::new();
    let text = claude_code();
    scratch.write("tree/5e55.jsonl", &text);
    let at = "2025-03-04T05:06:07.123Z";
    let run = scratch.scan(&["tree"]).status(1);
    tells(&run, 1, "transcript", &json!({"ticket": "5e55", "by": "user", "at": at}));
    tells(&run, 2, "transcript", &json!({"ticket": "5e55", "by": "assistant, tool Bash", "at": at}));
    tells(&run, 3, "transcript", &json!({"ticket": "5e55", "by": "tool result", "at": at}));
    for seed in 1..4 {
        stands_in(&run, seed, &text);
    }
    // Too large for memory: the lines are read once more.
    scratch.write("large.jsonl", format!("{}{text}", "{\"type\":\"summary\"}\n".repeat(200_000)));
    let run = scratch.scan(&["large.jsonl"]).status(1);
    tells(&run, 3, "transcript", &json!({"ticket": "5e55", "by": "tool result", "at": at}));

    let session = "0199a213-81c0-7800-8aa1-bbab2a035a53";
    let codex = json!({"timestamp": "2025-10-01T00:00:00.000Z", "type": "response_item",
        "payload": {"type": "function_call_output", "call_id": "c", "output": key(4)}});
    scratch.write(format!("codex/rollout-2025-10-01T00-00-00-{session}.jsonl"), format!("{codex}\n"));
    let chat = json!([{"title": "t", "conversation_id": "c-1", "create_time": 1700000000.5, "mapping": {"n": {"message":
        {"author": {"role": "user"}, "create_time": 1700000009.25, "content": {"content_type": "text", "parts": [key(5)]}}}}}]);
    scratch.write("codex/conversations.json", chat.to_string());
    let run = scratch.scan(&["codex"]).status(1);
    tells(&run, 4, "transcript", &json!({"ticket": session, "by": "tool result", "at": "2025-10-01T00:00:00Z"}));
    tells(&run, 5, "transcript", &json!({"ticket": "c-1", "by": "user", "at": "2023-11-14T22:13:29.25Z"}));
}

#[test]
fn a_build_log_tells_time_and_step() {
    let scratch = Scratch::new();
    let actions = format!(
        "\u{feff}2023-06-29T18:15:50.0000000Z ##[group]Run make test\n2023-06-29T18:15:50.1000000Z env:\n\
         2023-06-29T18:15:50.2000000Z ##[endgroup]\n2023-06-29T18:15:54.4601154Z KEY={}\n",
        key(1)
    );
    scratch.write("tree/logs.zip", zip(&[ZipMember::deflated("1_build.txt", &actions)]));
    let gitlab = format!(
        "2024-05-22T12:43:46.962646Z 00O \u{1b}[0Ksection_start:1716381826:step_script\r\u{1b}[0K\n\
         2024-05-22T12:43:47.100000Z 01O KEY={}\n",
        key(2)
    );
    scratch.write("tree/gitlab.log.gz", gzip(&gitlab));
    let plain = format!("starting\nKEY={}\n", key(3));
    scratch.write("tree/plain.log", &plain);
    let run = scratch.scan(&["tree"]).status(1);
    tells(&run, 1, "log", &json!({"ticket": "make test", "at": "2023-06-29T18:15:54.4601154Z"}));
    stands_in(&run, 1, &actions);
    tells(&run, 2, "log", &json!({"ticket": "step_script", "at": "2024-05-22T12:43:47.1Z"}));
    tells(&run, 3, "file", &Value::Null);
    let run = scratch.scan(&["--kind", "log", "tree/plain.log"]).status(1);
    tells(&run, 3, "log", &Value::Null);
    let stamped = format!("2024-01-01T00:00:00+01:00 KEY={}\n", key(4));
    let run = scratch.scan_command(&["--kind", "log", "-"]).input(&stamped).run().status(1);
    tells(&run, 4, "log", &json!({"at": "2023-12-31T23:00:00Z"}));
}

#[test]
fn a_kind_that_a_person_names_reads_the_usual_fields_of_any_export() {
    let scratch = Scratch::new();
    let row = json!({"ticket_id": "T-1", "author": "Ana", "timestamp": 1700000000, "text": key(1)});
    scratch.write("rows.jsonl", format!("{row}\n"));
    tells(&scratch.scan(&["rows.jsonl"]).status(1), 1, "file", &Value::Null);
    let run = scratch.scan(&["--kind", "ticket", "rows.jsonl"]).status(1);
    tells(&run, 1, "ticket", &json!({"ticket": "T-1", "by": "Ana", "at": "2023-11-14T22:13:20Z"}));
    scratch.run(&["scan", "--kind", "novel", "rows.jsonl"]).status(2);
}

#[test]
fn a_secret_that_stands_for_a_name_is_not_told() {
    let scratch = Scratch::new();
    let row = json!({"key": "OPS-1", "fields": {"reporter": {"displayName": key(1)}, "description": key(2), "created": "2024-01-01T00:00:00Z"}});
    scratch.write("jira.json", row.to_string());
    for format in ["human", "jsonl", "sarif", "csv", "html"] {
        let run = scratch.run(&["scan", "--format", format, "jira.json"]).status(1);
        run.never_says(&key(1)[20..40]).never_says(&key(2)[20..40]);
    }
}

#[test]
fn a_transcript_in_a_repository_is_told_by_its_history() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("5e55.jsonl", claude_code(), "a transcript");
    let run = scratch.scan(&["repo"]).status(1);
    assert_eq!(run.occurrences(&key(1)).len(), 1, "{run:?}");
    assert_eq!(run.occurrences(&key(1))[0]["source"], "git");
}

#[test]
fn agents_are_found_below_the_home_folder() {
    let scratch = Scratch::new();
    let home = scratch.elsewhere("person");
    std::fs::create_dir_all(&home).unwrap();
    let agents = |arguments: &[&str]| {
        let mut all = vec!["--agents"];
        all.extend(arguments);
        scratch.scan_command(&all).env("HOME", &home)
    };
    scratch.write("tree/a.txt", "nothing");
    agents(&[]).run().status(2).says("no agent keeps anything");
    agents(&["tree"]).run().status(0).says("no agent keeps anything");

    write(&home.join(".claude/projects/-src/5e55.jsonl"), claude_code());
    write(&home.join(".claude/settings.json"), json!({"env": {"ANTHROPIC_API_KEY": key(11)}}).to_string());
    write(&home.join(".claude.json"), json!({"mcpServers": {"x": {"env": {"KEY": key(12)}}}}).to_string());
    write(&home.join(".codex/auth.json"), json!({"OPENAI_API_KEY": key(13)}).to_string());
    write(&home.join(".aider.chat.history.md"), format!("# chat\n#### use {}\n", key(14)));
    write(&home.join("notes.txt"), key(15));
    // A home that is a repository and ignores everything.
    write(&home.join(".gitignore"), "*\n");
    let git = |arguments: &[&str]| {
        let mut command = std::process::Command::new("git");
        assert!(command.args(arguments).current_dir(&home).status().unwrap().success());
    };
    git(&["init", "-q"]);
    let run = agents(&[]).run().status(1).says("--agents adds").says(".aider.chat.history.md");
    tells(&run, 1, "transcript", &json!({"ticket": "5e55", "by": "user", "at": "2025-03-04T05:06:07.123Z"}));
    for seed in 11..14 {
        tells(&run, seed, "file", &Value::Null);
    }
    tells(&run, 14, "transcript", &Value::Null);
    assert!(run.finding_of(&key(15)).is_none(), "{run:?}");
    agents(&["--quiet"]).run().status(1).never_says("--agents adds");
    let run = agents(&[]).env("CODEX_HOME", scratch.path("elsewhere")).run().status(1);
    run.finding(&key(13));
}

#[test]
fn the_database_of_an_editor_is_read() {
    let scratch = Scratch::new();
    let folder = scratch.elsewhere("person/.config/Cursor/User/globalStorage");
    std::fs::create_dir_all(&folder).unwrap();
    let database = rusqlite::Connection::open(folder.join("state.vscdb")).unwrap();
    database.execute_batch("CREATE TABLE ItemTable (key TEXT UNIQUE ON CONFLICT REPLACE, value BLOB)").unwrap();
    // Long values lie on many pages, and what stands across the end of one is put together.
    for seed in 0..100_u64 {
        let value = json!({"text": format!("{}KEY={} {}", "word ".repeat(1000), key(seed), "x".repeat(900 + seed as usize * 41))})
            .to_string();
        database.execute("INSERT INTO ItemTable VALUES (?1, ?2)", (format!("chat.{seed}"), value)).unwrap();
    }
    drop(database);
    let run = scratch.scan_command(&["--agents"]).env("HOME", scratch.elsewhere("person")).run().status(1);
    let mut put_together = 0;
    for seed in 0..100 {
        let path = &run.paths(&key(seed));
        assert_eq!(path.len(), 1, "{run:?}");
        put_together += usize::from(path[0].contains("state.vscdb!/<page "));
    }
    assert!((1..10).contains(&put_together), "{put_together}");
    assert_eq!(run.summary()["skipped"].as_object().unwrap().len(), 0, "{run:?}");
}
