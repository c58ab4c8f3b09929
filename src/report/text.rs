//! Text laid out in columns: widths as a terminal counts them, wrapping, shortening, and numbers for people.
//!
//! Expects text that [`super::escape`] has been through; a control character here would be counted wrongly.

use unicode_width::UnicodeWidthChar as _;

/// Returns how many columns a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// The longest word that is left whole.
const LONGEST_WORD: usize = 512;

/// Breaks a text at spaces into lines of at most `width` columns. A longer word stays whole on a line of its own, since it
/// is a path or an address that somebody will copy; a monstrous one is cut.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        if !line.is_empty() && columns(&line) + 1 + columns(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&cut(word, LONGEST_WORD));
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Shortens a text to `width` columns round the part that begins at byte `focus` and has `focus_length` bytes, with `...`
/// where something is left out.
pub(super) fn cut_round(text: &str, focus: usize, focus_length: usize, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let width = width.max(16);
    let focus = boundary(text, focus);
    let end = boundary(text, focus.saturating_add(focus_length));
    let spare = (width - 6).saturating_sub(columns(&text[focus..end]));
    // What is assigned to matters more than what follows, so a third is kept for that, and less where less follows.
    let room = spare - columns(&text[end..]).min(spare / 3);
    let start = if columns(&text[..focus]) <= room { 0 } else { tail_start(&text[..focus], room) };
    let before = if start > 0 { "..." } else { "" };
    let room = width - before.len();
    if columns(&text[start..]) <= room {
        return format!("{before}{}", &text[start..]);
    }
    let kept = &text[start..start + fitting(&text[start..], room - 3)];
    format!("{before}{kept}...")
}

/// Shortens a text at its end to `width` columns.
pub(super) fn cut(text: &str, width: usize) -> String {
    cut_round(text, 0, 0, width)
}

/// Returns the nearest place at or before byte `index` where a character begins.
fn boundary(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0)
}

/// Returns how many bytes of the head of a text fit in `width` columns; at least one character.
fn fitting(text: &str, width: usize) -> usize {
    let mut used = 0;
    for (index, character) in text.char_indices() {
        used += character.width().unwrap_or(0);
        if used > width {
            return if index == 0 { character.len_utf8() } else { index };
        }
    }
    text.len()
}

/// Returns where the last `width` columns of a text begin.
fn tail_start(text: &str, width: usize) -> usize {
    let mut used = 0;
    for (index, character) in text.char_indices().rev() {
        used += character.width().unwrap_or(0);
        if used > width {
            return index + character.len_utf8();
        }
    }
    0
}

/// Writes a number with commas between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a count and its noun: `1 place`, `2 places`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// Writes an amount of bytes in decimal units: `799 MB`, `1.2 kB`.
pub(super) fn bytes(number: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if number < 1000 {
        return counted(number, "byte", "bytes");
    }
    let mut amount = number as f64 / 1000.0;
    let mut unit = 0;
    // 999.95 would be shown as 1000.0 of the smaller unit.
    while amount >= 999.5 && unit + 1 < UNITS.len() {
        amount /= 1000.0;
        unit += 1;
    }
    let digits = usize::from(amount < 99.95);
    format!("{amount:.digits$} {}", UNITS[unit])
}

/// Writes a length of time: `0.7 s`, `2 min 05 s`.
pub(super) fn duration(seconds: f64) -> String {
    if !seconds.is_finite() || seconds < 0.0 {
        return "unknown time".into();
    }
    if seconds < 9.95 {
        let digits = if seconds < 0.095 { 3 } else { 1 };
        return format!("{seconds:.digits$} s");
    }
    // The cast saturates at the greatest number, far past any scan.
    let whole = seconds.round() as u64;
    if whole < 60 { format!("{whole} s") } else { format!("{} min {:02} s", whole / 60, whole % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_for_people() {
        assert_eq!(grouped(57_302), "57,302");
        assert_eq!(grouped(999), "999");
        assert_eq!(bytes(799_000_000), "799 MB");
        assert_eq!(bytes(1_234), "1.2 kB");
        assert_eq!(bytes(999_999), "1.0 MB");
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(u64::MAX), "18.4 EB");
        assert_eq!(duration(0.7), "0.7 s");
        assert_eq!(duration(0.012), "0.012 s");
        assert_eq!(duration(59.7), "1 min 00 s");
        assert_eq!(duration(f64::NAN), "unknown time");
    }

    #[test]
    fn lines_fit_their_width_with_wide_characters() {
        assert_eq!(wrapped("日本語 の説明 and more", 12), ["日本語", "の説明 and", "more"]);
        assert_eq!(wrapped("see /a/path/of/some/length now", 12), ["see", "/a/path/of/some/length", "now"]);
        assert_eq!(wrapped(&"x".repeat(100_000), 12)[0].len(), LONGEST_WORD);
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
    }

    #[test]
    fn a_long_line_is_cut_round_what_matters() {
        let text = format!("{}HERE{}", "日".repeat(500), "b".repeat(500));
        let cut = cut_round(&text, 1500, 4, 60);
        assert!(cut.contains("HERE") && cut.starts_with("...") && cut.ends_with("..."), "{cut}");
        assert!(columns(&cut) <= 60, "{cut}");
        assert_eq!(cut_round("short", 99, 99, 60), "short");
        assert_eq!(super::cut("abcdefghijklmnopqrst", 16), "abcdefghijklm...");
    }

    proptest::proptest! {
        #[test]
        fn a_cut_never_exceeds_its_width(text in "\\PC{0,80}", focus in 0_usize..200, length in 0_usize..40, width in 20_usize..60) {
            proptest::prop_assert!(columns(&cut_round(&text, focus, length, width)) <= width);
        }
    }
}
