//! What one object of JSON says of the text in it: which ticket or session, who wrote it, when; and whether it is surely of
//! an export or transcript. The shapes are those that the products write:
//!
//! | product | object | ticket | by | at |
//! |---|---|---|---|---|
//! | Jira | issue: `key`, `fields` | `key` | reporter, creator | `created` |
//! | Jira | comment, change: `author`, `created` | | `author` | `created` |
//! | Zendesk | ticket: `subject`, `requester_id`; audit: `ticket_id`, `events` | `id`, `ticket_id` | requester, author | `created_at` |
//! | Linear | issue: `identifier`, `title`; comment: `body`, `user` | `identifier` | creator, user | `createdAt` |
//! | GitHub | issue, pull request, comment: a URL with `/issues/N` or `/pull/N` | `owner/name#N` | `user`, `author` | `created_at` |
//! | GitLab | issue: `iid`, `title`; note: `note`, `author` | `#iid` | author | `created_at` |
//! | Slack | message: `type`, `ts`, `user` | the channel's folder | `user_profile`, `user` | `ts` |
//! | Claude Code | line: `sessionId`, `type` | `sessionId` | role, tool | `timestamp` |
//! | Codex | line: `timestamp`, `type`, `payload` | the session in the file's name | role, tool | `timestamp` |
//! | OpenAI chat export | `mapping`; message: `author.role`, `create_time` | `conversation_id` | role | `create_time` |
//! | Claude chat export | `chat_messages`; message: `sender`, `text` | `uuid` | `sender` | `created_at` |
//! | Gemini CLI | `sessionId`, `messages`; message: `type`, `content`, `timestamp` | `sessionId` | `type` | `timestamp` |
//! | Copilot in Visual Studio Code | `sessionId`, `requests`; request: `requestId`, `timestamp` | `sessionId` | | `timestamp` |
//! | opencode | message, part: `sessionID`, `messageID` or `role` | `sessionID` | `role` | `time` |
//! | Docker | line: `log`, `stream`, `time` | | | `time` |

use std::path::Path;

use serde_json::{Map, Value};

use super::{TextKind, time};

/// The longest name that is told, in characters.
const LONGEST_NAME: usize = 200;

/// What an object says.
#[derive(Debug, Default)]
pub(super) struct Clue {
    /// What it surely belongs to.
    pub(super) kind: Option<TextKind>,
    pub(super) ticket: Option<String>,
    pub(super) by: Option<String>,
    pub(super) at: Option<String>,
    /// Whether it is something that a person wrote at a time, so that no object round it says by whom and when.
    written: bool,
}

impl Clue {
    /// Takes from an object further out what this one leaves open.
    pub(super) fn join(&mut self, outer: &Self) {
        let open = |known: &mut Option<String>, told: &Option<String>| {
            if known.is_none() {
                known.clone_from(told);
            }
        };
        self.kind = self.kind.or(outer.kind);
        open(&mut self.ticket, &outer.ticket);
        if !self.written {
            open(&mut self.by, &outer.by);
            open(&mut self.at, &outer.at);
            self.written = outer.written;
        }
    }

    /// A text that somebody wrote.
    fn written(kind: Option<TextKind>, ticket: Option<String>, by: Option<String>, at: Option<String>) -> Self {
        Self { kind, ticket, by, at, written: true }
    }
}

type Object = Map<String, Value>;

fn text<'object>(object: &'object Object, name: &str) -> Option<&'object str> {
    object.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn is_object(object: &Object, name: &str) -> bool {
    object.get(name).is_some_and(Value::is_object)
}

/// A name as it is told: one line, of bounded length.
fn name(text: &str) -> Option<String> {
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.chars().take(LONGEST_NAME).collect())
}

