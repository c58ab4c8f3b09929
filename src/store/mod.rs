//! The store: one SQLite file in the program's home that holds verdicts of providers, the identity inventory, decisions and
//! the chained record of events. This module opens it, keeps its form up to date and guards it; what its tables mean, the
//! modules that use them know. It never holds a secret.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::error::{Error, Result};
use crate::secret::create_private_folder;

/// The steps that make a store of this version, oldest first; `user_version` counts those that were taken.
const STEPS: [&str; 1] = [include_str!("schema.sql")];
/// Marks the file as ours, in SQLite's `application_id`: "ctrc".
const APPLICATION: i32 = 0x6374_7263;
/// How long one program waits for another that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open store.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

impl Store {
    /// Opens the store at `path`, or makes one there: file mode 0600 in a folder of mode 0700.
    ///
    /// # Errors
    /// A file that is no store, is damaged, was written by a newer version, or cannot be had within ten seconds.
    pub fn open_or_create(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent() {
            create_private_folder(folder).map_err(Error::io(folder))?;
        }
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path).map_err(Error::io(path))?;
        Self::open(path)
    }

    /// Opens the store at `path`.
    ///
    /// # Errors
    /// As [`Store::open_or_create`], and where there is none.
    pub fn open(path: &Path) -> Result<Self> {
        if !path.exists() {
            return Err(Error::Store {
                path: path.into(),
                reason: "there is no inventory here; `credtrace inventory import` makes one".into(),
            });
        }
        // Without CREATE and URI: a path is a path.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(fault(path))?;
        Self::prepared(connection, path)
    }

    /// Makes a store that ends with the program; for tests and for trying things out.
    ///
    /// # Errors
    /// Where SQLite has no memory.
    pub fn in_memory() -> Result<Self> {
        let path = Path::new(":memory:");
        Self::prepared(Connection::open_in_memory().map_err(fault(path))?, path)
    }

    fn prepared(connection: Connection, path: &Path) -> Result<Self> {
        let mut store = Self { connection, path: path.to_owned() };
        // SQLite does not wait by itself where another program changes the form of the journal at that moment.
        let until = std::time::Instant::now() + PATIENCE;
        while let Err(error) = store.configure() {
            let busy = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy);
            if !busy || std::time::Instant::now() > until {
                return Err(fault(path)(error));
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        store.migrate()?;
        Ok(store)
    }

    fn configure(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(PATIENCE)?;
        self.connection.set_prepared_statement_cache_capacity(64);
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        self.connection.pragma_update(None, "synchronous", "NORMAL")?;
        self.connection.pragma_update(None, "foreign_keys", true)?;
        // A file that was handed over may hold a schema that runs functions.
        self.connection.pragma_update(None, "trusted_schema", false)
    }

    /// Takes the steps that the file lacks, all or none.
    fn migrate(&mut self) -> Result<()> {
        let path = self.path.clone();
        let (application, version, has_tables) = self.form().map_err(fault(&path))?;
        let refuse = |reason: String| Err(Error::Store { path: path.clone(), reason });
        if application != APPLICATION && (application != 0 || version != 0 || has_tables) {
            return refuse("is a database of another program".into());
        }
        let known = STEPS.len() as i32;
        if version > known {
            return refuse(format!(
                "was written by a newer credtrace (form {version}, this one knows {known}); use that one, or name another store"
            ));
        }
        if version == known {
            return self.check();
        }
        // Two programs may start at once: the form is read again under the lock.
        self.write(|transaction| {
            let taken: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            for step in &STEPS[taken.clamp(0, known) as usize..] {
                transaction.execute_batch(step)?;
            }
            transaction.pragma_update(None, "user_version", known)?;
            transaction.pragma_update(None, "application_id", APPLICATION)
        })
    }

    /// Returns whose file this is, its form, and whether it has tables: all of one moment, or a file that another program of ours
    /// is making would look like somebody else's.
    fn form(&mut self) -> rusqlite::Result<(i32, i32, bool)> {
        let moment = self.connection.transaction()?;
        let number = |name: &str| moment.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let (application, version) = (number("application_id")?, number("user_version")?);
        let tables: i64 = moment.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        Ok((application, version, tables > 0))
    }

    /// Refuses a damaged file: an answer that is wrong in part is worse than none.
    fn check(&self) -> Result<()> {
        let verdict = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        match verdict.map_err(fault(&self.path))?.as_str() {
            "ok" => Ok(()),
            found => Err(Error::Store {
                path: self.path.clone(),
                reason: format!("is damaged ({found}); restore it from a copy, or move it away and import again"),
            }),
        }
    }

    /// Returns where the store is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads from the store.
    ///
    /// # Errors
    /// What `read` says, with the store's path.
    pub fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        read(&self.connection).map_err(fault(&self.path))
    }

    /// Writes to the store: all that `write` does, or nothing of it.
    ///
    /// # Errors
    /// What `write` says, with the store's path; then nothing was written.
    pub fn write<T>(&mut self, write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T> {
        let path = self.path.clone();
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault(&path))?;
        let answer = write(&transaction).map_err(fault(&path))?;
        transaction.commit().map_err(fault(&path))?;
        Ok(answer)
    }

    /// Writes to the store, unless `write` finds a reason not to: then nothing of it stays.
    ///
    /// # Errors
    /// What `write` says, with the store's path; then nothing was written.
    pub fn write_unless<T, E>(
        &mut self,
        write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<T, E>>,
    ) -> Result<Result<T, E>> {
        let path = self.path.clone();
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault(&path))?;
        let answer = write(&transaction).map_err(fault(&path))?;
        let ended = if answer.is_ok() { transaction.commit() } else { transaction.rollback() };
        ended.map_err(fault(&path))?;
        Ok(answer)
    }

    /// Writes to the store, and takes it all back: what would be, told without doing it.
    ///
    /// # Errors
    /// What `write` says, with the store's path.
    pub fn try_out<T>(&mut self, write: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T> {
        let path = self.path.clone();
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault(&path))?;
        let answer = write(&transaction).map_err(fault(&path))?;
        transaction.rollback().map_err(fault(&path))?;
        Ok(answer)
    }
}

