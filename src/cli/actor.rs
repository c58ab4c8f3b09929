//! Who does it, for the record of events and for decisions: a name that the environment gives. It proves nothing; it says
//! whom to ask.

/// Returns who runs the program: `CREDTRACE_ACTOR`, else the log-in name, else the number of the user.
pub fn actor() -> String {
    let named =
        |name: &str| std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let name = ["CREDTRACE_ACTOR", "USER", "LOGNAME", "USERNAME"].into_iter().find_map(named);
    #[cfg(unix)]
    let name = name.or_else(|| Some(format!("user {}", rustix::process::geteuid().as_raw())));
    let name = name.unwrap_or_else(|| "unknown".into());
    // A name goes into one line of the record.
    name.chars().filter(|character| !character.is_control()).take(200).collect()
}
