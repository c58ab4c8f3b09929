//! Texts with named parts in braces, such as `Bearer {secret}`: how the parts are told from the text round them.
//!
//! A part's name begins with a small letter and goes on with letters, digits, `.`, `_` and `-`; any other brace is text, so
//! that a body of JSON needs no escapes. What a name stands for is decided where a request is made.

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'text> {
    /// What stands for itself.
    Text(&'text str),
    /// The name of a part, without its braces.
    Part(&'text str),
}

/// The parts that are no companion's id.
pub const RESERVED: [&str; 8] = ["secret", "basic", "region", "tenant", "email", "token", "issued", "expires"];
/// What the name of a part begins with that is a claim of the secret, read as a signed token.
pub const CLAIM: &str = "claim.";
/// What the name of a part begins with that is a public id near the secret.
pub const NEAR: &str = "near.";

/// What the name of a part begins with that is a piece of the secret, as `form` cuts it.
pub const PART: &str = "part.";
/// What the name of a part begins with that is a public value beside a name near the secret.
pub const NAMED: &str = "named.";

/// Splits a template into its pieces, in order; together they are the template.
pub fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut text_start = 0;
    let mut from = 0;
    while let Some(brace) = template[from..].find('{').map(|at| from + at) {
        from = brace + 1;
        let Some(name) = name_at(&template[from..]) else { continue };
        if text_start < brace {
            pieces.push(Piece::Text(&template[text_start..brace]));
        }
        pieces.push(Piece::Part(name));
        from += name.len() + 1;
        text_start = from;
    }
    if text_start < template.len() {
        pieces.push(Piece::Text(&template[text_start..]));
    }
    pieces
}

/// Returns the names of a template's parts, in order.
pub fn parts(template: &str) -> impl Iterator<Item = &str> {
    pieces(template).into_iter().filter_map(|piece| match piece {
        Piece::Part(name) => Some(name),
        Piece::Text(_) => None,
    })
}

/// Returns the name that a text begins with, if a closing brace follows it.
fn name_at(text: &str) -> Option<&str> {
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let length = text.bytes().take_while(fits).count();
    let name = &text[..length];
    (name.starts_with(|first: char| first.is_ascii_lowercase()) && text[length..].starts_with('}')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_braces_are_parts_and_other_braces_are_text() {
        let json = r#"{"query":"query { viewer { id } }","key":"{secret}"}"#;
        assert_eq!(parts(json).collect::<Vec<_>>(), ["secret"]);
        assert_eq!(pieces("Bearer {secret}!"), [Piece::Text("Bearer "), Piece::Part("secret"), Piece::Text("!")]);
        assert_eq!(pieces("{{secret}"), [Piece::Text("{"), Piece::Part("secret")]);
        assert_eq!(parts("/{a-b}/{claim.tenant_id}").collect::<Vec<_>>(), ["a-b", "claim.tenant_id"]);
        for text in ["", "{", "}", "{}", "{Secret}", "{secret", "{sec ret}", "{ secret }"] {
            assert_eq!(parts(text).count(), 0, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn pieces_joined_are_the_template(template in "[{}a-zA. é\"-]{0,40}") {
            let joined: String = pieces(&template)
                .into_iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text.to_owned(),
                    Piece::Part(name) => format!("{{{name}}}"),
                })
                .collect();
            proptest::prop_assert_eq!(joined, template);
        }
    }
}
