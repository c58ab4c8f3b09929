//! The options by which a person lets providers be asked, and what they come to: shared by `scan --verify` and `verify`.
//!
//! Nothing else turns it on: no file of what is scanned, no variable of the environment.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;
use zeroize::Zeroizing;

use super::home;
use super::narration::Told;
use crate::credential::FoundCredential;
use crate::detector::registry::Registry;
use crate::error::Error;
use crate::finding::Finding;
use crate::scan::{Detail, Progress};
use crate::secret::{FingerprintKey, Secret};
use crate::verify::cache::{Ages, Cache};
use crate::verify::client::{Client, ClientOptions};
use crate::verify::endpoints::Endpoints;
use crate::verify::pace::PaceOptions;
use crate::verify::run::{Asked, DetectorJudge, Verifier};

/// How providers are asked.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Asking providers")]
pub struct VerifyingArguments {
    /// Ask about a provider's credentials at this URL: a gateway, a self-hosted product, a tenant's host
    #[arg(long = "endpoint", value_name = "PROVIDER=URL")]
    pub endpoints: Vec<String>,

    /// Send a header to a provider's --endpoint beside the credential; @NAME reads the value from a variable of the
    /// environment, @PATH with a slash in it from a file
    #[arg(long = "endpoint-header", value_name = "PROVIDER=HEADER:VALUE")]
    pub endpoint_headers: Vec<String>,

    /// Log in to databases as well, at the public hosts that the addresses name: encrypted, without a query
    #[arg(long)]
    pub verify_databases: bool,

    /// Let an --endpoint be http:// or have a private address
    #[arg(long)]
    pub allow_insecure_endpoints: bool,

    /// How long an earlier answer holds: 30m, 12h, 7d, or 0 to ask anew [default: 1h if live, 24h if dead]
    #[arg(long, value_name = "DURATION", value_parser = age)]
    pub verify_max_age: Option<Duration>,

    /// How many requests a run may make [default: 1000]
    #[arg(long, value_name = "N")]
    pub verify_limit: Option<u64>,

    /// Ask through this proxy, as http://HOST:PORT; one that the environment names is not used
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,
}

impl VerifyingArguments {
    /// Refuses options that mean something only where providers are asked.
    ///
    /// # Errors
    /// An option that was given.
    pub fn refuse_without_verify(&self) -> Result<()> {
        let given = [
            ("--endpoint", !self.endpoints.is_empty()),
            ("--endpoint-header", !self.endpoint_headers.is_empty()),
            ("--verify-databases", self.verify_databases),
            ("--allow-insecure-endpoints", self.allow_insecure_endpoints),
            ("--verify-max-age", self.verify_max_age.is_some()),
            ("--verify-limit", self.verify_limit.is_some()),
            ("--proxy", self.proxy.is_some()),
        ];
        match given.into_iter().find(|(_, given)| *given) {
            Some((option, _)) => bail!("{option} means nothing without --verify"),
            None => Ok(()),
        }
    }

    /// Reads the endpoints that were named, with the headers that they want.
    ///
    /// # Errors
    /// One that is not well formed, or a variable or file that is not there.
    pub fn endpoints(&self, registry: &Registry) -> Result<Endpoints> {
        let mut endpoints = Endpoints::parse(&self.endpoints, registry.detectors(), self.allow_insecure_endpoints)?;
        if self.verify_databases {
            endpoints.allow_databases();
        }
        for given in &self.endpoint_headers {
            let (provider, name, value) = header(given)?;
            endpoints.add_header(provider, name, value)?;
        }
        Ok(endpoints)
    }

