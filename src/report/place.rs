//! Where an occurrence is, as one path: for people, and as the relative URI that code hosts join to a repository.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::escape;
use crate::finding::{Occurrence, SourceKind};

/// Returns the path a person can open from where the scan began: the target and the path in it. It is not escaped.
pub(super) fn shown(occurrence: &Occurrence) -> Cow<'_, str> {
    joined(occurrence).map_or(Cow::Borrowed(occurrence.path.as_str()), Cow::Owned)
}

/// Returns the path as a relative URI, with no byte lost where it is not UTF-8.
///
/// A path of a repository's objects is relative to the repository, which is what code hosts want; a file's path takes the
/// target before it where that is relative.
pub(super) fn uri(occurrence: &Occurrence) -> String {
    escape::relative_uri(&relative(occurrence))
}

/// Returns the bytes of the path from where the scan began, as far as that is known.
pub(super) fn relative(occurrence: &Occurrence) -> Vec<u8> {
    let bytes = occurrence.path_bytes_b64.as_deref().and_then(|text| STANDARD.decode(text).ok());
    let path = bytes.as_deref().unwrap_or(occurrence.path.as_bytes());
    let in_repository = matches!(occurrence.source, SourceKind::Git | SourceKind::Index);
    match joined(occurrence) {
        Some(_) if !in_repository && !occurrence.target.starts_with('/') => {
            [folder(&occurrence.target).as_bytes(), b"/", path].concat()
        }
        _ => path.to_vec(),
    }
}

/// Returns target and path as one, where the target adds something.
fn joined(occurrence: &Occurrence) -> Option<String> {
    let target = folder(&occurrence.target);
    let path = occurrence.path.as_str();
    let names_itself = target == path
        || path.starts_with(&format!("{target}/"))
        || path.starts_with(&format!("{target}!/"))
        || target.ends_with(&format!("/{path}"));
    if matches!(target, "" | "." | "-") || path.starts_with(['/', '<']) || names_itself {
        return None;
    }
    Some(format!("{target}/{path}"))
}

fn folder(target: &str) -> &str {
    let target = target.strip_prefix("./").unwrap_or(target);
    target.strip_suffix('/').unwrap_or(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::occurrence;

    fn at(source: SourceKind, target: &str, path: &str) -> Occurrence {
        Occurrence { source, target: target.into(), path: path.into(), ..occurrence() }
    }

    #[test]
    fn people_see_a_path_that_opens() {
        let shown = |target, path| shown(&at(SourceKind::File, target, path)).into_owned();
        assert_eq!(shown(".", "a.py"), "a.py");
        assert_eq!(shown("./", "a.py"), "a.py");
        assert_eq!(shown("./src/", "a.py"), "src/a.py");
        assert_eq!(shown("/srv/repo", "src/a.py"), "/srv/repo/src/a.py");
        assert_eq!(shown("logs/a.log", "logs/a.log"), "logs/a.log");
        assert_eq!(shown("logs.zip", "logs.zip!/1.log"), "logs.zip!/1.log");
        assert_eq!(shown("-", "<stdin>"), "<stdin>");
        assert_eq!(shown("repo", "<commit message>"), "<commit message>");
    }

    #[test]
    fn code_hosts_get_a_relative_uri() {
        assert_eq!(uri(&at(SourceKind::File, "src", "a b.py")), "src/a%20b.py");
        assert_eq!(uri(&at(SourceKind::File, "/srv/repo", "a.py")), "a.py");
        assert_eq!(uri(&at(SourceKind::Git, "checkout", "a.py")), "a.py");
        assert_eq!(uri(&at(SourceKind::File, ".", "/etc/a.py")), "etc/a.py");
    }

    #[test]
    fn a_path_that_is_not_utf8_keeps_its_bytes() {
        let mut occurrence = at(SourceKind::Git, ".", "a\u{fffd}.py");
        occurrence.path_bytes_b64 = Some(STANDARD.encode(b"a\xff.py"));
        assert_eq!(uri(&occurrence), "a%FF.py");
        occurrence.path_bytes_b64 = Some("not base64".into());
        assert_eq!(uri(&occurrence), "a%EF%BF%BD.py");
    }
}
