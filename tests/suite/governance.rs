//! What is wrong with ownership, what may go, what somebody leaves behind: `check`, `review`, `offboard`, the policy of a
//! scan, and the taxonomies of its SARIF.

use serde_json::Value;

use crate::harness::{Run, Scratch, key};

/// A scratch whose home has an inventory with one identity: its owner has left, it never ends and nobody uses it.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    let leaked = key(1);
    let (head, tail) = (&leaked[..16], &leaked[leaked.len() - 4..]);
    let inventory = format!(
        "schema = \"credtrace.inventory/1\"\n\
         [[people]]\nid = \"ana@acme.example\"\nname = \"Ana Ray\"\nstatus = \"left\"\nmanager = \"ben@acme.example\"\n\
         [[people]]\nid = \"ben@acme.example\"\nname = \"Ben Lee\"\nstatus = \"active\"\n\
         [[identity]]\nid = \"nhi-bot\"\nname = \"Support bot\"\nprovider = \"anthropic\"\nowner = \"ana@acme.example\"\n\
         purpose = \"answers\"\n\
         [[credential]]\nid = \"anthropic:apikey_1\"\nidentity = \"nhi-bot\"\ntype = \"anthropic-api-key\"\n\
         provider = \"anthropic\"\nrecord_id = \"apikey_1\"\nissued = 2020-01-01\nexpires = \"never\"\n\
         last_used = 2020-02-01\n[credential.join]\nhint = {{ head = \"{head}\", tail = \"{tail}\" }}\n"
    );
    scratch.write("inventory.toml", inventory);
    scratch.run(&["inventory", "import", "--from", "toml", "inventory.toml"]).status(0);
    scratch.write("web/a.env", format!("ANTHROPIC_API_KEY={leaked}\n"));
    scratch
}

fn answer(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap()
}

fn policy(scratch: &Scratch, fail: &str) {
    scratch.write("policy.toml", format!("schema = \"credtrace.policy/1\"\n[fail]\n{fail}\n"));
}

#[test]
fn a_policy_decides_what_fails_a_scan() {
    let scratch = scratch();
    let scan = |more: &[&str]| {
        let arguments = [&["scan", "web", "--format", "jsonl", "--fail-on", "policy"], more].concat();
        scratch.run(&arguments)
    };
    policy(&scratch, "rules = [\"owner-left\"]");
    let run = scan(&["--policy", "policy.toml"]).status(1);
    let tags = run.findings()[0]["identity_findings"].clone();
    assert_eq!(
        tags,
        serde_json::json!([
            "NHI1:2025/owner-left",
            "NHI1:2025/stale-unused",
            "NHI2:2025/leaked",
            "NHI7:2025/long-lived",
            "NHI7:2025/unrotated"
        ])
    );
    policy(&scratch, "rules = [\"shadow\"]");
    scan(&["--policy", "policy.toml"]).status(0);
    scan(&[]).status(2).says("--policy");
    policy(&scratch, "liveness = [\"live\"]");
    scan(&["--policy", "policy.toml"]).status(2).says("--verify");
    policy(&scratch, "rule = [\"shadow\"]");
    scan(&["--policy", "policy.toml"]).status(2).says("line 3");
}

#[test]
fn check_review_and_offboard_tell_the_same_identity() {
    let scratch = scratch();
    scratch.run(&["scan", "web", "--format", "jsonl"]).status(1);
    let found = answer(&scratch.run(&["check", "--only", "owner-left,leaked", "--format", "json"]).status(1));
    let rules: Vec<_> = found.as_array().unwrap().iter().map(|found| found["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["leaked", "owner-left"]);
    assert_eq!(found[1]["controls"][0], serde_json::json!({"framework": "nhi", "id": "NHI1:2025"}));
    scratch.run(&["check", "--only", "shadow"]).status(0);
    let proposals = answer(&scratch.run(&["review", "--format", "json"]).status(1));
    assert_eq!(proposals[0]["subject"], "anthropic:apikey_1");
    assert!(proposals[0]["against"].to_string().contains("scans found it"), "{proposals}");
    let left = answer(&scratch.run(&["offboard", "ana@acme.example", "--format", "json"]).status(1));
    assert_eq!(left["items"][0]["successor"]["id"], "ben@acme.example");
    assert_eq!(left["items"][0]["leaked"].as_array().unwrap().len(), 1);
    scratch.run(&["offboard", "ben@acme.example"]).status(0);
    scratch.run(&["offboard", "nobody@acme.example"]).status(2).says("nobody of that name");
}

#[test]
fn sarif_names_the_controls_as_taxonomies() {
    let scratch = scratch();
    let document = answer(&scratch.run(&["scan", "web", "--format", "sarif"]).status(1));
    let run = &document["runs"][0];
    let names: Vec<_> = run["taxonomies"].as_array().unwrap().iter().map(|known| known["name"].clone()).collect();
    assert!(names.contains(&"NIST Cybersecurity Framework 2.0".into()), "{names:?}");
    for taxon in run["results"][0]["taxa"].as_array().unwrap() {
        let index = taxon["toolComponent"]["index"].as_u64().unwrap() as usize;
        let known = run["taxonomies"][index]["taxa"].as_array().unwrap();
        assert!(known.iter().any(|known| known["id"] == taxon["id"]), "{taxon}");
    }
    assert!(!document.to_string().contains("@acme.example"));
}