    /// Makes ready to ask. From here on the program leaves no image of its memory behind.
    ///
    /// # Errors
    /// An endpoint or proxy that is not well formed.
    pub fn ready<'registry>(&self, registry: &'registry Registry) -> Result<Verifying<'registry>> {
        let options = ClientOptions {
            allow_insecure_endpoints: self.allow_insecure_endpoints,
            proxy: self.proxy.clone(),
            ..ClientOptions::default()
        };
        let mut pace = PaceOptions::default();
        pace.limit = self.verify_limit.unwrap_or(pace.limit);
        let endpoints = self.endpoints(registry)?;
        leave_no_core();
        let ages = self.verify_max_age.map_or_else(Ages::default, Ages::of);
        Ok(Verifying { registry, client: Client::new(&options)?, endpoints, pace, ages })
    }
}

/// All that it takes to ask.
#[derive(Debug)]
pub struct Verifying<'registry> {
    registry: &'registry Registry,
    client: Client,
    endpoints: Endpoints,
    pace: PaceOptions,
    ages: Ages,
}

impl Verifying<'_> {
    /// Asks about findings and returns, with what came of it, what a person should know.
    ///
    /// # Errors
    /// A store that is damaged or another program's.
    pub fn ask(
        &self,
        findings: &mut [Finding],
        credentials: &[FoundCredential],
        key: &FingerprintKey,
        progress: &dyn Progress,
    ) -> Result<(Asked, Vec<String>)> {
        let mut warnings = Vec::new();
        let cache = match findings.is_empty() {
            true => None,
            false => self.cache(key, &mut warnings)?,
        };
        let judge = DetectorJudge { registry: self.registry, endpoints: &self.endpoints };
        let sender = Told { client: &self.client, progress };
        let mut verifier = Verifier { sender: &sender, judge: &judge, pace: self.pace.clone(), cache, key };
        let asked = verifier.verify(findings, credentials, progress)?;
        let Asked { requests, remembered, .. } = asked;
        progress.say(Detail::Stages, &format!("{requests} requests, {remembered} earlier answers hold"));
        if asked.capped > 0 {
            let (limit, count) = (self.pace.limit, credentials_of(asked.capped));
            warnings.push(format!("the limit of {limit} requests left {count} unasked (--verify-limit)"));
        }
        if asked.unanswered > 0 {
            warnings.push(format!("about {} no provider gave an answer", credentials_of(asked.unanswered)));
        }
        Ok((asked, warnings))
    }

    /// Opens the store. Without a place for one, and under a key for this run alone, earlier answers are of no use.
    fn cache(&self, key: &FingerprintKey, warnings: &mut Vec<String>) -> Result<Option<Cache>> {
        if key.id() == "ephemeral" || home::folder().is_none() {
            return Ok(None);
        }
        match home::store_for_changes(None) {
            Ok(store) => Ok(Some(Cache::new(store, self.ages))),
            Err(error) if matches!(error.downcast_ref(), Some(Error::Io { .. })) => {
                warnings.push(format!("answers of providers are not kept: {error}"));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

fn credentials_of(count: u64) -> String {
    if count == 1 { "1 credential".to_owned() } else { format!("{count} credentials") }
}

/// Words in the name of a header whose value is a secret, so that it must not stand among the arguments, which every user
/// of the machine can read.
const SECRET_WORDS: [&str; 10] =
    ["auth", "authorization", "authentication", "key", "apikey", "token", "secret", "cookie", "password", "credential"];

/// Reads `PROVIDER=HEADER:VALUE`, its value from where it points.
fn header(given: &str) -> Result<(&str, &str, Secret)> {
    let parts = given.split_once('=').and_then(|(provider, rest)| Some((provider, rest.split_once(':')?)));
    let Some((provider, (name, value))) = parts else {
        bail!("--endpoint-header: must be PROVIDER=HEADER:VALUE, such as portkey=x-portkey-config:@PORTKEY_CONFIG");
    };
    let (name, value) = (name.trim(), value.trim());
    let Some(place) = value.strip_prefix('@') else {
        let lower = name.to_ascii_lowercase();
        if lower.split(['-', '_']).any(|word| SECRET_WORDS.contains(&word)) {
            bail!(
                "--endpoint-header: arguments can be read by every user of this machine; \
                 put the value of {name} into a variable or file and write {provider}={name}:@VARIABLE or @./FILE"
            );
        }
        return Ok((provider, name, Secret::new(value.as_bytes())));
    };
    let read = if place.contains('/') {
        let bytes = std::fs::read(place).map(Zeroizing::new);
        bytes.map_err(|error| format!("{place}: {error}"))
    } else {
        let text = std::env::var_os(place).map(|text| Zeroizing::new(text.into_encoded_bytes()));
        text.ok_or_else(|| format!("the environment has no variable {place}; a file is named with a slash, as @./FILE"))
    };
    match read {
        Ok(bytes) => Ok((provider, name, Secret::new(bytes.trim_ascii()))),
        Err(reason) => bail!("--endpoint-header: {reason}"),
    }
}

/// Reads a length of time; a bare zero is one.
fn age(text: &str) -> Result<Duration, String> {
    if text.trim() == "0" {
        return Ok(Duration::ZERO);
    }
    let fault = || format!("{text:?} is no length of time; write 30m, 12h or 7d");
    let span: jiff::Span = text.parse().map_err(|_| fault())?;
    let length = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| fault())?;
    Duration::try_from(length).map_err(|_| fault())
}

/// Keeps the memory of the program, with the credentials in it, from being written to a file when it ends by a fault.
pub fn leave_no_core() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // Where a system knows no such limit there is nothing to keep.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, seconds) in [("0", 0), ("0s", 0), ("90s", 90), ("30m", 1800), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(age(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "7", "-1h", "soon", "1mo", "99999999999999d"] {
            assert!(age(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_header_comes_from_the_argument_only_where_it_is_no_secret() {
        let read = |given: &str| {
            header(given).map(|(provider, name, value)| {
                (provider.to_owned(), name.to_owned(), String::from_utf8_lossy(value.expose()).into_owned())
            })
        };
        let told = |name: &str, value: &str| ("portkey".to_owned(), name.to_owned(), value.to_owned());
        assert_eq!(read("portkey=x-portkey-provider: openai").expect("read"), told("x-portkey-provider", "openai"));
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "a value\n").expect("written");
        let given = format!("portkey=x-portkey-virtual-key:@{}", file.path().display());
        assert_eq!(read(&given).expect("read"), told("x-portkey-virtual-key", "a value"));
        for (given, word) in [
            ("portkey", "PROVIDER=HEADER:VALUE"),
            ("portkey=name", "PROVIDER=HEADER:VALUE"),
            ("portkey=cf-aig-authorization: Bearer x", "every user of this machine"),
            ("portkey=X-Api-Key:x", "every user of this machine"),
            ("portkey=x-route:@NO_SUCH_VARIABLE_HERE", "no variable NO_SUCH_VARIABLE_HERE"),
            ("portkey=x-route:@/no/such/file", "/no/such/file"),
        ] {
            let reason = read(given).expect_err(given).to_string();
            assert!(reason.contains(word) && !reason.contains("Bearer x"), "{reason}");
        }
    }

    #[test]
    fn no_option_passes_unseen_where_nobody_is_asked() {
        let refused = |arguments: VerifyingArguments| arguments.refuse_without_verify().is_err();
        assert!(!refused(VerifyingArguments::default()));
        assert!(refused(VerifyingArguments { endpoints: vec![String::new()], ..Default::default() }));
        assert!(refused(VerifyingArguments { verify_databases: true, ..Default::default() }));
        assert!(refused(VerifyingArguments { endpoint_headers: vec![String::new()], ..Default::default() }));
        assert!(refused(VerifyingArguments { allow_insecure_endpoints: true, ..Default::default() }));
        assert!(refused(VerifyingArguments { verify_max_age: Some(Duration::ZERO), ..Default::default() }));
        assert!(refused(VerifyingArguments { verify_limit: Some(1), ..Default::default() }));
        assert!(refused(VerifyingArguments { proxy: Some(String::new()), ..Default::default() }));
    }
}
