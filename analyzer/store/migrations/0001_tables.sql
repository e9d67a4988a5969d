-- Tables are private: people read views. Append only, except offsets and watermarks (one row per partition, replaced).
CREATE TABLE store.events (
    event_time TIMESTAMPTZ, observed_time TIMESTAMPTZ,
    gateway VARCHAR, gateway_instance VARCHAR, gateway_version VARCHAR,
    method VARCHAR, route VARCHAR, host VARCHAR, status INTEGER, outcome VARCHAR, responder VARCHAR,
    code VARCHAR, cause VARCHAR, confidence DOUBLE, group_id VARCHAR, title VARCHAR, near_miss VARCHAR,
    library VARCHAR, also VARCHAR[],
    evidence STRUCT(source VARCHAR, says VARCHAR)[], rivals STRUCT(code VARCHAR, why_not VARCHAR)[],
    missing VARCHAR[], fix STRUCT(says VARCHAR, source VARCHAR)[],
    client_address VARCHAR, user_agent VARCHAR, trace_id VARCHAR, request_id VARCHAR,
    reason VARCHAR, message VARCHAR, challenge VARCHAR, flags VARCHAR, body_bytes INTEGER, upstream_status INTEGER,
    token_kind VARCHAR, scheme VARCHAR, location VARCHAR, credentials INTEGER, token_size INTEGER, parts INTEGER[],
    signature_bytes INTEGER, alg VARCHAR, typ VARCHAR, kid VARCHAR, issuer VARCHAR, audiences VARCHAR[],
    client_id VARCHAR, scopes VARCHAR[], claims MAP(VARCHAR, VARCHAR), anomalies VARCHAR[],
    verification VARCHAR, user_hash VARCHAR, key_epoch INTEGER,
    iat_offset_s DOUBLE, nbf_offset_s DOUBLE, exp_offset_s DOUBLE,
    origin_kind VARCHAR, origin_source VARCHAR, origin_partition INTEGER, origin_offset BIGINT
);

-- Requests per minute, every one of them; a commit adds what it saw, views and compaction add it up.
CREATE TABLE store.rollups (
    minute TIMESTAMPTZ, gateway VARCHAR, gateway_instance VARCHAR, route VARCHAR, issuer VARCHAR, client_id VARCHAR,
    outcome VARCHAR, responder VARCHAR, cause VARCHAR, code VARCHAR, group_id VARCHAR, requests BIGINT
);

-- All other sums in one table, told apart by kind (group, member, credential, shape, unclassified, pipeline):
-- each table that a commit touches costs it 6 ms.
CREATE TABLE store.deltas (
    kind VARCHAR, minute TIMESTAMPTZ, group_id VARCHAR, gateway VARCHAR, issuer VARCHAR, client_id VARCHAR,
    kid VARCHAR, alg VARCHAR, typ VARCHAR, token_kind VARCHAR, claim_names VARCHAR[], name VARCHAR, value VARCHAR,
    records BIGINT, passing BIGINT, failing BIGINT,
    first_seen TIMESTAMPTZ, last_seen TIMESTAMPTZ, first_passed TIMESTAMPTZ, last_passed TIMESTAMPTZ
);

-- What a group is, in words, as of one of its events; the latest one counts.
CREATE TABLE store.descriptions (
    group_id VARCHAR, described_at TIMESTAMPTZ, fingerprint_version VARCHAR, code VARCHAR, cause VARCHAR, title VARCHAR,
    discriminant VARCHAR, parts MAP(VARCHAR, VARCHAR), confidence DOUBLE, near_miss VARCHAR, library VARCHAR,
    evidence STRUCT(source VARCHAR, says VARCHAR)[], rivals STRUCT(code VARCHAR, why_not VARCHAR)[],
    missing VARCHAR[], fix STRUCT(says VARCHAR, source VARCHAR)[]
);

CREATE TABLE store.changes (changed_at TIMESTAMPTZ, kind VARCHAR, subject VARCHAR, gateway VARCHAR, detail VARCHAR);
CREATE TABLE store.notes (group_id VARCHAR, noted_at TIMESTAMPTZ, author VARCHAR, state VARCHAR, note VARCHAR);

CREATE TABLE store.offsets (topic VARCHAR, "partition" INTEGER, next BIGINT, updated_at TIMESTAMPTZ);

-- One row, replaced by writers that must not commit side by side; and who does the upkeep at present (turn.py).
CREATE TABLE store.turns (taken_at TIMESTAMPTZ);
INSERT INTO store.turns VALUES (now());
CREATE TABLE store.leases (holder VARCHAR, expires_at TIMESTAMPTZ);

-- How far each raw partition's records came through the event topic; see watermarks.py.
CREATE TABLE store.watermarks (
    topic VARCHAR, "partition" INTEGER, next BIGINT, seen BIGINT, run BIGINT, position BIGINT, updated_at TIMESTAMPTZ
);
