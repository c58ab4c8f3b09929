//! `--output FILE`: a report is written whole or not at all.
//!
//! It goes to a temporary file in the same folder, is forced to the disk and takes the name only then, so that a full disk,
//! a crash or an interruption leaves the old report as it was. What to write is the caller's affair.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Writes a file by means of `write`, or leaves the old one. `private` makes it readable for its owner alone, for reports
/// that hold secrets; otherwise an old file's mode is kept, and a new file gets the usual one.
///
/// A name that is there but is no regular file (`/dev/stdout`, a pipe) is written to directly. A symbolic link is followed.
///
/// # Errors
/// A folder that is missing or cannot be written, and whatever `write` says; the error names the file.
pub fn write_whole(path: &Path, private: bool, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let path = &followed(path)?;
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            Err(Error::UnusableTarget { path: path.clone(), reason: "is a folder; --output needs a file".into() })
        }
        Ok(metadata) if !metadata.is_file() => write_directly(path, write),
        Ok(metadata) => replace(path, private, Some(metadata.permissions()), write),
        Err(error) if error.kind() == io::ErrorKind::NotFound => replace(path, private, None, write),
        Err(error) => Err(Error::io(path)(error)),
    }
}

/// Returns the file that a symbolic link leads to: renaming over the link would cut it.
fn followed(path: &Path) -> Result<PathBuf> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_symlink() => fs::canonicalize(path).map_err(Error::io(path)),
        _ => Ok(path.to_owned()),
    }
}

fn write_directly(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
    let file = File::options().write(true).open(path).map_err(Error::io(path))?;
    let mut output = BufWriter::new(file);
    write(&mut output).and_then(|()| output.flush()).map_err(Error::io(path))
}

fn replace(
    path: &Path,
    private: bool,
    old: Option<fs::Permissions>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let folder = folder_of(path);
    let temporary = temporary_in(folder, path, private)?;
    let failed = |error: io::Error| Error::UnusableTarget {
        path: path.to_owned(),
        reason: format!("the report could not be written ({error}); what was there before is unchanged"),
    };
    if let Some(permissions) = old.filter(|_| !private) {
        temporary.as_file().set_permissions(permissions).map_err(failed)?;
    }
    let mut output = BufWriter::new(temporary);
    write(&mut output).map_err(failed)?;
    let temporary = output.into_inner().map_err(|error| failed(error.into_error()))?;
    temporary.as_file().sync_all().map_err(failed)?;
    temporary.persist(path).map_err(|error| failed(error.error))?;
    sync_folder(folder);
    Ok(())
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn temporary_in(folder: &Path, path: &Path, private: bool) -> Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".credtrace-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The system takes the bits of the umask away.
        builder.permissions(fs::Permissions::from_mode(if private { 0o600 } else { 0o666 }));
    }
    let refused = |error: io::Error| Error::UnusableTarget {
        path: path.to_owned(),
        reason: match error.kind() {
            // What the library says names the temporary file, which means nothing to anyone.
            io::ErrorKind::NotFound => {
                format!("the report cannot be written into the folder {}: there is no such folder", folder.display())
            }
            io::ErrorKind::PermissionDenied => {
                format!("the report cannot be written into the folder {}: permission denied", folder.display())
            }
            _ => format!("the report cannot be written into the folder {}: {error}", folder.display()),
        },
    };
    builder.tempfile_in(folder).map_err(refused)
}

/// Makes the new name last through a crash. Some file systems cannot; the report is whole either way.
fn sync_folder(folder: &Path) {
    if let Ok(folder) = File::open(folder) {
        drop(folder.sync_all());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_failure_keeps_the_old_report_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        write_whole(&path, false, |output| output.write_all(b"old")).expect("written");
        let error = write_whole(&path, false, |output| {
            output.write_all(&vec![b'x'; 1 << 20])?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        })
        .expect_err("a full disk");
        assert!(error.to_string().contains("report.json") && error.to_string().contains("unchanged"), "{error}");
        assert_eq!(fs::read(&path).expect("the old report"), b"old");
        assert_eq!(names(folder.path()), ["report.json"]);
        write_whole(&path, false, |output| output.write_all(b"new")).expect("written");
        assert_eq!(fs::read(&path).expect("the new report"), b"new");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("missing/report.json");
        let error = write_whole(&missing, false, |_| Ok(())).expect_err("no folder");
        assert!(error.to_string().contains("cannot be written into the folder"), "{error}");
        let error = write_whole(folder.path(), false, |_| Ok(())).expect_err("a folder is no file");
        assert!(error.to_string().contains("is a folder"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn modes_and_links_are_kept_and_secrets_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        let mode = || fs::metadata(&path).expect("a file").permissions().mode() & 0o777;
        fs::write(&path, "old").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a mode");
        let link = folder.path().join("latest");
        std::os::unix::fs::symlink("report.json", &link).expect("a link");
        write_whole(&link, false, |output| output.write_all(b"new")).expect("written");
        assert!(fs::symlink_metadata(&link).expect("the link").file_type().is_symlink());
        assert_eq!((fs::read(&path).expect("a file"), mode()), (b"new".to_vec(), 0o640));
        write_whole(&path, true, |output| output.write_all(b"secret")).expect("written");
        assert_eq!(mode(), 0o600);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to_directly() {
        write_whole(Path::new("/dev/null"), false, |output| output.write_all(b"gone")).expect("written");
        let full = Path::new("/dev/full");
        if full.exists() {
            write_whole(full, false, |output| output.write_all(b"no room")).expect_err("a full device");
        }
    }
}
