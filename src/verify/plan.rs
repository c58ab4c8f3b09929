//! Decides whether and whom to ask about a credential, and what the answers mean together. It opens no connection.
//!
//! A host comes from the detector or from a person, never from scanned text; the one exception is a tenant's host under
//! the provider's own domain, and only where exactly one stands near the credential.

use jiff::Timestamp;

use crate::credential::FoundCredential;
use crate::detector::compile::schema::{Proof, Signing, Verify};
use crate::detector::compile::{Detector, Kind, template};
use crate::finding::{Liveness, Verification};

use super::endpoints::{Endpoints, is_label};
use super::exchange::{Answer, Endpoint, Failure, Request};
use super::request::{self, Parts, Refusal};
use super::{answer, canary, login, offline, published, sign};

/// The most labels that a tenant's name has before the detector's suffix, as in `account.region.cloud`.
const MOST_LABELS: usize = 3;

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
/// dates inside the value are compared with, and what a signed request is dated with.
pub fn plan(detector: &Detector, open: bool, found: &FoundCredential, endpoints: &Endpoints, now: Timestamp) -> Plan {
    if let Some(verdict) = canary::recognised(detector, found) {
        return Plan::Settled(verdict);
    }
    if let Some(verdict) = offline::evidence(detector, &found.secret, now) {
        return Plan::Settled(verdict);
    }
    match requests(detector, open, found, endpoints, now) {
        Ok(requests) => Plan::Ask(requests),
        Err(refusal) => Plan::Settled(refusal.into()),
    }
}

fn requests(
    detector: &Detector,
    open: bool,
    found: &FoundCredential,
    endpoints: &Endpoints,
    now: Timestamp,
) -> Result<Vec<Request>, Refusal> {
    if detector.kind == Kind::OauthRefresh {
        return Err(Refusal::refused(
            "a refresh token is only checked by exchanging it, which would log its owner out",
        ));
    }
    if open {
        return Err(Refusal::refused(
            "it looks the same as other providers' credentials and nothing near it says whose it is, so nobody was asked",
        ));
    }
    let Some(verify) = &detector.verify else {
        if detector.kind == Kind::ConnectionUri && endpoints.databases() {
            return login::request(detector, found, endpoints).map(|request| vec![request]);
        }
        return Err(Refusal::not_checked(no_request(detector.kind)));
    };
    let mut parts = Parts::cut(found, verify, now)?;
    parts.token = sign::token(verify, &parts)?;
    let sites = sites(detector, verify, found, endpoints, &mut parts)?;
    let declared: Vec<&str> = detector.companions.iter().map(|companion| companion.detector.as_str()).collect();
    let mut requests = Vec::new();
    for site in sites {
        let mut request = request::build(verify, &declared, &parts, site)?;
        if let Some(signing) = verify.sign {
            sign::sign(signing, &mut request, verify, &parts, now)?;
        }
        if verify.proof == Some(Proof::RsaPublicKey) {
            let mark = published::mark_of(&found.secret);
            request.proof =
                Some(mark.ok_or_else(|| Refusal::unknown("it is no private key that can be read; nobody was asked"))?);
        }
        // A gateway may show its list of models to anybody; a bare request tells whether it does.
        let is_list = request.endpoint.named && lists_models(request.path.expose());
        let open_to_all = verify.sign.is_none() && (verify.compare || is_list);
        let bare = open_to_all.then(|| request::without_secret(&request, verify));
        requests.push(request);
        requests.extend(bare);
    }
    let carrying = |value: &String| template::parts(value).next().is_some();
    let mut carriers: Vec<&str> =
        verify.headers.iter().filter(|(_, value)| carrying(value)).map(|(name, _)| name.as_str()).collect();
    carriers.extend(verify.sign.map(|_| "authorization"));
    requests.iter_mut().try_for_each(|request| endpoints.dress(&detector.provider, request, &carriers))?;
    Ok(requests)
}

/// Says why a credential without a declared request is not asked about.
fn no_request(kind: Kind) -> &'static str {
    match kind {
        Kind::ConnectionUri => "a database would have to be logged into, which --verify-databases allows",
        _ => "no read-only request is known",
    }
}

fn lists_models(path: &str) -> bool {
    path.split('?').next().is_some_and(|path| path.ends_with("/models"))
}

