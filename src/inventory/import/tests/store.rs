//! Samples taken into the store: claims of several lists meet in one record, in any order.

use jiff::Timestamp;

use super::super::Kind;
use super::samples::*;
use crate::inventory::batch::Batch;
use crate::inventory::ingest::{ImportedFile, ingest};
use crate::inventory::keys::KeyKind;
use crate::inventory::records;
use crate::store::Store;

fn batches(kind: Kind) -> Vec<Batch> {
    import_with(kind, &sample(kind), &options()).expect("usable")
}

fn store_of(kinds: &[Kind]) -> Store {
    let mut store = Store::in_memory().expect("a store");
    let now: Timestamp = options().now;
    for batch in kinds.iter().flat_map(|kind| batches(*kind)) {
        let outcome = ingest(&mut store, &batch, &ImportedFile::default(), now).expect("taken in");
        assert_eq!(outcome.rejected, [], "{}", batch.source);
    }
    store
}

#[test]
fn the_credential_report_and_the_list_of_keys_meet_in_one_record() {
    let id = "aws:user/111122223333/bedrock-rag#2024-02-01T10:00:00Z";
    let mut told = Vec::new();
    for kinds in [[Kind::AwsAccessKeys, Kind::AwsCredentialReport], [Kind::AwsCredentialReport, Kind::AwsAccessKeys]] {
        let store = store_of(&kinds);
        let by_key =
            records::credentials_by_key(&store, KeyKind::PublicId, &format!("aws:{}", access_key_id())).expect("read");
        let [key] = &by_key[..] else { panic!("one record: {by_key:#?}") };
        assert_eq!((key.id.as_str(), key.record_id.as_deref()), (id, Some(access_key_id().as_str())));
        assert_eq!((key.last_used.as_deref(), key.status.as_deref()), (Some("2025-11-20T08:00:00Z"), Some("active")));
        let user =
            records::identity(&store, key.identity.as_deref().expect("an identity")).expect("read").expect("known");
        assert_eq!(user.kind.as_deref(), Some("service_account"));
        told.push((by_key, user));
    }
    assert_eq!(told[0], told[1], "the order of imports changes nothing");
}

#[test]
fn a_fine_grained_token_is_found_by_the_digest_of_the_log_and_named_by_the_list() {
    for kinds in
        [[Kind::GithubFineGrainedTokens, Kind::GithubAuditLog], [Kind::GithubAuditLog, Kind::GithubFineGrainedTokens]]
    {
        let store = store_of(&kinds);
        let found = records::credentials_by_key(&store, KeyKind::Digest, &format!("gh-sha256:{}", "00".repeat(32)))
            .expect("read");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.as_deref(), found[0].record_id.as_deref()), (Some("agent"), Some("25381")));
    }
}

#[test]
fn every_sample_is_taken_in_without_a_refusal() {
    let store = store_of(Kind::ALL);
    let used = records::observations(&store, KeyKind::PublicId, &format!("aws:{}", access_key_id())).expect("read");
    assert_eq!(used.len(), 1);
    // GKE's annotation and the list of keys name one service account.
    let named =
        records::identities_by_external_id(&store, "gcp_service_account:rag-prod@acme-ai.iam.gserviceaccount.com")
            .expect("read");
    let ids: Vec<&str> = named.iter().map(|identity| identity.id.as_str()).collect();
    assert_eq!(
        ids,
        ["google:rag-prod@acme-ai.iam.gserviceaccount.com", "kubernetes:66666666-2222-3333-4444-555555555555"]
    );
}

#[test]
fn pieces_of_a_log_add_up() {
    let mut store = store_of(&[Kind::GithubAuditLog]);
    let mut later = options();
    later.file_name = "next.json".into();
    let piece = sample(Kind::GithubAuditLog).replace("doc1", "doc9").replace("1763600000000", "1763800000000");
    for batch in import_with(Kind::GithubAuditLog, &piece, &later).expect("usable") {
        ingest(&mut store, &batch, &ImportedFile::default(), later.now).expect("taken in");
    }
    let digest = "gh-sha256:bcd9594cd694a434f7eaf94f53e1e7d8a67083f979132f49e7cb1a9a4c3259c5";
    let events: Vec<String> = records::observations(&store, KeyKind::Digest, digest)
        .expect("read")
        .into_iter()
        .map(|seen| seen.event)
        .collect();
    assert_eq!(events, ["doc9", "doc2", "doc1"]);
    let found = records::credentials_by_key(&store, KeyKind::Digest, digest).expect("read");
    assert_eq!(found[0].last_used.as_deref(), Some("2025-11-22T08:26:40Z"));
}
