//! Records of each format, with the hit in the places where people and programs leave keys.

use std::path::Path;

use super::{Origin, Telling, TextKind, enclosing};
use crate::finding::{Context, SourceKind};

/// What is said of the word `HERE` in a text.
fn told(text: &str, path: &str, kind: Option<TextKind>) -> Option<Origin> {
    let at = text.find("HERE").expect("a hit") as u64;
    Telling::new(Path::new(path), kind).origins(&mut text.as_bytes(), &[at]).pop().flatten()
}

#[track_caller]
fn says(text: &str, path: &str, source: SourceKind, ticket: &str, by: &str, at: &str) {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let context = Context { ticket: some(ticket), by: some(by), at: some(at) };
    let context = (context != Context::default()).then_some(context);
    assert_eq!(told(text, path, None), Some(Origin { source, context }), "{text}");
}

#[test]
fn jira() {
    let comment = r#"{"author":{"displayName":"Ana Ray"},"body":{"type":"doc","content":[{"text":"HERE"}]},"created":"2024-02-03T04:05:06.000+0100"}"#;
    let issue = |comment: &str, description: &str| {
        format!(
            r#"{{"expand":"names","issues":[{{"key":"OPS-12","fields":{{"reporter":{{"displayName":"Bo"}},"created":"2024-01-01T00:00:00.000+0000","description":"{description}","comment":{{"comments":[{comment}]}}}}}}]}}"#
        )
    };
    says(&issue(comment, ""), "a.json", SourceKind::Ticket, "OPS-12", "Ana Ray", "2024-02-03T03:05:06Z");
    says(&issue("", "HERE"), "a.json", SourceKind::Ticket, "OPS-12", "Bo", "2024-01-01T00:00:00Z");
    // Written over many lines.
    let pretty = issue(comment, "").replace(['{'], "{\n").replace(',', ",\n  ");
    says(&pretty, "a.json", SourceKind::Ticket, "OPS-12", "Ana Ray", "2024-02-03T03:05:06Z");
}

#[test]
fn other_tickets() {
    let zendesk = r#"{"id":35436,"subject":"help","description":"HERE","requester_id":20978392,"created_at":"2024-07-20T22:55:29Z"}"#;
    says(zendesk, "a.jsonl", SourceKind::Ticket, "35436", "20978392", "2024-07-20T22:55:29Z");
    let linear = r#"{"issues":{"nodes":[{"identifier":"ENG-7","title":"t","creator":{"name":"Bo"},"createdAt":"2024-01-01T00:00:00.000Z","comments":{"nodes":[{"body":"HERE","user":{"name":"Cy"},"createdAt":"2024-01-02T00:00:00.000Z"}]}}]}}"#;
    says(linear, "a.json", SourceKind::Ticket, "ENG-7", "Cy", "2024-01-02T00:00:00Z");
    let github = r#"[{"url":"https://api.github.com/repos/o/r/issues/9","html_url":"https://github.com/o/r/issues/9","number":9,"user":{"login":"octo"},"body":"HERE","created_at":"2024-01-01T00:00:00Z"}]"#;
    says(github, "a.json", SourceKind::Ticket, "o/r#9", "octo", "2024-01-01T00:00:00Z");
    let archive = r#"[{"type":"issue_comment","issue":"https://github.com/o/r/issues/3","user":"https://github.com/cat","body":"HERE","created_at":"2024-01-01T00:00:00Z"}]"#;
    says(archive, "a.json", SourceKind::Ticket, "o/r#3", "cat", "2024-01-01T00:00:00Z");
    let gitlab = r#"{"iid":4,"title":"t","author_id":1,"created_at":"2024-01-01T00:00:00Z","notes":[{"note":"HERE","author":{"name":"Cy"},"created_at":"2024-01-02T00:00:00Z"}]}"#;
    says(gitlab, "issues.ndjson", SourceKind::Ticket, "#4", "Cy", "2024-01-02T00:00:00Z");
    let slack = r#"[{"type":"message","user":"U1","text":"hi","ts":"1700000000.000100"},{"type":"message","user":"U2","user_profile":{"real_name":"Dee"},"text":"HERE","ts":"1700000001.000200"}]"#;
    says(slack, "export/ops/2023-11-14.json", SourceKind::Ticket, "ops", "Dee", "2023-11-14T22:13:21.0002Z");
    says(slack, "export.zip!/ops/2023-11-14.json", SourceKind::Ticket, "ops", "Dee", "2023-11-14T22:13:21.0002Z");
}

