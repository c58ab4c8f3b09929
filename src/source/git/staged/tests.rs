//! Tests against git itself: whatever is staged, the list equals what `git diff --cached --raw` says.

mod forms;
mod hooks;
mod random;
mod scratch;
mod situations;
