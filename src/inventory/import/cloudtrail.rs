//! Events of AWS CloudTrail: the files that a trail delivers (`Records`) and what `aws cloudtrail lookup-events` prints
//! (`Events`, with the event itself as text inside). Events without an access key, such as those of AWS's own services,
//! are told by the role or user where there is one, and are passed over where there is none.

use serde_json::{Map, Value};

use super::super::model::Observation;
use super::claims::Claims;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// Files of a trail.
pub(super) const EVENTS: Format = Format {
    provider: "aws",
    lists: &["Records", "Events"],
    sorts: &[],
    reach: Reach::Log,
    accepts: |row| (row.has(&["eventName"]) && row.has(&["eventSource"])) || row.has(&["CloudTrailEvent"]),
    read,
};

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let Some(text) = row.at(&["CloudTrailEvent"]).and_then(Value::as_str) else { return event(row, options) };
    let fields: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| "CloudTrailEvent holds no well-formed event")?;
    let inner = Row::new(row.place, fields, row.envelope);
    let claims = event(&inner, options);
    row.take_remarks(&inner);
    claims
}

fn event(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let account = row.optional_id(&["recipientAccountId"]).or_else(|| row.optional_id(&["userIdentity", "accountId"]));
    let mut claims = Claims { account: account.or_else(|| options.account.clone()), ..Claims::default() };
    let name = row.text(&["eventName"]).ok_or("has no eventName")?;
    let arn = row.optional_id(&["userIdentity", "arn"]);
    let key = row.optional_id(&["userIdentity", "accessKeyId"]).map(|key| ("public-id", format!("aws:{key}")));
    let Some((key_kind, key_value)) = key.or_else(|| Some(("external-id", format!("aws_arn:{}", arn.clone()?)))) else {
        return Ok(claims);
    };
    let at = row.time(&["eventTime"]).ok_or("has no usable eventTime")?;
    let service = row.text(&["eventSource"]).unwrap_or_default();
    let action = match service.strip_suffix(".amazonaws.com") {
        Some(service) => format!("{service}:{name}"),
        None => name,
    };
    claims.observations.push(Observation {
        event: row.optional_id(&["eventID"]).unwrap_or_else(|| format!("{at} {action} {}", row.place)),
        key_kind: key_kind.into(),
        key_value,
        action,
        target: target(row),
        actor: arn.or_else(|| row.optional_id(&["userIdentity", "userName"])),
        address: row.optional_id(&["sourceIPAddress"]),
        at,
    });
    Ok(claims)
}

/// What was used: the first resource, or the model that was asked, or the region.
fn target(row: &Row<'_>) -> Option<String> {
    let resource = row.at(&["resources"]).and_then(Value::as_array).and_then(|resources| row.part(resources.first()?));
    let resource =
        resource.and_then(|resource| resource.optional_id(&["ARN"]).or_else(|| resource.optional_id(&["arn"])));
    let asked = ["modelId", "bucketName", "functionName", "secretId", "roleArn"];
    let of_request = || asked.into_iter().find_map(|name| row.optional_id(&["requestParameters", name]));
    resource.or_else(of_request).or_else(|| row.optional_id(&["awsRegion"]))
}
