-- What the failures of a group have in common, in the last 60 minutes of the data: its most frequent value per dimension, beside what passes.
-- group_id: Id of the group.
-- dimension: kid, issuer, client, route, version (gateway and version), instance (gateway and instance), gateway, release (client and version), audience (and client), claims (each of the last claims_changed that it has: `without email`).
-- value: The value that most of its failures have.
-- failures: Failures of the group with this value.
-- share: Their share of the group's failures, 0 to 1.
-- passing_share: Share of the allowed requests in the sample that have this value; NULL: no allowed request.
WITH counted AS (
    SELECT group_id, outcome, gateway, gateway_version, gateway_instance, kid, issuer, client_id, route, user_agent, client_version,
        user_agent_version, audiences, count(*) AS n
    FROM store.events
    WHERE event_time >= (SELECT max(minute) - INTERVAL 59 MINUTE FROM store.rollups)
    GROUP BY ALL
),
recent AS (
    SELECT group_id, outcome = 'allowed' AS passes, kid, issuer, client_id AS client, route,
        if(gateway_version = '', '', concat_ws(' ', gateway, gateway_version)) AS version,
        if(gateway_instance = '', '', concat_ws(' ', gateway, gateway_instance)) AS instance, gateway,
        coalesce(nullif(client_id, ''), user_agent) AS caller,
        CASE
            WHEN coalesce(client_version, '') <> '' THEN concat_ws(' ', caller, client_version)
            WHEN coalesce(user_agent_version, '') <> '' THEN concat_ws(' ', caller, 'with', user_agent, user_agent_version)
            ELSE ''
        END AS release,
        if(len(audiences) = 0, '', array_to_string(audiences, ', ') || if(client_id = '', '', ' from ' || client_id)) AS audience,
        n
    FROM counted
),
reclaimed AS (
    SELECT subject, detail, regexp_replace(subject, '^with(out)? ', '') AS claim, starts_with(subject, 'with ') AS is_there
    FROM store.changes
    WHERE kind = 'claims_changed' AND changed_at > (SELECT max(minute) - INTERVAL 1 DAY FROM store.rollups)
    GROUP BY ALL ORDER BY max(changed_at) DESC, subject, detail LIMIT 20
),
-- Reads claims only where some changed.
claiming AS (
    SELECT group_id, outcome, issuer, map_keys(claims) AS names, count(*) AS n
    FROM store.events
    WHERE event_time >= (SELECT max(minute) - INTERVAL 59 MINUTE FROM store.rollups) AND issuer IN (SELECT detail FROM reclaimed)
    GROUP BY ALL
),
valued AS (
    SELECT group_id, passes, dimension, value, n
    FROM (UNPIVOT recent ON kid, issuer, client, route, version, instance, gateway, release, audience INTO NAME dimension VALUE value)
    UNION ALL
    SELECT group_id, outcome = 'allowed', 'claims', subject, n
    FROM claiming JOIN reclaimed ON issuer = detail
    WHERE len(names) > 0 AND list_contains(names, claim) = is_there
),
passing AS (
    SELECT dimension, value, sum(n) / (SELECT sum(n) FROM recent WHERE passes) AS share
    FROM valued WHERE passes AND value <> '' GROUP BY dimension, value
),
totals AS (SELECT group_id, sum(n) AS n FROM recent WHERE group_id <> '' GROUP BY group_id)
SELECT valued.group_id, valued.dimension, valued.value, sum(valued.n)::BIGINT AS failures,
    sum(valued.n) / any_value(totals.n) AS share,
    CASE WHEN (SELECT count(*) FILTER (passes) FROM recent) > 0 THEN coalesce(any_value(passing.share), 0) END AS passing_share
FROM valued
JOIN totals USING (group_id)
LEFT JOIN passing USING (dimension, value)
WHERE valued.value <> ''
GROUP BY valued.group_id, valued.dimension, valued.value
QUALIFY valued.dimension = 'claims' OR row_number() OVER (PARTITION BY valued.group_id, valued.dimension ORDER BY sum(valued.n) DESC, valued.value) = 1
