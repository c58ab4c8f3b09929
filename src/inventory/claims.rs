//! How the claims of several sources become one effective record, field by field, and which source each field is of.
//!
//! A field is of the claim with the highest rank, then the newest, then of the source whose name comes first, so the order
//! of imports changes nothing. A list is one field. What only recognises (join keys, aliases) adds up instead: that one
//! source does not know a fingerprint says nothing against another that does. Maps are joined by their entries; a hint and
//! the claims of a token mean something only whole.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Lists that add up.
const ADDED_UP: [&str; 6] = ["aliases", "join.fp", "join.digests", "join.ids", "join.public_ids", "join.account"];
/// Maps that are joined by their entries.
const MAPS: [&str; 3] = ["join", "external_ids", "revoke"];

/// The fields of a record.
pub(super) type Fields = Map<String, Value>;

/// What one source says of a record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Claim {
    /// The source.
    pub(super) source: String,
    /// Whose word counts, as [`super::batch::Rank`] numbers it.
    pub(super) rank: i64,
    /// How new it is.
    pub(super) as_of: String,
    /// What it says, tidied.
    pub(super) fields: Fields,
}

/// An effective record, and by field the place of the claim that decided it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Joined {
    /// The record.
    pub(super) fields: Fields,
    /// By the field's dotted name: which of the sorted claims it is of; of a list that adds up, the first that adds to it.
    pub(super) deciders: BTreeMap<String, usize>,
}

/// Sorts claims, the one that decides first.
pub(super) fn sort(claims: &mut [Claim]) {
    claims.sort_by(|left, right| {
        let key = |claim: &Claim| (Reverse(claim.rank), Reverse(claim.as_of.clone()), claim.source.clone());
        key(left).cmp(&key(right))
    });
}

/// Joins sorted claims.
pub(super) fn join(claims: &[Claim]) -> Joined {
    let mut joined = Joined::default();
    for (place, claim) in claims.iter().enumerate() {
        add(&mut joined.fields, &claim.fields, "", place, &mut joined.deciders);
    }
    sort_lists(&mut joined.fields, "");
    joined
}

fn add(target: &mut Fields, claim: &Fields, prefix: &str, place: usize, deciders: &mut BTreeMap<String, usize>) {
    for (name, value) in claim {
        let path = dotted(prefix, name);
        match (value, target.get_mut(name)) {
            (Value::Object(entries), known) if MAPS.contains(&path.as_str()) => {
                let known = match known {
                    Some(known) => known,
                    None => target.entry(name.clone()).or_insert_with(|| Value::Object(Map::new())),
                };
                if let Value::Object(known) = known {
                    add(known, entries, &path, place, deciders);
                }
            }
            (Value::Array(more), Some(Value::Array(known))) if ADDED_UP.contains(&path.as_str()) => {
                known.extend(more.iter().cloned());
            }
            (_, Some(_)) => {}
            (value, None) => {
                target.insert(name.clone(), value.clone());
                deciders.insert(path, place);
            }
        }
    }
}

/// Brings the lists that add up into one order, each entry once.
pub(super) fn sort_lists(fields: &mut Fields, prefix: &str) {
    for (name, value) in fields {
        let path = dotted(prefix, name);
        match value {
            Value::Object(entries) if MAPS.contains(&path.as_str()) => sort_lists(entries, &path),
            Value::Array(list) if ADDED_UP.contains(&path.as_str()) => {
                list.sort_by(|left, right| left.as_str().cmp(&right.as_str()));
                list.dedup();
            }
            _ => {}
        }
    }
}

/// Takes away what says nothing: null, empty text, empty lists and maps.
pub(super) fn tidy(fields: &mut Fields) {
    fields.retain(|_, value| match value {
        Value::Null => false,
        Value::String(text) => {
            let trimmed = text.trim();
            if trimmed.len() < text.len() {
                *text = trimmed.to_owned();
            }
            !text.is_empty()
        }
        Value::Array(list) => {
            list.retain(|entry| entry.as_str().is_none_or(|text| !text.trim().is_empty()));
            !list.is_empty()
        }
        Value::Object(entries) => {
            tidy(entries);
            !entries.is_empty()
        }
        _ => true,
    });
}

