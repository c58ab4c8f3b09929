//! What can be wrong with the ownership and life of a credential, and which controls each such finding supports evidence
//! for. A table of facts: whether a finding is true of a record, `check` decides. A finding that maps to a control is
//! evidence for it, never compliance.
//!
//! Sources: OWASP Non-Human Identities Top 10 2025; NIST CSF 2.0; NIST SP 800-207 section 2.1 (tenets); ISO/IEC 27001:2022
//! Annex A and ISO/IEC 42001:2023; AICPA Trust Services Criteria; PCI DSS 4.0; MITRE ATT&CK 19.1 and ATLAS 5.6; OWASP Top 10
//! for Agentic Applications 2026.

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

/// What is known of a rule. Ids of controls are separated by spaces.
struct Facts {
    id: &'static str,
    title: &'static str,
    severity: Severity,
    nhi: &'static str,
    csf: &'static str,
    tenets: &'static str,
    iso: &'static str,
    iso_ai: &'static str,
    soc: &'static str,
    pci: &'static str,
    attack: &'static str,
    atlas: &'static str,
    agentic: &'static str,
}

/// A rule that maps to nothing yet; the table fills in what there is.
const NONE: Facts = Facts {
    id: "",
    title: "",
    severity: Severity::Medium,
    nhi: "",
    csf: "",
    tenets: "",
    iso: "",
    iso_ai: "",
    soc: "",
    pci: "",
    attack: "",
    atlas: "",
    agentic: "",
};