#[test]
fn transcripts() {
    let claude = |message: &str| {
        format!(
            r#"{{"parentUuid":null,"sessionId":"5e55","type":"user","message":{message},"uuid":"u","timestamp":"2025-03-04T05:06:07.123Z"}}"#
        )
    };
    let at = "2025-03-04T05:06:07.123Z";
    let path = "projects/x/5e55.jsonl";
    let result = claude(r#"{"role":"user","content":[{"type":"tool_result","content":"HERE"}]}"#);
    says(&result, path, SourceKind::Transcript, "5e55", "tool result", at);
    let call =
        claude(r#"{"role":"assistant","content":[{"type":"tool_use","name":"Bash","input":{"command":"HERE"}}]}"#);
    let lines = format!("{{\"type\":\"summary\"}}\n{call}\n{{}}\n");
    says(&lines, path, SourceKind::Transcript, "5e55", "assistant, tool Bash", at);
    says(&claude(r#"{"role":"user","content":"HERE"}"#), path, SourceKind::Transcript, "5e55", "user", at);

    let session = "0199a213-81c0-7800-8aa1-bbab2a035a53";
    let codex = r#"{"timestamp":"2025-10-01T00:00:00.000Z","type":"response_item","payload":{"type":"function_call_output","call_id":"c","output":"HERE"}}"#;
    let path = format!("sessions/2025/10/01/rollout-2025-10-01T00-00-00-{session}.jsonl");
    says(codex, &path, SourceKind::Transcript, session, "tool result", "2025-10-01T00:00:00Z");

    let openai = r#"[{"title":"t","conversation_id":"c-1","create_time":1700000000.5,"mapping":{"n":{"message":{"author":{"role":"user"},"create_time":1700000009.25,"content":{"content_type":"text","parts":["HERE"]}}}}}]"#;
    says(openai, "conversations.json", SourceKind::Transcript, "c-1", "user", "2023-11-14T22:13:29.25Z");
    let chat = r#"[{"uuid":"c-2","name":"n","created_at":"2024-01-01T00:00:00Z","chat_messages":[{"uuid":"m","text":"HERE","sender":"human","created_at":"2024-01-01T00:00:05Z"}]}]"#;
    says(chat, "conversations.json", SourceKind::Transcript, "c-2", "human", "2024-01-01T00:00:05Z");
}

#[test]
fn sessions_of_other_agents() {
    let gemini = r#"{"sessionId":"s-1","projectHash":"h","startTime":"2025-01-01T00:00:00Z","messages":[{"id":"m","timestamp":"2025-01-01T00:00:05Z","type":"gemini","content":"HERE"}]}"#;
    says(gemini, "session-1.json", SourceKind::Transcript, "s-1", "gemini", "2025-01-01T00:00:05Z");
    let copilot = r#"{"version":3,"requesterUsername":"ana","sessionId":"s-2","requests":[{"requestId":"r","message":{"text":"HERE"},"timestamp":1700000000000}]}"#;
    says(copilot, "s-2.json", SourceKind::Transcript, "s-2", "", "2023-11-14T22:13:20Z");
    let opencode = r#"{"id":"prt","sessionID":"ses_1","messageID":"msg","type":"text","text":"HERE","time":{"start":1700000000000}}"#;
    says(opencode, "prt.json", SourceKind::Transcript, "ses_1", "", "2023-11-14T22:13:20Z");
}

#[test]
fn logs() {
    let actions = "2023-06-29T18:15:50.0000000Z ##[group]Run make test\n2023-06-29T18:15:54.4601154Z HERE\n";
    says(actions, "1_build.txt", SourceKind::Log, "make test", "", "2023-06-29T18:15:54.4601154Z");
    let gh = "build\tTest it\t2023-06-29T18:15:50.0000000Z a\nbuild\tTest it\t2023-06-29T18:15:54.4601154Z HERE\n";
    says(gh, "log", SourceKind::Log, "build / Test it", "", "2023-06-29T18:15:54.4601154Z");
    let gitlab = "2024-05-22T12:43:46.962646Z 00O \x1b[0Ksection_start:1716381826:step_script\r\x1b[0K\n2024-05-22T12:43:47.100000Z 01O HERE\n";
    says(gitlab, "log", SourceKind::Log, "step_script", "", "2024-05-22T12:43:47.1Z");
    let jenkins = "[2024-01-01T00:00:00.000Z] + env\n[2024-01-01T00:00:01.000Z] HERE\n";
    says(jenkins, "log", SourceKind::Log, "", "", "2024-01-01T00:00:01Z");
    let buildkite = "\x1b_bk;t=1700000000000\x07HERE\n";
    says(buildkite, "log", SourceKind::Log, "", "", "2023-11-14T22:13:20Z");
    let docker = r#"{"log":"HERE\n","stream":"stdout","time":"2024-01-01T00:00:00.5Z"}"#;
    says(docker, "x-json.log", SourceKind::Log, "", "", "2024-01-01T00:00:00.5Z");
}

#[test]
fn other_texts_are_what_they_are_unless_a_person_says_more() {
    let texts = [
        "KEY=HERE\n",
        "2024-01-01T00:00:00Z HERE\n",
        "{\"api_key\":\"HERE\",\"user\":\"me\",\"created\":\"2024-01-01T00:00:00Z\"}",
        "{\n \"key\": \"OPS-1\", \"value\": \"HERE\"\n}",
        "fn main() { HERE }",
        "[1, \"HERE\"]",
    ];
    for text in texts {
        assert_eq!(told(text, "a", None), None, "{text}");
        assert_eq!(told(text, "a", Some(TextKind::Text)), None, "{text}");
        assert_eq!(told(text, "a", Some(TextKind::Log)).map(|origin| origin.source), Some(SourceKind::Log), "{text}");
    }
    let context = |text: &str, kind| told(text, "a", Some(kind)).and_then(|origin| origin.context);
    let at = Some("2024-01-01T00:00:00Z".to_owned());
    assert_eq!(context(texts[1], TextKind::Log), Some(Context { at: at.clone(), ..Context::default() }));
    assert_eq!(context(texts[2], TextKind::Ticket), Some(Context { by: Some("me".into()), at, ticket: None }));
}

#[test]
fn an_element_on_a_line_of_its_own_belongs_to_the_document() {
    let text = "{\"id\":\"T-1\",\"ticket\":\"T-1\",\"notes\":[\n{\"text\":\"HERE\"}\n]}";
    let context = Context { ticket: Some("T-1".into()), ..Context::default() };
    let origin = Origin { source: SourceKind::Ticket, context: Some(context) };
    assert_eq!(told(text, "a", Some(TextKind::Ticket)), Some(origin));
}

#[test]
fn hostile_json_ends_soon_and_says_nothing() {
    let deep = "[".repeat(100_000) + "HERE";
    let texts = [deep, format!("{{\"a\":\"{}HERE", "x".repeat(300_000)), "}}}}HERE".into(), "[{\"\\\"HERE\"".into()];
    for text in texts {
        assert_eq!(told(&text, "a", None), None);
    }
}

#[test]
fn the_objects_round_a_place_are_found_across_steps() {
    let filler = format!("[\"{}\",{{\"b\":\"]}}\"}}],", "x\\\"".repeat(50_000));
    let text = format!("{{\"a\":{filler}\"o\":{{\"p\":[{{\"HERE\":1}}]}}}}");
    let at = text.find("HERE").expect("a hit") as u64;
    let chain = enclosing::of(&mut text.as_bytes(), &[at]).remove(0);
    let parts: Vec<&str> = chain.iter().map(|(start, end)| &text[*start as usize..*end as usize]).collect();
    assert_eq!(parts[..2], ["{\"HERE\":1}", "{\"p\":[{\"HERE\":1}]}"]);
}
