-- What the store's views derive from single events, computed once from the generated ones.
INSERT INTO traffic
SELECT date_trunc('minute', event_time), gateway, gateway_instance, route, issuer, client_id, outcome, responder, count(*)
FROM failures GROUP BY ALL;
INSERT INTO trend
SELECT date_trunc('minute', event_time), gateway, outcome, cause, code, group_id, count(*) FROM failures GROUP BY ALL;
INSERT INTO trend
SELECT minute, gateway, outcome, '', '', '', sum(requests)::BIGINT FROM traffic WHERE outcome = 'allowed' GROUP BY ALL;
INSERT INTO issuers
SELECT issuer, gateway, coalesce(sum(requests) FILTER (outcome = 'allowed'), 0)::BIGINT,
    coalesce(sum(requests) FILTER (outcome <> 'allowed'), 0)::BIGINT, min(minute), max(minute),
    max(minute) FILTER (outcome = 'allowed')
FROM traffic WHERE issuer <> '' GROUP BY ALL;
INSERT INTO groups
SELECT f.group_id, 'v1', any_value(f.code), any_value(f.cause), any_value(f.title), any_value(m.discriminant),
    MAP {'code': any_value(f.code), 'what one change would touch': any_value(m.discriminant)},
    any_value(f.confidence), count(*), min(f.event_time), max(f.event_time),
    count(*) FILTER (f.event_time > $now::TIMESTAMPTZ - INTERVAL 1 HOUR),
    count(*) FILTER (f.event_time BETWEEN $now::TIMESTAMPTZ - INTERVAL 2 HOUR AND $now::TIMESTAMPTZ - INTERVAL 1 HOUR),
    list(DISTINCT f.gateway ORDER BY f.gateway), list(DISTINCT f.issuer ORDER BY f.issuer) FILTER (f.issuer <> ''),
    list(DISTINCT f.route ORDER BY f.route)[:10], count(DISTINCT f.client_id), count(DISTINCT f.user_hash),
    any_value(f.near_miss), any_value(f.library), any_value(f.evidence), any_value(f.rivals), any_value(f.missing),
    any_value(f.fix), 'open', any_value(m.status), any_value(m.suspect_change)
FROM failures f JOIN group_facts m USING (group_id) GROUP BY f.group_id;
INSERT INTO token_shapes
SELECT issuer, client_id, token_kind, alg, typ, list_sort(map_keys(claims)), 0, count(*), max(event_time)
FROM failures WHERE token_kind = 'jws' GROUP BY ALL;
CREATE TABLE samples AS
SELECT group_id, (row_number() OVER (PARTITION BY group_id ORDER BY event_time DESC))::INTEGER AS rank,
    f.* EXCLUDE (group_id)
FROM failures f QUALIFY rank <= 20;
INSERT INTO unclassified
SELECT message, reason, gateway, count(*), min(event_time), max(event_time)
FROM failures WHERE code = 'unclassified' GROUP BY ALL;
INSERT INTO pipeline
SELECT minute, c.counter, '', sum(requests)::BIGINT FROM traffic, (VALUES ('received'), ('stored')) c(counter) GROUP BY ALL;
DROP TABLE group_facts;
