//! What can be wrong with the ownership and life of a credential, and which controls each such finding supports evidence
//! for. A table of facts: whether a finding is true of a record, `check` decides. A finding that maps to a control is
//! evidence for it, never compliance.
//!
//! Sources: OWASP Non-Human Identities Top 10 2025; NIST CSF 2.0; NIST SP 800-207 section 2.1 (tenets); ISO/IEC 27001:2022
//! Annex A and ISO/IEC 42001:2023; AICPA Trust Services Criteria; PCI DSS 4.0; MITRE ATT&CK 19.1 and ATLAS 5.6; OWASP Top 10
//! for Agentic Applications 2026.

mod table;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::finding::Severity;

/// A framework of controls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Framework {
    /// OWASP Non-Human Identities Top 10, 2025.
    Nhi,
    /// NIST Cybersecurity Framework 2.0.
    Csf,
    /// Tenets of zero trust, NIST SP 800-207 section 2.1.
    ZeroTrust,
    /// ISO/IEC 27001:2022 Annex A.
    Iso27001,
    /// ISO/IEC 42001:2023 Annex A.
    Iso42001,
    /// SOC 2, Trust Services Criteria.
    Soc2,
    /// PCI DSS 4.0.
    Pci,
    /// MITRE ATT&CK.
    Attack,
    /// MITRE ATLAS.
    Atlas,
    /// OWASP Top 10 for Agentic Applications, 2026.
    Agentic,
}

impl Framework {
    /// All frameworks, in the order in which they are told.
    pub const ALL: [Self; 10] = [
        Self::Nhi,
        Self::Csf,
        Self::ZeroTrust,
        Self::Iso27001,
        Self::Iso42001,
        Self::Soc2,
        Self::Pci,
        Self::Attack,
        Self::Atlas,
        Self::Agentic,
    ];

    /// Returns the name by which options know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nhi => "nhi",
            Self::Csf => "csf",
            Self::ZeroTrust => "zero-trust",
            Self::Iso27001 => "iso",
            Self::Iso42001 => "iso-42001",
            Self::Soc2 => "soc2",
            Self::Pci => "pci",
            Self::Attack => "attack",
            Self::Atlas => "atlas",
            Self::Agentic => "agentic",
        }
    }

    /// Returns its name for people, with its version.
    pub fn title(self) -> &'static str {
        match self {
            Self::Nhi => "OWASP Non-Human Identities Top 10 2025",
            Self::Csf => "NIST Cybersecurity Framework 2.0",
            Self::ZeroTrust => "NIST SP 800-207, tenets of zero trust",
            Self::Iso27001 => "ISO/IEC 27001:2022 Annex A",
            Self::Iso42001 => "ISO/IEC 42001:2023 Annex A",
            Self::Soc2 => "SOC 2 Trust Services Criteria",
            Self::Pci => "PCI DSS 4.0",
            Self::Attack => "MITRE ATT&CK",
            Self::Atlas => "MITRE ATLAS",
            Self::Agentic => "OWASP Top 10 for Agentic Applications 2026",
        }
    }
}

impl fmt::Display for Framework {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Framework {
    type Err = crate::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|framework| framework.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            crate::Error::Usage(format!("there is no framework {name:?}; use one of {known}"))
        })
    }
}

/// One control of a framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Control {
    /// The framework.
    pub framework: Framework,
    /// The control's id, as the framework writes it.
    pub id: &'static str,
}

/// Something that is wrong with the ownership or life of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is described by its facts")]
pub enum Rule {
    Leaked,
    LeakedLivePublic,
    Unowned,
    OwnerLeft,
    OwnerTeamOnly,
    Shadow,
    UnapprovedAi,
    Shared,
    CrossEnv,
    OverPrivileged,
    StaleUnused,
    Unrotated,
    LongLived,
    ExpiredLive,
    RevokedLive,
    HumanUse,
    WeakAuth,
    ThirdParty,
    OutsideStore,
    ReviewOverdue,
    Untraceable,
    InventoryGap,
}

impl Rule {
    /// All rules, in the order in which they are told.
    pub const ALL: [Self; 22] = [
        Self::Leaked,
        Self::LeakedLivePublic,
        Self::Unowned,
        Self::OwnerLeft,
        Self::OwnerTeamOnly,
        Self::Shadow,
        Self::UnapprovedAi,
        Self::Shared,
        Self::CrossEnv,
        Self::OverPrivileged,
        Self::StaleUnused,
        Self::Unrotated,
        Self::LongLived,
        Self::ExpiredLive,
        Self::RevokedLive,
        Self::HumanUse,
        Self::WeakAuth,
        Self::ThirdParty,
        Self::OutsideStore,
        Self::ReviewOverdue,
        Self::Untraceable,
        Self::InventoryGap,
    ];

