//! Tells archives by their first bytes; names and their endings decide nothing.

/// How many bytes [`recognise`] wants to see; a tar has its mark late.
pub const HEAD: usize = 512;

/// How something is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Members with a directory at the end; also jar, whl, docx, xlsx, pptx, apk and many more.
    Zip,
    /// Members one after another, in blocks of 512 bytes.
    Tar,
    /// One text, compressed by gzip.
    Gzip,
    /// One text, compressed by bzip2.
    Bzip2,
    /// One text, compressed by xz.
    Xz,
    /// One text, compressed by zstd.
    Zstd,
    /// A database of SQLite, whose long values lie in pieces.
    Sqlite,
    /// An archive of a kind that is not read: 7z, rar, cab, lz4, lzip, compress.
    Other,
}

impl Format {
    /// Whether the bytes of such a file are scanned as they are in any case.
    pub fn is_text_as_well(self) -> bool {
        matches!(self, Self::Sqlite | Self::Other)
    }
}

/// What the formats begin with.
const MARKS: [(&[u8], Format); 17] = [
    (b"PK\x03\x04", Format::Zip),
    (b"PK\x05\x06", Format::Zip),
    (b"PK\x07\x08PK\x03\x04", Format::Zip),
    (b"PK00PK\x03\x04", Format::Zip),
    (b"\x1f\x8b\x08", Format::Gzip),
    (b"\xfd7zXZ\0", Format::Xz),
    (b"\x28\xb5\x2f\xfd", Format::Zstd),
    (super::sqlite::MARK, Format::Sqlite),
    (b"7z\xbc\xaf\x27\x1c", Format::Other),
    (b"Rar!\x1a\x07\x00", Format::Other),
    (b"Rar!\x1a\x07\x01\x00", Format::Other),
    (b"MSCF\0\0\0\0", Format::Other),
    (b"\x04\x22\x4d\x18", Format::Other),
    (b"LZIP\x01", Format::Other),
    (b"\x1f\x9d\x90", Format::Other),
    (b"\x1f\x9d\x8c", Format::Other),
    (b"xar!\0\x1c", Format::Other),
];

/// Tells how a file is packed from its first [`HEAD`] bytes, or from all of them where it has fewer.
pub fn recognise(head: &[u8]) -> Option<Format> {
    // Nearly every text ends here: no mark begins with a letter of another text's usual beginning.
    let first = *head.first()?;
    let marked = MARKS.iter().find(|(mark, _)| mark[0] == first && head.starts_with(mark)).map(|(_, format)| *format);
    marked.or_else(|| is_bzip2(head).then_some(Format::Bzip2)).or_else(|| is_tar(head).then_some(Format::Tar))
}

/// `BZh`, the size of blocks as a digit, and the mark of the first block or of the end.
fn is_bzip2(head: &[u8]) -> bool {
    let Some(rest) = head.strip_prefix(b"BZh") else { return false };
    matches!(rest, [b'1'..=b'9', mark @ ..] if mark.starts_with(b"1AY&SY") || mark.starts_with(b"\x17rE8P\x90"))
}

/// Whether this is a header of a tar: its checksum fits. The oldest tars have no mark beside it.
pub(super) fn is_tar(head: &[u8]) -> bool {
    head.len() >= HEAD && head[0] != 0 && super::tar::checksum_fits(&head[..HEAD])
}

#[cfg(test)]
mod tests {
    use super::{Format, recognise};

    #[test]
    fn ordinary_text_is_no_archive() {
        let texts: [&[u8]; 7] = [b"", b"P", b"PK", b"BZh9 is how it begins", b"\x1f\x8b", &[0; 600], &[b' '; 600]];
        for text in texts {
            assert_eq!(recognise(text), None, "{text:?}");
        }
    }

    #[test]
    fn marks_are_told_apart() {
        assert_eq!(recognise(b"PK\x03\x04rest"), Some(Format::Zip));
        assert_eq!(recognise(b"PK\x05\x06"), Some(Format::Zip));
        assert_eq!(recognise(b"\x1f\x8b\x08\0"), Some(Format::Gzip));
        assert_eq!(recognise(b"BZh91AY&SYrest"), Some(Format::Bzip2));
        assert_eq!(recognise(b"\xfd7zXZ\0rest"), Some(Format::Xz));
        assert_eq!(recognise(b"\x28\xb5\x2f\xfdrest"), Some(Format::Zstd));
        assert_eq!(recognise(b"7z\xbc\xaf\x27\x1crest"), Some(Format::Other));
    }
}