const LEAKED: Facts = Facts {
    id: "leaked",
    title: "A secret stands where none may",
    severity: Severity::High,
    nhi: "NHI2:2025",
    csf: "PR.AA-01 PR.DS-01 ID.RA-01 PR.PS-06",
    tenets: "6",
    iso: "A.5.17 A.8.4 A.8.28",
    soc: "CC6.1",
    pci: "8.3.2 8.6.2",
    attack: "T1552.001 T1213.003 T1593.003",
    atlas: "AML.T0055 AML.T0083",
    ..NONE
};
const LEAKED_LIVE_PUBLIC: Facts = Facts {
    id: "leaked-live-public",
    title: "A working secret stands where everybody can read it",
    severity: Severity::Critical,
    nhi: "NHI2:2025",
    csf: "DE.AE-02 DE.AE-08 RS.MA-02 RS.MI-01",
    tenets: "6 7",
    iso: "A.5.24 A.5.26",
    soc: "CC7.3 CC7.4",
    attack: "T1078.004 T1528 T1496.004",
    atlas: "AML.T0012 AML.T0091.000 AML.T0034",
    ..NONE
};
const UNOWNED: Facts = Facts {
    id: "unowned",
    title: "Nobody answers for the identity",
    severity: Severity::High,
    nhi: "NHI1:2025",
    csf: "GV.RR-02 PR.AA-01 ID.AM-08",
    tenets: "5",
    iso: "A.5.9 A.5.16",
    soc: "CC6.2 CC6.3",
    pci: "7.2.5",
    agentic: "ASI03",
    ..NONE
};
const OWNER_LEFT: Facts = Facts {
    id: "owner-left",
    title: "The owner has left",
    severity: Severity::High,
    nhi: "NHI1:2025",
    csf: "PR.AA-01 PR.AA-05 GV.RR-04",
    tenets: "3",
    iso: "A.5.18",
    soc: "CC6.2.3 CC6.3.2",
    pci: "8.2.5",
    attack: "T1078",
    ..NONE
};
const OWNER_TEAM_ONLY: Facts = Facts {
    id: "owner-team-only",
    title: "A team is named, and no person",
    severity: Severity::Low,
    nhi: "NHI1:2025",
    csf: "GV.RR-02",
    iso: "A.5.16",
    soc: "CC6.1.8",
    agentic: "ASI03",
    ..NONE
};
const SHADOW: Facts = Facts {
    id: "shadow",
    title: "The inventory covers the provider and does not know the credential",
    severity: Severity::High,
    nhi: "NHI1:2025 NHI3:2025",
    csf: "ID.AM-02 ID.AM-04 PR.PS-05 DE.CM-09",
    tenets: "1 5",
    iso: "A.5.9 A.5.23",
    iso_ai: "A.4.2",
    soc: "CC6.1.1 CC6.1.9",
    atlas: "AML.T0040",
    ..NONE
};
const UNAPPROVED_AI: Facts = Facts {
    id: "unapproved-ai",
    title: "An AI identity is used without approval or purpose",
    severity: Severity::Medium,
    nhi: "NHI3:2025",
    csf: "GV.PO-01 GV.SC-04 GV.SC-07 ID.AM-04",
    tenets: "4",
    iso: "A.5.19 A.5.23",
    iso_ai: "A.9.2",
    agentic: "ASI04",
    ..NONE
};
const SHARED: Facts = Facts {
    id: "shared",
    title: "One credential serves several consumers",
    severity: Severity::Medium,
    nhi: "NHI9:2025",
    csf: "PR.AA-01 PR.AA-02",
    tenets: "3 6",
    iso: "A.5.16 A.5.17",
    soc: "CC6.1.4",
    pci: "8.2.2",
    attack: "T1078",
    agentic: "ASI03",
    ..NONE
};
const CROSS_ENV: Facts = Facts {
    id: "cross-env",
    title: "One credential serves several environments",
    severity: Severity::High,
    nhi: "NHI8:2025",
    csf: "PR.AA-05 PR.PS-01",
    tenets: "3",
    iso: "A.8.31 A.8.3",
    soc: "CC6.1.5",
    attack: "T1078.004",
    ..NONE
};
const OVER_PRIVILEGED: Facts = Facts {
    id: "over-privileged",
    title: "It may do more than its task needs",
    severity: Severity::High,
    nhi: "NHI5:2025",
    csf: "PR.AA-05",
    tenets: "3 4",
    iso: "A.5.15 A.5.18 A.8.2",
    soc: "CC6.3",
    pci: "7.2.5",
    attack: "T1098.001",
    atlas: "AML.M0026 AML.M0027 AML.M0028",
    agentic: "ASI03",
    ..NONE
};
const STALE_UNUSED: Facts = Facts {
    id: "stale-unused",
    title: "It works and nobody uses it",
    nhi: "NHI1:2025",
    csf: "PR.AA-01 PR.AA-05 ID.AM-08",
    tenets: "5",
    iso: "A.5.18",
    soc: "CC6.2.2 CC6.2.3",
    pci: "7.2.5.1",
    attack: "T1078",
    ..NONE
};
const UNROTATED: Facts = Facts {
    id: "unrotated",
    title: "It was not replaced in time",
    nhi: "NHI7:2025",
    csf: "PR.AA-01",
    tenets: "6",
    iso: "A.5.17",
    soc: "CC6.1.11",
    attack: "T1552",
    ..NONE
};
const LONG_LIVED: Facts = Facts {
    id: "long-lived",
    title: "It never ends, or not for a long time",
    nhi: "NHI7:2025",
    csf: "PR.AA-01 PR.AA-03",
    tenets: "3 6",
    iso: "A.5.17",
    attack: "T1550.001",
    ..NONE
};
const EXPIRED_LIVE: Facts = Facts {
    id: "expired-live",
    title: "It should have ended and still works",
    severity: Severity::High,
    nhi: "NHI1:2025 NHI4:2025",
    csf: "PR.AA-03 PR.AA-05",
    tenets: "6",
    iso: "A.5.18",
    soc: "CC6.2.3",
    attack: "T1078",
    ..NONE
};
const REVOKED_LIVE: Facts = Facts {
    id: "revoked-live",
    title: "It was ended in the inventory and still works",
    severity: Severity::Critical,
    nhi: "NHI1:2025",
    csf: "PR.AA-05 RS.MI-02 ID.RA-07",
    tenets: "6",
    iso: "A.5.18",
    soc: "CC6.3.2 CC7.4.4",
    attack: "T1078",
    ..NONE
};
const HUMAN_USE: Facts = Facts {
    id: "human-use",
    title: "A person's credential runs a machine, or a machine's is used by a person",
    nhi: "NHI10:2025",
    csf: "PR.AA-02 PR.AA-03",
    tenets: "4 6",
    iso: "A.5.16",
    pci: "8.6.1",
    attack: "T1552.003",
    ..NONE
};
const WEAK_AUTH: Facts = Facts {
    id: "weak-auth",
    title: "A static key stands where short-lived proof is to be had",
    nhi: "NHI4:2025 NHI6:2025",
    csf: "PR.AA-03",
    tenets: "3 6",
    iso: "A.8.5",
    attack: "T1552.004",
    ..NONE
};
const THIRD_PARTY: Facts = Facts {
    id: "third-party",
    title: "It was handed to somebody else's tool",
    nhi: "NHI3:2025",
    csf: "GV.SC-07 ID.AM-04 DE.CM-06",
    tenets: "4",
    iso: "A.5.19 A.5.21",
    atlas: "AML.T0083 AML.T0098",
    agentic: "ASI04",
    ..NONE
};
const OUTSIDE_STORE: Facts = Facts {
    id: "outside-store",
    title: "It has a place in a vault and stands elsewhere",
    severity: Severity::High,
    nhi: "NHI2:2025",
    csf: "PR.AA-01 PR.PS-01",
    iso: "A.5.17",
    soc: "CC6.1",
    attack: "T1552.001",
    ..NONE
};
const REVIEW_OVERDUE: Facts = Facts {
    id: "review-overdue",
    title: "Its review is overdue",
    severity: Severity::Low,
    nhi: "NHI1:2025 NHI5:2025",
    csf: "PR.AA-05",
    tenets: "5",
    iso: "A.5.18",
    soc: "CC6.3.4",
    pci: "7.2.5.1",
    ..NONE
};
const UNTRACEABLE: Facts = Facts {
    id: "untraceable",
    title: "What it does cannot be told apart from what others do",
    nhi: "NHI9:2025",
    csf: "PR.PS-04 DE.AE-03",
    tenets: "7",
    iso: "A.8.15",
    iso_ai: "A.6.2.8",
    pci: "10.2.1.2",
    agentic: "ASI03",
    ..NONE
};
const INVENTORY_GAP: Facts = Facts {
    id: "inventory-gap",
    title: "Credentials of a provider were found that the inventory has no list of",
    severity: Severity::Low,
    csf: "ID.AM-02 ID.AM-08",
    tenets: "5",
    iso: "A.5.9",
    soc: "CC6.1.1",
    ..NONE
};

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

    fn facts(self) -> &'static Facts {
        match self {
            Self::Leaked => &LEAKED,
            Self::LeakedLivePublic => &LEAKED_LIVE_PUBLIC,
            Self::Unowned => &UNOWNED,
            Self::OwnerLeft => &OWNER_LEFT,
            Self::OwnerTeamOnly => &OWNER_TEAM_ONLY,
            Self::Shadow => &SHADOW,
            Self::UnapprovedAi => &UNAPPROVED_AI,
            Self::Shared => &SHARED,
            Self::CrossEnv => &CROSS_ENV,
            Self::OverPrivileged => &OVER_PRIVILEGED,
            Self::StaleUnused => &STALE_UNUSED,
            Self::Unrotated => &UNROTATED,
            Self::LongLived => &LONG_LIVED,
            Self::ExpiredLive => &EXPIRED_LIVE,
            Self::RevokedLive => &REVOKED_LIVE,
            Self::HumanUse => &HUMAN_USE,
            Self::WeakAuth => &WEAK_AUTH,
            Self::ThirdParty => &THIRD_PARTY,
            Self::OutsideStore => &OUTSIDE_STORE,
            Self::ReviewOverdue => &REVIEW_OVERDUE,
            Self::Untraceable => &UNTRACEABLE,
            Self::InventoryGap => &INVENTORY_GAP,
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
