-- The first form of the store. Later forms are added as further steps; a step that was published never changes.

-- What a provider said of a credential, by the keyed fingerprint; never the credential.
CREATE TABLE verdict (
    fingerprint TEXT NOT NULL,
    detector    TEXT NOT NULL,
    endpoint    TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('live', 'limited', 'dead')),
    reason      TEXT,
    account     TEXT NOT NULL CHECK (json_valid(account)),
    checked_at  TEXT NOT NULL,
    PRIMARY KEY (fingerprint, detector, endpoint)
) STRICT, WITHOUT ROWID;

-- Every file that was imported, so that its age and its refused rows can be told.
CREATE TABLE import (
    id          INTEGER PRIMARY KEY,
    source      TEXT NOT NULL,
    kind        TEXT NOT NULL,
    file        TEXT NOT NULL,
    sha256      TEXT NOT NULL,
    as_of       TEXT NOT NULL,
    imported_at TEXT NOT NULL,
    rows        INTEGER NOT NULL CHECK (rows >= 0),
    rejected    INTEGER NOT NULL CHECK (rejected >= 0)
) STRICT;
CREATE INDEX import_by_source ON import (source, as_of);

-- What the last import of each source did to the effective records.
CREATE TABLE change (
    source TEXT NOT NULL,
    kind   TEXT NOT NULL CHECK (kind IN ('person', 'identity', 'credential')),
    id     TEXT NOT NULL,
    what   TEXT NOT NULL CHECK (what IN ('added', 'changed', 'removed')),
    fields TEXT NOT NULL CHECK (json_valid(fields)),
    PRIMARY KEY (source, kind, id)
) STRICT, WITHOUT ROWID;

-- What one source says of one person, identity or credential. The effective record joins all claims field by field: the
-- higher rank wins, then the newer as_of, then the source's name, so that the order of imports does not matter.
-- Values of as_of are days (2026-11-20) or seconds in UTC (2026-11-20T08:00:00Z), so that they compare as text.
CREATE TABLE claim (
    kind   TEXT NOT NULL CHECK (kind IN ('person', 'identity', 'credential')),
    id     TEXT NOT NULL,
    source TEXT NOT NULL,
    rank   INTEGER NOT NULL,
    as_of  TEXT NOT NULL,
    body   TEXT NOT NULL CHECK (json_valid(body)),
    PRIMARY KEY (kind, id, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_by_source ON claim (source);

-- The effective records, made of claims.
CREATE TABLE person (
    id   TEXT PRIMARY KEY,
    body TEXT NOT NULL CHECK (json_valid(body))
) STRICT, WITHOUT ROWID;
CREATE TABLE alias (
    alias  TEXT NOT NULL COLLATE NOCASE,
    person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    PRIMARY KEY (alias, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_by_person ON alias (person);
CREATE TABLE identity (
    id          TEXT PRIMARY KEY,
    provider    TEXT,
    account     TEXT,
    owner       TEXT,
    environment TEXT,
    ai_system   TEXT,
    body        TEXT NOT NULL CHECK (json_valid(body))
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_by_owner ON identity (owner);
CREATE INDEX identity_by_provider ON identity (provider, account);
CREATE TABLE credential (
    id       TEXT PRIMARY KEY,
    identity TEXT,
    provider TEXT,
    account  TEXT,
    type     TEXT,
    body     TEXT NOT NULL CHECK (json_valid(body))
) STRICT, WITHOUT ROWID;
CREATE INDEX credential_by_identity ON credential (identity);
CREATE INDEX credential_by_provider ON credential (provider, type, account);

-- What an identity is called elsewhere, as system:value; beside join_key, since an identity may have no credential.
CREATE TABLE external_id (
    value    TEXT NOT NULL,
    identity TEXT NOT NULL REFERENCES identity (id) ON DELETE CASCADE,
    PRIMARY KEY (value, identity)
) STRICT, WITHOUT ROWID;
CREATE INDEX external_id_by_identity ON external_id (identity);

-- What finds a credential record from a leaked value: kind is fp, digest, id, public-id, account or jwt.
CREATE TABLE join_key (
    kind       TEXT NOT NULL,
    value      TEXT NOT NULL,
    credential TEXT NOT NULL REFERENCES credential (id) ON DELETE CASCADE,
    PRIMARY KEY (kind, value, credential)
) STRICT, WITHOUT ROWID;
CREATE INDEX join_key_by_credential ON join_key (credential);

-- Redacted forms. The tail is whole, and has 8 characters at the most: a value is looked up by each of its endings, then
-- the head is compared. A hint without a tail is looked up by each beginning of the value.
CREATE TABLE hint (
    provider   TEXT NOT NULL,
    tail       TEXT NOT NULL,
    head       TEXT NOT NULL,
    credential TEXT NOT NULL REFERENCES credential (id) ON DELETE CASCADE,
    PRIMARY KEY (provider, tail, head, credential)
) STRICT, WITHOUT ROWID;
CREATE INDEX hint_by_credential ON hint (credential);

-- Of which providers and accounts the inventory has a list, how old it is, and whether it is whole.
CREATE TABLE coverage (
    provider TEXT NOT NULL,
    account  TEXT NOT NULL,
    source   TEXT NOT NULL,
    file     TEXT NOT NULL,
    as_of    TEXT NOT NULL,
    complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
    PRIMARY KEY (provider, account, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX coverage_by_source ON coverage (source);

-- What scans found, redacted, by fingerprint; for the questions that are asked later.
CREATE TABLE finding (
    fingerprint TEXT PRIMARY KEY,
    body        TEXT NOT NULL CHECK (json_valid(body)),
    first_at    TEXT NOT NULL,
    last_at     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a person decided of a link; the newest of a fingerprint and credential counts.
CREATE TABLE decision (
    id          INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    credential  TEXT,
    identity    TEXT,
    verdict     TEXT NOT NULL CHECK (verdict IN ('accept', 'reject')),
    who         TEXT NOT NULL,
    why         TEXT NOT NULL,
    at          TEXT NOT NULL
) STRICT;
CREATE INDEX decision_by_fingerprint ON decision (fingerprint);

-- Use that audit logs show, by the join key that the log carries.
CREATE TABLE observation (
    source     TEXT NOT NULL,
    event      TEXT NOT NULL,
    key_kind   TEXT NOT NULL,
    key_value  TEXT NOT NULL,
    action     TEXT NOT NULL,
    target     TEXT,
    actor      TEXT,
    address    TEXT,
    at         TEXT NOT NULL,
    PRIMARY KEY (source, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX observation_by_key ON observation (key_kind, key_value, at);

-- The chained record of what was done: each hash covers the one before it.
CREATE TABLE event (
    seq     INTEGER PRIMARY KEY,
    time    TEXT NOT NULL,
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    data    TEXT NOT NULL CHECK (json_valid(data)),
    prev    TEXT NOT NULL,
    hash    TEXT NOT NULL UNIQUE
) STRICT;
