-- The views of the public SQL API as plain tables: same names, same columns, same order.
CREATE TABLE failures (
    event_time TIMESTAMPTZ, observed_time TIMESTAMPTZ, gateway VARCHAR, gateway_instance VARCHAR,
    gateway_version VARCHAR, method VARCHAR, route VARCHAR, host VARCHAR, status INTEGER, outcome VARCHAR,
    responder VARCHAR, code VARCHAR, cause VARCHAR, confidence DOUBLE, group_id VARCHAR, title VARCHAR,
    near_miss VARCHAR, library VARCHAR, also VARCHAR[], evidence STRUCT(source VARCHAR, says VARCHAR)[],
    rivals STRUCT(code VARCHAR, why_not VARCHAR)[], missing VARCHAR[], fix STRUCT(says VARCHAR, source VARCHAR)[],
    client_address VARCHAR, user_agent VARCHAR, trace_id VARCHAR, request_id VARCHAR, reason VARCHAR, message VARCHAR,
    challenge VARCHAR, flags VARCHAR, body_bytes INTEGER, upstream_status INTEGER, token_kind VARCHAR, scheme VARCHAR,
    location VARCHAR, credentials INTEGER, token_size INTEGER, parts INTEGER[], signature_bytes INTEGER, alg VARCHAR,
    typ VARCHAR, kid VARCHAR, issuer VARCHAR, audiences VARCHAR[], client_id VARCHAR, scopes VARCHAR[],
    claims MAP(VARCHAR, VARCHAR), anomalies VARCHAR[], verification VARCHAR, user_hash VARCHAR, key_epoch INTEGER,
    iat_offset_s DOUBLE, nbf_offset_s DOUBLE, exp_offset_s DOUBLE, origin_kind VARCHAR, origin_source VARCHAR,
    origin_partition INTEGER, origin_offset BIGINT
);
CREATE TABLE groups (
    group_id VARCHAR, fingerprint_version VARCHAR, code VARCHAR, cause VARCHAR, title VARCHAR, discriminant VARCHAR,
    parts MAP(VARCHAR, VARCHAR), confidence DOUBLE, failures BIGINT, first_seen TIMESTAMPTZ, last_seen TIMESTAMPTZ,
    last_hour BIGINT, previous_hour BIGINT, gateways VARCHAR[], issuers VARCHAR[], routes VARCHAR[], clients BIGINT,
    users BIGINT, near_miss VARCHAR, library VARCHAR, evidence STRUCT(source VARCHAR, says VARCHAR)[],
    rivals STRUCT(code VARCHAR, why_not VARCHAR)[], missing VARCHAR[], fix STRUCT(says VARCHAR, source VARCHAR)[],
    state VARCHAR, status VARCHAR, suspect_change VARCHAR
);
CREATE TABLE trend (
    minute TIMESTAMPTZ, gateway VARCHAR, outcome VARCHAR, cause VARCHAR, code VARCHAR, group_id VARCHAR, requests BIGINT
);
CREATE TABLE traffic (
    minute TIMESTAMPTZ, gateway VARCHAR, gateway_instance VARCHAR, route VARCHAR, issuer VARCHAR, client_id VARCHAR,
    outcome VARCHAR, responder VARCHAR, requests BIGINT
);
CREATE TABLE issuers (
    issuer VARCHAR, gateway VARCHAR, passing BIGINT, failing BIGINT, first_seen TIMESTAMPTZ, last_seen TIMESTAMPTZ,
    last_passed TIMESTAMPTZ
);
CREATE TABLE keys (
    issuer VARCHAR, kid VARCHAR, alg VARCHAR, passing BIGINT, failing BIGINT, first_seen TIMESTAMPTZ,
    last_seen TIMESTAMPTZ, first_passed TIMESTAMPTZ, last_passed TIMESTAMPTZ
);
CREATE TABLE token_shapes (
    issuer VARCHAR, client_id VARCHAR, token_kind VARCHAR, alg VARCHAR, typ VARCHAR, claim_names VARCHAR[],
    passing BIGINT, failing BIGINT, last_seen TIMESTAMPTZ
);
CREATE TABLE changes (changed_at TIMESTAMPTZ, kind VARCHAR, subject VARCHAR, gateway VARCHAR, detail VARCHAR, is_baseline BOOLEAN);
CREATE TABLE unclassified (
    template VARCHAR, reason VARCHAR, gateway VARCHAR, records BIGINT, first_seen TIMESTAMPTZ, last_seen TIMESTAMPTZ
);
CREATE TABLE templates (
    template_id VARCHAR, template VARCHAR, example VARCHAR, gateways VARCHAR[], reasons VARCHAR[], records BIGINT,
    messages BIGINT, first_seen TIMESTAMPTZ, last_seen TIMESTAMPTZ
);
CREATE TABLE pipeline (minute TIMESTAMPTZ, counter VARCHAR, reason VARCHAR, value BIGINT);
CREATE TABLE positions (topic VARCHAR, partition INTEGER, next BIGINT, updated_at TIMESTAMPTZ);
CREATE TABLE notes (group_id VARCHAR, noted_at TIMESTAMPTZ, author VARCHAR, state VARCHAR, note VARCHAR);
CREATE TABLE raw_credentials (
    gateway VARCHAR, place VARCHAR, records BIGINT, first_seen TIMESTAMPTZ, last_seen TIMESTAMPTZ, setting VARCHAR,
    source VARCHAR
);