/// Returns where to ask: the endpoint that a person named, else the detector's hosts, else the one tenant's host near it.
fn sites(
    detector: &Detector,
    verify: &Verify,
    found: &FoundCredential,
    endpoints: &Endpoints,
    parts: &mut Parts<'_>,
) -> Result<Vec<Endpoint>, Refusal> {
    let named = endpoints.of(&detector.provider);
    parts.region = region(verify, found);
    if let Some(endpoint) = named {
        parts.tenant = tenant_name(verify, &endpoint.host);
        return Ok(vec![endpoint.clone()]);
    }
    if verify.self_hosted {
        refuse_own_hosts(detector, verify, found)?;
    }
    if verify.sign == Some(Signing::AwsSigV4) {
        refuse_other_partitions(found)?;
    }
    match tenant(detector, verify, found)? {
        Some(host) => {
            parts.tenant = tenant_name(verify, &host);
            Ok(vec![Endpoint::of_host(&host)])
        }
        None if verify.hosts.is_empty() => Err(Refusal::unknown(format!(
            "only its owner knows the server that it is for; name it by --endpoint {}=https://…",
            detector.provider
        ))),
        None => verify.hosts.iter().map(|host| declared_host(detector, host, parts)).collect(),
    }
}

fn declared_host(detector: &Detector, host: &str, parts: &Parts<'_>) -> Result<Endpoint, Refusal> {
    if host.contains("{region}") && parts.region.is_none() {
        let provider = &detector.provider;
        return Err(Refusal::unknown(format!(
            "no host near it names its region, or several do; name it by --endpoint {provider}=https://{}",
            host.replace("{region}", "REGION")
        )));
    }
    request::filled_host(host, parts).map(|host| Endpoint::of_host(&host))
}

/// Returns the region that a credential itself names, else the one that the hosts near it name.
fn region(verify: &Verify, found: &FoundCredential) -> Option<String> {
    let tails: Vec<&str> = verify.hosts.iter().filter_map(|host| Some(host.split_once("{region}")?.1)).collect();
    if tails.is_empty() {
        return None;
    }
    if let Some(region) = offline::presigned_region(found.secret.expose()) {
        return Some(region).filter(|region| sign::is_region(region));
    }
    let hosts = found.surroundings.hosts.iter().filter(|host| tails.iter().any(|tail| host.ends_with(tail)));
    let mut regions: Vec<&str> =
        hosts.flat_map(|host| host.split('.')).filter(|label| sign::is_region(label)).collect();
    regions.sort_unstable();
    regions.dedup();
    match regions[..] {
        [region] => Some(region.to_owned()),
        _ => None,
    }
}

/// Returns the one tenant's host near a credential. Without a suffix, or where the provider has hosts for all and no
/// tenant's stands near, there is none.
fn tenant(detector: &Detector, verify: &Verify, found: &FoundCredential) -> Result<Option<String>, Refusal> {
    if verify.host_suffixes.is_empty() {
        return Ok(None);
    }
    let mut hosts: Vec<String> = found.surroundings.hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
    hosts.retain(|host| verify.host_suffixes.iter().any(|suffix| is_tenant(host, suffix)));
    hosts.sort_unstable();
    hosts.dedup();
    let provider = &detector.provider;
    match hosts.len() {
        1 => Ok(hosts.pop()),
        0 if !verify.hosts.is_empty() => Ok(None),
        0 => Err(Refusal::unknown(format!(
            "no host of its account stands near it; name it by --endpoint {provider}=https://NAME{}",
            verify.host_suffixes[0]
        ))),
        several => Err(Refusal::refused(format!(
            "{several} hosts of {} stand near it and nothing says which is its own; name it by --endpoint {provider}=https://…",
            detector.provider_name
        ))),
    }
}

/// Returns whether a host is a tenant's under a suffix: one to three labels before it.
fn is_tenant(host: &str, suffix: &str) -> bool {
    let Some(name) = host.strip_suffix(suffix) else { return false };
    let labels = name.split('.').count();
    labels <= MOST_LABELS && name.split('.').all(is_label)
}

/// Returns the name of the tenant that a host belongs to: what stands before the suffix.
fn tenant_name(verify: &Verify, host: &str) -> Option<String> {
    let suffixes = verify.host_suffixes.iter().filter(|suffix| is_tenant(host, suffix));
    suffixes.filter_map(|suffix| host.strip_suffix(suffix.as_str())).map(str::to_owned).next()
}

