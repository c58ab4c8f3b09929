//! Where agents and their editors keep what they know: credentials, settings, servers of the Model Context Protocol, and
//! the transcripts of everything that was said. `--agents` adds those of the user's places that exist.
//!
//! A place is what the product's documentation or its files on a machine show; a new one is a line here.

use std::path::{Path, PathBuf};

use crate::scan::records::TextKind;

/// What agents keep on a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentPlaces {
    /// The files and folders to scan, those that exist.
    pub targets: Vec<PathBuf>,
    /// Which of them, and of what is in them, are transcripts.
    pub kinds: Vec<(PathBuf, TextKind)>,
}

/// Files and folders below the home folder. Of folders that editors share with everything else, only what agents use.
pub const PLACES: [&str; 43] = [
    // Claude Code and Claude Desktop
    ".claude",
    ".claude.json",
    ".config/Claude/claude_desktop_config.json",
    "Library/Application Support/Claude/claude_desktop_config.json",
    // Codex
    ".codex",
    // Cursor
    ".cursor/mcp.json",
    ".cursor/cli-config.json",
    ".cursor/projects",
    ".cursor/chats",
    ".config/Cursor/User",
    "Library/Application Support/Cursor/User",
    // Gemini CLI
    ".gemini",
    // Copilot, and Visual Studio Code with Cline, Roo and others
    ".copilot",
    ".config/github-copilot",
    ".config/Code/User",
    ".vscode-server/data/User",
    "Library/Application Support/Code/User",
    // aider
    ".aider.conf.yml",
    ".aider.chat.history.md",
    ".aider.input.history",
    ".aider.llm.history",
    ".aider",
    // Continue
    ".continue",
    // Windsurf
    ".codeium/windsurf",
    ".codeium/config.json",
    ".config/Windsurf/User",
    "Library/Application Support/Windsurf/User",
    // Zed
    ".config/zed",
    ".local/share/zed/threads",
    ".local/share/zed/conversations",
    "Library/Application Support/Zed/threads",
    "Library/Application Support/Zed/conversations",
    // opencode
    ".config/opencode",
    ".local/share/opencode",
    // llm
    ".config/io.datasette.llm",
    "Library/Application Support/io.datasette.llm",
    // Hugging Face: the tokens, not the models beside them
    ".cache/huggingface/token",
    ".cache/huggingface/stored_tokens",
    // Goose, Amp
    ".config/goose",
    ".local/share/goose/sessions",
    ".config/amp",
    ".local/share/amp",
    // Servers of the Model Context Protocol for whoever reads this file
    ".mcp.json",
];

/// Which of them hold transcripts and nothing else.
const TRANSCRIPTS: [&str; 24] = [
    ".claude/projects",
    ".claude/history.jsonl",
    ".codex/sessions",
    ".codex/archived_sessions",
    ".codex/history.jsonl",
    ".cursor/projects",
    ".cursor/chats",
    ".gemini/tmp",
    ".copilot/session-state",
    ".copilot/history-session-state",
    ".aider.chat.history.md",
    ".aider.input.history",
    ".aider.llm.history",
    ".continue/sessions",
    ".codeium/windsurf/cascade",
    ".local/share/zed/threads",
    ".local/share/zed/conversations",
    "Library/Application Support/Zed/threads",
    "Library/Application Support/Zed/conversations",
    ".local/share/opencode/storage",
    ".config/io.datasette.llm/logs.db",
    "Library/Application Support/io.datasette.llm/logs.db",
    ".local/share/goose/sessions",
    ".local/share/amp/threads",
];

/// Folders that a variable of the environment may name instead.
pub const MOVED: [(&str, &str); 3] =
    [("CLAUDE_CONFIG_DIR", ".claude"), ("CODEX_HOME", ".codex"), ("HF_HOME", ".cache/huggingface")];

/// Finds the places that exist, below a home folder and where the environment says that they are.
pub fn find(home: &Path, environment: &dyn Fn(&str) -> Option<PathBuf>) -> AgentPlaces {
    let moved: Vec<(&str, PathBuf)> =
        MOVED.iter().filter_map(|(name, folder)| Some((*folder, environment(name)?))).collect();
    let places = |place: &str| {
        let elsewhere =
            moved.iter().filter_map(|(folder, to)| Some(to.join(Path::new(place).strip_prefix(folder).ok()?)));
        // Links are followed: whoever keeps settings in a repository has links in their place.
        let all: Vec<PathBuf> = std::iter::once(home.join(place)).chain(elsewhere).collect();
        all.into_iter().filter_map(|path| std::fs::canonicalize(path).ok())
    };
    let mut targets: Vec<PathBuf> = Vec::new();
    for path in PLACES.iter().flat_map(|place| places(place)) {
        if !targets.iter().any(|known| path.starts_with(known)) {
            targets.push(path);
        }
    }
    let kinds = TRANSCRIPTS.iter().flat_map(|place| places(place)).map(|path| (path, TextKind::Transcript)).collect();
    AgentPlaces { targets, kinds }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_exists_is_found_and_nothing_twice() {
        let home = tempfile::tempdir().expect("a folder");
        let path = |relative: &str| home.path().canonicalize().expect("it is there").join(relative);
        assert_eq!(find(home.path(), &|_| None), AgentPlaces { targets: Vec::new(), kinds: Vec::new() });
        std::fs::create_dir_all(path(".claude/projects")).expect("a folder");
        std::fs::create_dir_all(path("moved/sessions")).expect("a folder");
        std::fs::write(path(".claude.json"), "{}").expect("a file");
        std::os::unix::fs::symlink(path(".claude"), path(".continue")).expect("a link");
        let found = find(home.path(), &|name| (name == "CODEX_HOME").then(|| path("moved")));
        assert_eq!(found.targets, [path(".claude"), path(".claude.json"), path("moved")]);
        let kinds: Vec<PathBuf> = found.kinds.into_iter().map(|(path, _)| path).collect();
        assert_eq!(kinds, [path(".claude/projects"), path("moved/sessions")]);
    }

    #[test]
    fn every_transcript_lies_in_a_place() {
        for transcript in TRANSCRIPTS {
            assert!(PLACES.iter().any(|place| Path::new(transcript).starts_with(place)), "{transcript}");
        }
    }
}
