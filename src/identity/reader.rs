//! Questions to the store that only answers ask: what a redacted form or an id elsewhere finds, all identities of a person,
//! what scans found between two times. It reads effective records. One record by its id and the lists of all of them,
//! [`records`] gives.

use rusqlite::{Connection, Params, Row};
use serde::de::DeserializeOwned;

use super::decisions::{self, Decision};
use super::link::Linker;
use crate::error::{Error, Result};
use crate::finding::Finding;
use crate::inventory::keys::KeyKind;
use crate::inventory::model::{CredentialRecord, IdentityRecord, Observation, Person};
use crate::inventory::records::{self, Filter};
use crate::store::Store;

/// The role that a person has for an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Answers for it.
    Owner,
    /// Answers in the owner's place.
    BackupOwner,
    /// Pays for it or wanted it.
    Sponsor,
    /// Made it.
    Creator,
}

impl Role {
    /// Returns the role in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::BackupOwner => "backup owner",
            Self::Sponsor => "sponsor",
            Self::Creator => "creator",
        }
    }
}

/// Asks a store.
#[derive(Debug)]
pub struct Reader<'a> {
    store: &'a Store,
    linker: Option<Linker<'a>>,
}

impl<'a> Reader<'a> {
    /// Reads from `store`.
    pub fn new(store: &'a Store) -> Self {
        Self { store, linker: None }
    }

    /// Links remembered findings anew, so that what was imported after the scan counts.
    #[must_use]
    pub fn with_linker(mut self, linker: Linker<'a>) -> Self {
        self.linker = Some(linker);
        self
    }