/// A number or a text.
fn id(object: &Object, field: &str) -> Option<String> {
    match object.get(field)? {
        Value::String(text) => name(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A person: an object with a name, a name, or the id of one. Of an address the last part.
fn person(object: &Object, field: &str) -> Option<String> {
    match object.get(field)? {
        Value::Object(person) => {
            let names =
                ["displayName", "display_name", "real_name", "login", "username", "name", "emailAddress", "email"];
            names.iter().find_map(|field| text(person, field)).and_then(name).or_else(|| id(person, "id"))
        }
        Value::String(text) if text.starts_with("https://") => name(text.rsplit('/').next()?),
        _ => id(object, field),
    }
}

fn first<T>(fields: &[&str], of: impl Fn(&str) -> Option<T>) -> Option<T> {
    fields.iter().find_map(|field| of(field))
}

fn moment(object: &Object, fields: &[&str]) -> Option<String> {
    first(fields, |field| object.get(field).and_then(time::of))
}

/// Says what an object tells of the text in it.
pub(super) fn of(object: &Object, path: &Path) -> Clue {
    let shapes = [
        jira,
        zendesk,
        linear,
        github,
        gitlab,
        claude_code,
        opencode,
        sessions,
        session_turn,
        docker,
        chats,
        comment,
        turn,
    ];
    shapes
        .iter()
        .find_map(|shape| shape(object))
        .or_else(|| slack(object, path))
        .or_else(|| codex(object, path))
        .unwrap_or_default()
}

/// What an object may tell where a person said that the text is an export: the usual names of such fields.
pub(super) fn likely(object: &Object) -> Clue {
    let tickets = ["ticket", "ticket_id", "issue", "key", "identifier", "session_id", "conversation_id", "thread_id"];
    let people = ["author", "by", "user", "sender", "from", "creator", "reporter", "role"];
    let times = ["timestamp", "created_at", "createdAt", "created", "@timestamp", "time", "date", "ts"];
    Clue {
        kind: None,
        ticket: first(&tickets, |field| id(object, field)),
        by: first(&people, |field| person(object, field)),
        at: moment(object, &times),
        written: false,
    }
}

/// Whether this is a project's short name, a hyphen and a number.
fn is_issue_key(text: &str) -> bool {
    let Some((project, number)) = text.rsplit_once('-') else { return false };
    let letters = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    project.starts_with(|first: char| first.is_ascii_uppercase())
        && project.bytes().all(letters)
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn jira(object: &Object) -> Option<Clue> {
    let key = text(object, "key").filter(|key| is_issue_key(key))?;
    let fields = object.get("fields")?.as_object()?;
    let by = first(&["reporter", "creator"], |field| person(fields, field));
    Some(Clue::written(Some(TextKind::Ticket), name(key), by, moment(fields, &["created"])))
}

fn zendesk(object: &Object) -> Option<Clue> {
    let times = ["created_at", "updated_at"];
    if object.contains_key("ticket_id") && object.contains_key("events") {
        let by = person(object, "author_id");
        return Some(Clue::written(Some(TextKind::Ticket), id(object, "ticket_id"), by, moment(object, &times)));
    }
    let by = first(&["requester_id", "submitter_id"], |field| person(object, field))?;
    object.get("subject").or(object.get("raw_subject"))?;
    Some(Clue::written(Some(TextKind::Ticket), id(object, "id"), Some(by), moment(object, &times)))
}

fn linear(object: &Object) -> Option<Clue> {
    let key = text(object, "identifier").filter(|key| is_issue_key(key))?;
    object.get("title")?;
    let by = first(&["creator", "assignee"], |field| person(object, field));
    Some(Clue::written(Some(TextKind::Ticket), name(key), by, moment(object, &["createdAt", "created_at"])))
}

/// `owner/name#N` of the address of an issue, a pull request or a comment on one.
fn issue_in(address: &str) -> Option<String> {
    let path = address.strip_prefix("https://")?;
    let parts: Vec<&str> = path.split(['/', '#', '?']).collect();
    let at = parts.iter().position(|part| matches!(*part, "issues" | "pull" | "pulls"))?;
    let number = parts.get(at + 1).filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))?;
    // A host, perhaps `repos`, owner and name come before.
    let (owner, repository) = (parts.get(at.checked_sub(2)?)?, parts.get(at - 1)?);
    (at >= 3).then(|| format!("{owner}/{repository}#{number}"))
}

fn github(object: &Object) -> Option<Clue> {
    let addresses = ["html_url", "issue_url", "pull_request_url", "issue", "pull_request", "url"];
    let ticket = first(&addresses, |field| text(object, field).and_then(issue_in))?;
    object.get("body").or(object.get("title"))?;
    let by = first(&["user", "author"], |field| person(object, field));
    Some(Clue::written(Some(TextKind::Ticket), name(&ticket), by, moment(object, &["created_at", "createdAt"])))
}

fn gitlab(object: &Object) -> Option<Clue> {
    let by = || first(&["author", "author_id"], |field| person(object, field));
    let times = ["created_at", "updated_at"];
    if text(object, "note").is_some() && (object.contains_key("author") || object.contains_key("author_id")) {
        return Some(Clue::written(None, None, by(), moment(object, &times)));
    }
    let number = object.get("iid")?.as_u64()?;
    object.get("title")?;
    Some(Clue::written(Some(TextKind::Ticket), Some(format!("#{number}")), by(), moment(object, &times)))
}

/// A message of Slack. Exports have a folder a channel and a file a day.
fn slack(object: &Object, path: &Path) -> Option<Clue> {
    (text(object, "type")? == "message").then_some(())?;
    let (seconds, digits) = text(object, "ts")?.split_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(seconds) && is_number(digits)).then_some(())?;
    let by = first(&["user_profile", "user", "username", "bot_id"], |field| person(object, field));
    let is_day = path.file_stem().is_some_and(|day| day.len() == 10 && day.to_string_lossy().matches('-').count() == 2);
    let folder =
        path.parent().and_then(Path::file_name).filter(|_| is_day).and_then(|folder| name(&folder.to_string_lossy()));
    // In an archive at its top.
    let channel = folder.map(|folder| folder.rsplit('!').next().unwrap_or_default().to_owned());
    let ticket = id(object, "channel").or(channel);
    Some(Clue::written(Some(TextKind::Ticket), ticket, by, moment(object, &["ts"])))
}

fn claude_code(object: &Object) -> Option<Clue> {
    let session = text(object, "sessionId")?;
    let sort = text(object, "type")?;
    object.get("uuid").or(object.get("timestamp")).or(object.get("message"))?;
    let by = matches!(sort, "user" | "assistant" | "system").then(|| sort.to_owned());
    let at = moment(object, &["timestamp"]);
    Some(Clue { kind: Some(TextKind::Transcript), ticket: name(session), by, at, written: true })
}

fn codex(object: &Object, path: &Path) -> Option<Clue> {
    let sorts = ["session_meta", "turn_context", "response_item", "event_msg", "compacted"];
    text(object, "type").filter(|sort| sorts.contains(sort))?;
    let payload = object.get("payload")?.as_object()?;
    let at = moment(object, &["timestamp"])?;
    // rollout-TIME-SESSION.jsonl, the session with four hyphens in it.
    let stem =
        path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).filter(|stem| stem.starts_with("rollout-"));
    let session = stem.as_deref().and_then(|stem| stem.get(stem.len().checked_sub(36)?..)).and_then(name);
    let by = match text(payload, "type") {
        Some("user_message") => Some("user".to_owned()),
        Some("agent_message" | "agent_reasoning" | "reasoning") => Some("assistant".to_owned()),
        _ => None,
    };
    Some(Clue {
        kind: Some(TextKind::Transcript),
        ticket: session.or_else(|| id(payload, "id")),
        by,
        at: Some(at),
        written: true,
    })
}

