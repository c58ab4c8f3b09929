//! Decides whether and whom to ask about a credential, and what the answers mean together. It opens no connection.

use jiff::Timestamp;

use crate::credential::FoundCredential;
use crate::detector::compile::{Detector, Kind};
use crate::finding::{Liveness, Verification};

use super::endpoints::Endpoints;
use super::exchange::{Answer, Failure, Request};

/// What is to be done to learn whether a credential works.
#[derive(Debug, Clone)]
pub enum Plan {
    /// The verdict is settled without asking anyone; its reason says why.
    Settled(Verification),
    /// These requests are to be sent, in this order, and their outcomes handed to [`judge`]: at least one. Several are
    /// sites of a provider, each with keys of its own, or one without the secret, by which an endpoint that a person
    /// named shows whether it looks at keys at all.
    Ask(Vec<Request>),
}

/// Decides whether and whom to ask about a credential.
///
/// `open` says that the value does not tell which of several providers it belongs to; then nobody is asked. `now` is what
/// dates inside the value are compared with.
pub fn plan(detector: &Detector, open: bool, found: &FoundCredential, endpoints: &Endpoints, now: Timestamp) -> Plan {
    let _ = (found, endpoints, now);
    if detector.kind == Kind::OauthRefresh {
        return settled(Liveness::Refused, "asking would exchange the refresh token and log its owner out");
    }
    if open {
        return settled(Liveness::Refused, "nothing says which of several providers it belongs to");
    }
    settled(Liveness::NotChecked, "no read-only request is known")
}

/// Says what the outcomes of a plan's requests mean together. `checked_at` is left to whoever sent them.
pub fn judge(detector: &Detector, answers: &[(Request, Result<Answer, Failure>)]) -> Verification {
    let _ = (detector, answers);
    Verification::new(Liveness::Unknown)
}

fn settled(state: Liveness, reason: &str) -> Plan {
    Plan::Settled(Verification { reason: Some(reason.to_owned()), ..Verification::new(state) })
}
