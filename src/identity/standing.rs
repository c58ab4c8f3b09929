//! The link of a remembered finding as it stands now: what was imported and what people decided after the scan counts.
//!
//! The scan had the value and could compare what nobody can ask for again; the inventory of today knows more. The surer of
//! the two counts, and a person's word more than either.

use super::decisions::{self, Verdict};
use super::reader::Reader;
use crate::error::Result;
use crate::finding::{Finding, Identity, IdentityStatus};
use crate::identity::remembered;
use crate::inventory::records;

/// Returns whose a finding is.
///
/// # Errors
/// A store that cannot be read.
pub fn link_of(reader: &Reader<'_>, finding: &Finding) -> Result<Identity> {
    let remembered = &finding.identity;
    let Some(linker) = reader.linker() else { return Ok(remembered.clone()) };
    let today = linker.link(finding, None)?;
    let is_named = |link: &Identity| link.status == IdentityStatus::Linked;
    if !is_named(remembered) || is_rejected(reader, finding)? || is_gone(reader, remembered)? {
        return Ok(today);
    }
    // A link without a tier is a person's decision. Of two of one tier the scan saw more of the value.
    let is_surer = today.tier.is_none() || today.tier < remembered.tier;
    Ok(if is_named(&today) && is_surer { today } else { remembered.clone() })
}

/// Returns all remembered findings with their links as they stand now.
///
/// # Errors
/// A store that cannot be read.
pub fn findings(reader: &Reader<'_>) -> Result<Vec<Finding>> {
    let mut findings = remembered::all(reader.store())?;
    for finding in &mut findings {
        finding.identity = link_of(reader, finding)?;
    }
    Ok(findings)
}

/// Whether a person said that what the scan named is wrong.
fn is_rejected(reader: &Reader<'_>, finding: &Finding) -> Result<bool> {
    let link = &finding.identity;
    let record = link.credential.as_ref().and_then(|record| record.record_id.as_ref());
    for decision in decisions::on(reader.store(), &finding.fingerprint)? {
        if decision.verdict != Verdict::Reject {
            continue;
        }
        let is_meant = match &decision.credential {
            Some(id) => {
                record.is_some()
                    && records::credential(reader.store(), id)?.is_some_and(|known| known.record_id.as_ref() == record)
            }
            None => decision.identity.is_some() && decision.identity == link.id,
        };
        if is_meant {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the inventory no longer has what the scan named.
fn is_gone(reader: &Reader<'_>, link: &Identity) -> Result<bool> {
    match &link.id {
        Some(id) => Ok(records::identity(reader.store(), id)?.is_none()),
        None => Ok(false),
    }
}