/// Refuses a credential of a product that customers run themselves, where a host of such a customer stands near it.
fn refuse_own_hosts(detector: &Detector, verify: &Verify, found: &FoundCredential) -> Result<(), Refusal> {
    let theirs = |host: &str| {
        let of_provider = |known: &String| host == known || host.ends_with(&format!(".{known}"));
        // Beside the hosts that are asked, those that the file calls the provider's own: its pages, its clone addresses.
        let own = detector.context_words.iter().filter(|word| word.contains('.'));
        verify.hosts.iter().chain(own).any(of_provider)
            || verify.host_suffixes.iter().any(|suffix| host.ends_with(suffix.as_str()))
    };
    let bears_name = |host: &str| host.split(['.', '-']).any(|word| word == detector.provider);
    let own = found.surroundings.hosts.iter().find(|host| bears_name(host) && !theirs(host));
    own.map_or(Ok(()), |host| {
        let provider = &detector.provider;
        Err(Refusal::refused(format!(
            "it may belong to {host}, which stands near it; name whom to ask by --endpoint {provider}=https://…"
        )))
    })
}

/// Refuses a key of AWS near a host of China or GovCloud: their keys are unknown to the global service, which would call
/// them dead.
fn refuse_other_partitions(found: &FoundCredential) -> Result<(), Refusal> {
    let of_partition =
        |label: &str| sign::is_region(label) && (label.starts_with("cn-") || label.starts_with("us-gov-"));
    let aws = |host: &&String| host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
    let mut labels = found.surroundings.hosts.iter().filter(aws).flat_map(|host| host.split('.'));
    labels.find(|label| of_partition(label)).map_or(Ok(()), |region| {
        let end = if region.starts_with("cn-") { "com.cn" } else { "com" };
        Err(Refusal::unknown(format!(
            "a host of {region} stands near it, which has keys of its own; ask by --endpoint aws=https://sts.{region}.amazonaws.{end}"
        )))
    })
}

/// Says what the outcomes of a plan's requests mean together. `checked_at` is left to whoever sent them.
///
/// Live at one site is live; else limited at one is limited; dead is what all say. Where a request without the secret was
/// answered as if it had one, nothing is known.
pub fn judge(detector: &Detector, answers: &[(Request, Result<Answer, Failure>)]) -> Verification {
    if let [(request, outcome)] = answers
        && let Some(verdict) = login::judge(request, outcome)
    {
        return verdict;
    }
    let Some(verify) = &detector.verify else {
        return Refusal::not_checked("no read-only request is known").into();
    };
    let verdict = |request: &Request, outcome: &Result<Answer, Failure>| match outcome {
        Ok(answer) => of_own_server(detector, verify, request, answer::judge(detector, verify, request, answer)),
        Err(failure) => Refusal::unknown(failure.to_string()).into(),
    };
    let (bare, asked): (Vec<_>, Vec<_>) = answers.iter().partition(|(request, _)| request.bare);
    let verdicts = asked.iter().map(|(request, outcome)| verdict(request, outcome)).collect();
    let together = together(verdicts);
    if !matches!(together.state, Liveness::Live | Liveness::Limited) {
        return together;
    }
    for (request, outcome) in bare {
        let host = &request.endpoint.host;
        match outcome {
            Err(failure) => {
                return Refusal::unknown(format!("whether {host} looks at keys at all is not known: {failure}")).into();
            }
            Ok(answer)
                if matches!(
                    answer::judge(detector, verify, request, answer).state,
                    Liveness::Live | Liveness::Limited
                ) =>
            {
                return Refusal::unknown(format!(
                    "{host} answers the same without any key, so its answer says nothing"
                ))
                .into();
            }
            Ok(_) => {}
        }
    }
    together
}

/// Takes back that a credential is dead, where it may be one of a server that a customer runs and that nobody asked.
fn of_own_server(detector: &Detector, verify: &Verify, request: &Request, verdict: Verification) -> Verification {
    if verdict.state != Liveness::Dead || !verify.self_hosted || request.endpoint.named {
        return verdict;
    }
    let (host, provider) = (&request.endpoint.host, &detector.provider);
    Refusal::unknown(format!(
        "{host} does not know it, but it may belong to a server of one's own; name that by --endpoint {provider}=https://…, \
         or --endpoint {provider}=https://{host} if it belongs to none"
    ))
    .into()
}

/// Joins the verdicts of several sites.
fn together(mut verdicts: Vec<Verification>) -> Verification {
    if verdicts.is_empty() {
        return Refusal::unknown("nobody was asked").into();
    }
    for state in [Liveness::Live, Liveness::Limited, Liveness::Unknown] {
        if let Some(index) = verdicts.iter().position(|verdict| verdict.state == state) {
            return verdicts.swap_remove(index);
        }
    }
    let reasons: Vec<String> = verdicts.iter().filter_map(|verdict| verdict.reason.clone()).collect();
    let mut verdict = verdicts.swap_remove(0);
    verdict.reason = Some(reasons.join("; "));
    verdict
}

#[cfg(test)]
pub(crate) mod tests;