    fn facts(self) -> &'static table::Facts {
        match self {
            Self::Leaked => &table::LEAKED,
            Self::LeakedLivePublic => &table::LEAKED_LIVE_PUBLIC,
            Self::Unowned => &table::UNOWNED,
            Self::OwnerLeft => &table::OWNER_LEFT,
            Self::OwnerTeamOnly => &table::OWNER_TEAM_ONLY,
            Self::Shadow => &table::SHADOW,
            Self::UnapprovedAi => &table::UNAPPROVED_AI,
            Self::Shared => &table::SHARED,
            Self::CrossEnv => &table::CROSS_ENV,
            Self::OverPrivileged => &table::OVER_PRIVILEGED,
            Self::StaleUnused => &table::STALE_UNUSED,
            Self::Unrotated => &table::UNROTATED,
            Self::LongLived => &table::LONG_LIVED,
            Self::ExpiredLive => &table::EXPIRED_LIVE,
            Self::RevokedLive => &table::REVOKED_LIVE,
            Self::HumanUse => &table::HUMAN_USE,
            Self::WeakAuth => &table::WEAK_AUTH,
            Self::ThirdParty => &table::THIRD_PARTY,
            Self::OutsideStore => &table::OUTSIDE_STORE,
            Self::ReviewOverdue => &table::REVIEW_OVERDUE,
            Self::Untraceable => &table::UNTRACEABLE,
            Self::InventoryGap => &table::INVENTORY_GAP,
        }
    }

    /// Returns the id: `owner-left`.
    pub fn id(self) -> &'static str {
        self.facts().id
    }

    /// Returns what it means, in one sentence without a full stop.
    pub fn title(self) -> &'static str {
        self.facts().title
    }

    /// Returns how bad it is where a policy says nothing else.
    pub fn severity(self) -> Severity {
        self.facts().severity
    }

    /// Returns the form in which a report names it: `NHI1:2025/owner-left`, without the first part where there is none.
    pub fn tag(self) -> String {
        match self.facts().nhi.split(' ').next() {
            Some(first) if !first.is_empty() => format!("{first}/{}", self.id()),
            _ => self.id().to_owned(),
        }
    }

    /// Returns the rule that a report names by its tag or id.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let id = tag.rsplit('/').next().unwrap_or(tag);
        Self::ALL.into_iter().find(|rule| rule.id() == id)
    }

    /// Returns the controls that such a finding supports evidence for.
    pub fn controls(self) -> Vec<Control> {
        let facts = self.facts();
        let lists = [
            (Framework::Nhi, facts.nhi),
            (Framework::Csf, facts.csf),
            (Framework::ZeroTrust, facts.tenets),
            (Framework::Iso27001, facts.iso),
            (Framework::Iso42001, facts.iso_ai),
            (Framework::Soc2, facts.soc),
            (Framework::Pci, facts.pci),
            (Framework::Attack, facts.attack),
            (Framework::Atlas, facts.atlas),
            (Framework::Agentic, facts.agentic),
        ];
        let of = |(framework, ids): (Framework, &'static str)| {
            ids.split_ascii_whitespace().map(move |id| Control { framework, id })
        };
        lists.into_iter().flat_map(of).collect()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.id())
    }
}

impl FromStr for Rule {
    type Err = crate::Error;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|rule| rule.id() == id).ok_or_else(|| {
            let known = Self::ALL.map(Self::id).join(", ");
            crate::Error::Usage(format!("there is no identity finding {id:?}; use one of {known}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_its_own_id_a_title_and_controls_of_the_form_that_their_framework_uses() {
        let mut ids: Vec<_> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            assert!(!rule.title().is_empty() && !rule.title().ends_with('.'), "{rule}");
            assert!(!rule.controls().is_empty(), "{rule}");
            assert_eq!((Rule::from_tag(&rule.tag()), rule.id().parse::<Rule>().ok()), (Some(rule), Some(rule)));
            for control in rule.controls() {
                assert!(is_well_formed(control), "{rule}: {control:?}");
            }
        }
    }

    /// Superseded and often confused forms (`PR.AC-1`, `PR.AA-5`, `NHI-01`) do not pass.
    fn is_well_formed(control: Control) -> bool {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let dotted = |text: &str| text.split('.').all(digits);
        let id = control.id;
        match control.framework {
            Framework::Nhi => id.strip_prefix("NHI").and_then(|id| id.strip_suffix(":2025")).is_some_and(digits),
            Framework::Csf => {
                let parts: Vec<&str> = id.split(['.', '-']).collect();
                parts.len() == 3
                    && ["GV", "ID", "PR", "DE", "RS", "RC"].contains(&parts[0])
                    && parts[1] != "AC"
                    && parts[2].len() == 2
                    && digits(parts[2])
            }
            Framework::ZeroTrust => ["1", "2", "3", "4", "5", "6", "7"].contains(&id),
            Framework::Iso27001 | Framework::Iso42001 => id.strip_prefix("A.").is_some_and(dotted),
            Framework::Soc2 => id.strip_prefix("CC").is_some_and(dotted),
            Framework::Pci => dotted(id),
            Framework::Attack => id.strip_prefix('T').is_some_and(dotted),
            Framework::Atlas => id.strip_prefix("AML.T").or_else(|| id.strip_prefix("AML.M")).is_some_and(dotted),
            Framework::Agentic => id.strip_prefix("ASI").is_some_and(digits),
        }
    }

    #[test]
    fn a_report_names_the_first_risk_before_the_rule() {
        assert_eq!(Rule::LongLived.tag(), "NHI7:2025/long-lived");
        assert_eq!(Rule::InventoryGap.tag(), "inventory-gap");
    }
}
