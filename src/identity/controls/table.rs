//! The table of identity findings and their controls; the sources stand in the module above.

use crate::finding::Severity;

/// What is known of a rule. Ids of controls are separated by spaces.
pub(super) struct Facts {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) severity: Severity,
    pub(super) nhi: &'static str,
    pub(super) csf: &'static str,
    pub(super) tenets: &'static str,
    pub(super) iso: &'static str,
    pub(super) iso_ai: &'static str,
    pub(super) soc: &'static str,
    pub(super) pci: &'static str,
    pub(super) attack: &'static str,
    pub(super) atlas: &'static str,
    pub(super) agentic: &'static str,
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

pub(super) const LEAKED: Facts = Facts {
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
pub(super) const LEAKED_LIVE_PUBLIC: Facts = Facts {
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
pub(super) const UNOWNED: Facts = Facts {
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
pub(super) const OWNER_LEFT: Facts = Facts {
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
pub(super) const OWNER_TEAM_ONLY: Facts = Facts {
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
pub(super) const SHADOW: Facts = Facts {
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
pub(super) const UNAPPROVED_AI: Facts = Facts {
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
pub(super) const SHARED: Facts = Facts {
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
pub(super) const CROSS_ENV: Facts = Facts {
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
pub(super) const OVER_PRIVILEGED: Facts = Facts {
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
pub(super) const STALE_UNUSED: Facts = Facts {
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
pub(super) const UNROTATED: Facts = Facts {
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
pub(super) const LONG_LIVED: Facts = Facts {
    id: "long-lived",
    title: "It never ends, or not for a long time",
    nhi: "NHI7:2025",
    csf: "PR.AA-01 PR.AA-03",
    tenets: "3 6",
    iso: "A.5.17",
    attack: "T1550.001",
    ..NONE
};
pub(super) const EXPIRED_LIVE: Facts = Facts {
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
pub(super) const REVOKED_LIVE: Facts = Facts {
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
pub(super) const HUMAN_USE: Facts = Facts {
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
pub(super) const WEAK_AUTH: Facts = Facts {
    id: "weak-auth",
    title: "A static key stands where short-lived proof is to be had",
    nhi: "NHI4:2025 NHI6:2025",
    csf: "PR.AA-03",
    tenets: "3 6",
    iso: "A.8.5",
    attack: "T1552.004",
    ..NONE
};
pub(super) const THIRD_PARTY: Facts = Facts {
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
pub(super) const OUTSIDE_STORE: Facts = Facts {
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
pub(super) const REVIEW_OVERDUE: Facts = Facts {
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
pub(super) const UNTRACEABLE: Facts = Facts {
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
pub(super) const INVENTORY_GAP: Facts = Facts {
    id: "inventory-gap",
    title: "Credentials of a provider were found that the inventory has no list of",
    severity: Severity::Low,
    csf: "ID.AM-02 ID.AM-08",
    tenets: "5",
    iso: "A.5.9",
    soc: "CC6.1.1",
    ..NONE
};