/// Adds what a second row of one source says of the same record.
///
/// # Errors
/// The first field in which the two differ; then nothing was added.
pub(super) fn unite(known: &mut Fields, more: &Fields) -> Result<(), String> {
    let as_claim =
        |fields: &Fields| Claim { source: String::new(), rank: 0, as_of: String::new(), fields: fields.clone() };
    let both = join(&[as_claim(known), as_claim(more)]).fields;
    let reversed = join(&[as_claim(more), as_claim(known)]).fields;
    let differs = both.iter().find(|(name, value)| reversed.get(*name) != Some(*value));
    match differs {
        Some((name, _)) => Err(name.clone()),
        None => {
            *known = both;
            Ok(())
        }
    }
}

/// Returns the names of the fields in which two records differ.
pub(super) fn differences(old: &Fields, new: &Fields) -> Vec<String> {
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names.into_iter().filter(|name| old.get(*name) != new.get(*name)).cloned().collect()
}

/// Writes the name of a field within another.
pub(super) fn dotted(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn claim(source: &str, rank: i64, as_of: &str, fields: Value) -> Claim {
        let Value::Object(fields) = fields else { unreachable!("an object") };
        Claim { source: source.into(), rank, as_of: as_of.into(), fields }
    }

    fn joined(mut claims: Vec<Claim>) -> (Vec<Claim>, Joined) {
        sort(&mut claims);
        let joined = join(&claims);
        (claims, joined)
    }

    #[test]
    fn the_higher_rank_then_the_newer_then_the_first_name_decides_each_field() {
        let (claims, joined) = joined(vec![
            claim("b", 1, "2026-11-20", json!({"name": "b", "team": "b", "scopes": ["b"]})),
            claim("a", 1, "2026-11-20", json!({"name": "a"})),
            claim("new", 1, "2026-11-21", json!({"team": "new"})),
            claim("hand", 3, "2020-01-01", json!({"owner": "hand", "scopes": ["hand"]})),
        ]);
        assert_eq!(
            Value::Object(joined.fields),
            json!({"name": "a", "team": "new", "owner": "hand", "scopes": ["hand"]})
        );
        let decider = |field: &str| claims[joined.deciders[field]].source.as_str();
        assert_eq!(["name", "team", "owner", "scopes"].map(decider), ["a", "new", "hand", "hand"]);
    }

    #[test]
    fn what_recognises_adds_up_and_a_hint_stays_whole() {
        let (_, joined) = joined(vec![
            claim("enrol", 2, "2026", json!({"join": {"fp": ["z", "a"], "hint": {"head": "h", "tail": "t"}}})),
            claim(
                "list",
                1,
                "2026",
                json!({"join": {"fp": ["b", "a"], "hint": {"head": "x", "tail": "y", "source": "s"}}}),
            ),
        ]);
        assert_eq!(
            Value::Object(joined.fields),
            json!({"join": {"fp": ["a", "b", "z"], "hint": {"head": "h", "tail": "t"}}})
        );
        assert!(joined.deciders.contains_key("join.fp") && joined.deciders.contains_key("join.hint"));
    }

    #[test]
    fn two_rows_of_one_source_add_up_unless_they_differ() {
        let Value::Object(mut known) = json!({"id": "x", "join": {"ids": ["a:1"]}}) else { unreachable!() };
        let Value::Object(more) = json!({"id": "x", "name": "n", "join": {"ids": ["a:2"]}}) else { unreachable!() };
        unite(&mut known, &more).expect("they agree");
        assert_eq!(Value::Object(known.clone()), json!({"id": "x", "name": "n", "join": {"ids": ["a:1", "a:2"]}}));
        let Value::Object(other) = json!({"id": "x", "name": "another", "team": "t"}) else { unreachable!() };
        assert_eq!(unite(&mut known, &other), Err("name".into()));
        assert!(!known.contains_key("team"));
    }

    proptest! {
        #[test]
        fn the_order_of_claims_changes_nothing(
            claims in proptest::collection::vec((1..4_i64, 0..3_u8, 0..4_u8, 0..4_u8), 1..6),
            seed in 0..1000_usize,
        ) {
            let claims: Vec<Claim> = claims.iter().enumerate().map(|(place, (rank, day, name, keys))| {
                let fields = json!({"name": format!("n{name}"), "join": {"ids": [format!("x:{keys}")]},
                    "external_ids": {format!("s{keys}"): format!("v{place}")}});
                claim(&format!("source-{place}"), *rank, &format!("2026-01-0{day}"), fields)
            }).collect();
            let mut turned = claims.clone();
            turned.rotate_left(seed % claims.len());
            turned.reverse();
            prop_assert_eq!(joined(claims).1.fields, joined(turned).1.fields);
        }
    }
}