    /// Returns what links findings, where there is one.
    pub fn linker(&self) -> Option<&Linker<'a>> {
        self.linker.as_ref()
    }

    /// Returns the store.
    pub fn store(&self) -> &'a Store {
        self.store
    }

    /// Returns all identities, by id.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn identities(&self) -> Result<Vec<IdentityRecord>> {
        records::identities(self.store, &Filter::default())
    }

    /// Returns all credential records, by id.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn credentials(&self) -> Result<Vec<CredentialRecord>> {
        self.many("SELECT body FROM credential ORDER BY id", [])
    }

    /// Returns the credential records that a join key of any kind finds; `value` as the store writes it.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn credentials_by_key(&self, value: &str) -> Result<Vec<CredentialRecord>> {
        self.many(
            "SELECT DISTINCT credential.id, body FROM credential JOIN join_key ON join_key.credential = credential.id
             WHERE join_key.value = ?1 AND join_key.kind IN ('fp', 'digest', 'id', 'public-id', 'jwt')
             ORDER BY credential.id",
            [value],
        )
    }

    /// Returns the credential records whose provider's id is `id`, or whose join key is `id` with a provider before it.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn credentials_by_record_id(&self, id: &str) -> Result<Vec<CredentialRecord>> {
        self.many(
            "SELECT id, body FROM credential WHERE json_extract(body, '$.record_id') = ?1 OR id IN (
                 SELECT credential FROM join_key WHERE kind IN ('id', 'public-id')
                 AND substr(value, instr(value, ':') + 1) = ?1)
             ORDER BY id",
            [id],
        )
    }

    /// Returns the credential records whose redacted form fits what is shown of a value: one shows as much or less of each
    /// end than the other.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn credentials_by_hint(&self, head: &str, tail: &str) -> Result<Vec<CredentialRecord>> {
        let all: Vec<CredentialRecord> = self.many(
            "SELECT DISTINCT credential.id, body FROM credential JOIN hint ON hint.credential = credential.id
             WHERE substr(?1, 1, length(hint.head)) = hint.head OR substr(hint.head, 1, length(?1)) = ?1
             ORDER BY credential.id",
            [head],
        )?;
        let fits = |shown: &str| shown.ends_with(tail) || tail.ends_with(shown);
        Ok(all.into_iter().filter(|record| record.join.hint.as_ref().is_some_and(|hint| fits(&hint.tail))).collect())
    }

    /// Returns the identities that an id elsewhere finds: `spiffe://...`, `svc_acct_...`.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn identities_by_external_id(&self, value: &str) -> Result<Vec<IdentityRecord>> {
        self.many(
            "SELECT DISTINCT identity.id, body FROM identity JOIN external_id ON external_id.identity = identity.id
             WHERE external_id.value = ?1 OR substr(external_id.value, instr(external_id.value, ':') + 1) = ?1
             ORDER BY identity.id",
            [value],
        )
    }

    /// Returns the identities for which a person has a role, under any of the person's names.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn identities_of_person(&self, person: &Person) -> Result<Vec<(IdentityRecord, Vec<Role>)>> {
        let names: Vec<String> = [&person.id]
            .into_iter()
            .chain(&person.email)
            .chain(&person.aliases)
            .map(|name| name.to_ascii_lowercase())
            .collect();
        let is = |name: &Option<String>| name.as_ref().is_some_and(|name| names.contains(&name.to_ascii_lowercase()));
        let roles = |identity: &IdentityRecord| -> Vec<Role> {
            [
                (Role::Owner, &identity.owner),
                (Role::BackupOwner, &identity.backup_owner),
                (Role::Sponsor, &identity.sponsor),
                (Role::Creator, &identity.created_by),
            ]
            .into_iter()
            .filter(|(_, name)| is(name))
            .map(|(role, _)| role)
            .collect()
        };
        let all = self.identities()?.into_iter().map(|identity| (roles(&identity), identity));
        Ok(all.filter(|(roles, _)| !roles.is_empty()).map(|(roles, identity)| (identity, roles)).collect())
    }

    /// Returns what scans found and saw between two times, by fingerprint.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn findings_between(&self, from: Option<&str>, to: Option<&str>) -> Result<Vec<Finding>> {
        self.many(
            "SELECT body FROM finding WHERE (?1 IS NULL OR last_at >= ?1) AND (?2 IS NULL OR first_at <= ?2)
             ORDER BY fingerprint",
            [from, to],
        )
    }

    /// Returns the finding whose fingerprint, or the digits of it, begins with `prefix`; all where several do.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn findings_by_prefix(&self, prefix: &str) -> Result<Vec<Finding>> {
        self.many(
            "SELECT body FROM finding WHERE substr(fingerprint, 1, length(?1)) = ?1
                 OR substr(fingerprint, 18, length(?1)) = lower(?1)
             ORDER BY fingerprint LIMIT 20",
            [prefix],
        )
    }

    /// Returns the logged uses that name one of these keys, oldest first.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn observations(&self, keys: &[(String, String)]) -> Result<Vec<Observation>> {
        let mut found = Vec::new();
        for (kind, value) in keys {
            if let Some(kind) = KeyKind::from_name(kind) {
                found.extend(records::observations(self.store, kind, value)?);
            }
        }
        found.sort_by(|left, right| (&left.at, &left.event).cmp(&(&right.at, &right.event)));
        found.dedup();
        Ok(found)
    }

    /// Returns the sources that hold logged uses at all, with their count, first and last time.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn logs(&self) -> Result<Vec<(String, u64, String, String)>> {
        self.rows(
            "SELECT source, count(*), min(at), max(at) FROM observation GROUP BY source ORDER BY source",
            [],
            |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs(), row.get(2)?, row.get(3)?)),
        )
    }

    /// Returns what people decided, oldest first.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn decisions(&self) -> Result<Vec<Decision>> {
        let mut all = decisions::list(self.store)?;
        all.reverse();
        Ok(all)
    }

    fn rows<T>(
        &self,
        query: &str,
        parameters: impl Params,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.store
            .read(|connection: &Connection| connection.prepare_cached(query)?.query_map(parameters, row)?.collect())
    }

    /// Reads the column `body` of every row.
    fn many<T: DeserializeOwned>(&self, query: &str, parameters: impl Params) -> Result<Vec<T>> {
        let bodies = self.rows(query, parameters, |row| row.get::<_, String>("body"))?;
        bodies.iter().map(|body| self.parsed(body)).collect()
    }

    fn parsed<T: DeserializeOwned>(&self, body: &str) -> Result<T> {
        serde_json::from_str(body).map_err(|error| Error::Store {
            path: self.store.path().to_owned(),
            reason: format!("holds a record that this version cannot read ({error}); import it again"),
        })
    }
}
