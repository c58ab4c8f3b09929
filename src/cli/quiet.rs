//! A terminal that does not show the secret that is typed or pasted into it.

use std::io::IsTerminal;

use anyhow::{Context, Result};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Keeps standard input from showing what is typed until this is dropped; does nothing where it is no terminal.
#[derive(Debug)]
pub struct Quiet(Option<Termios>);

impl Quiet {
    /// Begins to hide what is typed.
    ///
    /// # Errors
    /// A terminal that cannot hide it: then nothing must be typed there.
    pub fn start() -> Result<Self> {
        let input = std::io::stdin();
        if !input.is_terminal() {
            return Ok(Self(None));
        }
        let before = tcgetattr(&input).context("the terminal")?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        quiet.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&input, OptionalActions::Flush, &quiet).context("the terminal cannot hide what is typed")?;
        Ok(Self(Some(before)))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