/// A message, or a part of one, in a file of its own.
fn opencode(object: &Object) -> Option<Clue> {
    let session = text(object, "sessionID")?;
    text(object, "messageID").or(text(object, "role"))?;
    let time = object.get("time").and_then(Value::as_object);
    let at = time.and_then(|time| moment(time, &["created", "start"]));
    let by = text(object, "role").and_then(name);
    Some(Clue { kind: Some(TextKind::Transcript), ticket: name(session), by, at, written: true })
}

/// A whole session of Gemini CLI or of Copilot.
fn sessions(object: &Object) -> Option<Clue> {
    let session = text(object, "sessionId")?;
    object.get("messages").or(object.get("requests"))?.as_array()?;
    let at = moment(object, &["startTime", "creationDate"]);
    Some(Clue { kind: Some(TextKind::Transcript), ticket: name(session), by: None, at, written: true })
}

/// A turn in such a session. It has a time, as nearly everything has, so it proves nothing by itself.
fn session_turn(object: &Object) -> Option<Clue> {
    let at = moment(object, &["timestamp"])?;
    let by = text(object, "type").filter(|sort| matches!(*sort, "user" | "gemini") && object.contains_key("content"));
    (by.is_some() || object.contains_key("requestId")).then(|| Clue {
        by: by.map(str::to_owned),
        at: Some(at),
        ..Clue::default()
    })
}

fn docker(object: &Object) -> Option<Clue> {
    text(object, "log")?;
    text(object, "stream").filter(|stream| matches!(*stream, "stdout" | "stderr"))?;
    let at = moment(object, &["time"])?;
    Some(Clue { kind: Some(TextKind::Log), at: Some(at), ..Clue::default() })
}

/// Whole talks in exports of chats.
fn chats(object: &Object) -> Option<Clue> {
    let (session, at) = if is_object(object, "mapping") {
        (first(&["conversation_id", "id", "title"], |field| id(object, field)), moment(object, &["create_time"]))
    } else {
        object.get("chat_messages")?.as_array()?;
        (first(&["uuid", "name"], |field| id(object, field)), moment(object, &["created_at"]))
    };
    Some(Clue { kind: Some(TextKind::Transcript), ticket: session, by: None, at, written: true })
}

/// A comment, a change, a message: something with a writer and a time.
fn comment(object: &Object) -> Option<Clue> {
    let text_in = ["body", "items", "bodyText", "plain_body", "html_body", "text", "content"];
    text_in.iter().find(|field| object.contains_key(**field))?;
    let at = moment(object, &["created", "created_at", "createdAt", "create_time"]);
    let by = match object.get("author").and_then(Value::as_object).and_then(|author| text(author, "role")) {
        Some(role) => name(role),
        None => first(&["author", "author_id", "user", "sender"], |field| person(object, field)),
    };
    // A message of an export may have no time of its own.
    (by.is_some() && (at.is_some() || object.contains_key("create_time"))).then(|| Clue { by, at, ..Clue::default() })
}

/// A turn of a talk, or a part of one: whose it is.
fn turn(object: &Object) -> Option<Clue> {
    let by = match text(object, "type") {
        Some("tool_result" | "function_call_output" | "custom_tool_call_output" | "local_shell_call_output") => {
            Some("tool result".to_owned())
        }
        Some("tool_use" | "function_call" | "custom_tool_call") => {
            Some(format!("assistant, tool {}", text(object, "name").and_then(name)?))
        }
        _ => {
            object.get("content")?;
            let roles = ["user", "assistant", "system", "developer", "tool"];
            text(object, "role").filter(|role| roles.contains(role)).map(str::to_owned)
        }
    };
    by.map(|by| Clue { by: Some(by), ..Clue::default() })
}