/// Says of an SQLite fault where it happened and what to do.
fn fault(path: &Path) -> impl FnOnce(rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    let path = path.to_owned();
    move |error| {
        let reason = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "another credtrace is writing to it; try again when it has ended".to_owned()
            }
            Some(ErrorCode::NotADatabase) => "is no store of credtrace; name another file".to_owned(),
            Some(ErrorCode::DatabaseCorrupt) => {
                "is damaged; restore it from a copy, or move it away and import again".to_owned()
            }
            _ => error.to_string(),
        };
        Error::Store { path, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_made_private_and_opened_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("home/inventory.db");
        drop(Store::open_or_create(&path).expect("a new store"));
        Store::open(&path).expect("the same store");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
        }
    }

    #[test]
    fn a_missing_a_foreign_a_newer_and_a_damaged_store_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let refused = |path: &Path| Store::open(path).expect_err("must be refused").to_string();
        assert!(refused(&folder.path().join("none.db")).contains("no inventory here"));
        let text = folder.path().join("text.db");
        std::fs::write(&text, "this is a letter, not a database, and long enough to be seen as one".repeat(20))
            .expect("written");
        assert!(refused(&text).contains("no store of credtrace"));
        let foreign = folder.path().join("foreign.db");
        Connection::open(&foreign).and_then(|other| other.execute_batch("CREATE TABLE mine (a)")).expect("made");
        assert!(refused(&foreign).contains("another program"));
        let newer = folder.path().join("newer.db");
        let store = Store::open_or_create(&newer).expect("made");
        store.connection.pragma_update(None, "user_version", 99).expect("set");
        drop(store);
        assert!(refused(&newer).contains("newer credtrace"));
    }

    #[test]
    fn a_damaged_page_is_seen_on_opening() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        drop(Store::open_or_create(&path).expect("made"));
        let mut bytes = std::fs::read(&path).expect("read");
        let length = bytes.len();
        bytes[length / 2..].fill(0xa5);
        std::fs::write(&path, bytes).expect("written");
        assert!(Store::open(&path).expect_err("must be refused").to_string().contains("damaged"));
    }

    #[test]
    fn what_fails_in_the_middle_leaves_nothing() {
        let mut store = Store::in_memory().expect("a store");
        let failed = store.write(|transaction| {
            transaction.execute("INSERT INTO person VALUES ('a', '{}')", [])?;
            transaction.execute("INSERT INTO person VALUES ('b', 'no json')", [])
        });
        assert!(failed.is_err());
        let people = store
            .read(|connection| connection.query_row("SELECT count(*) FROM person", [], |row| row.get::<_, i64>(0)));
        assert_eq!(people.expect("counted"), 0_i64);
    }
}
