-- One row per group: failures that one change would fix. Texts are those of its latest event, or of one at most a minute older.
-- group_id: Stable id: version of the fingerprint, then 16 hex digits.
-- fingerprint_version: Version of the fingerprint.
-- code: Cause of the refusal, as a code (docs/codes.md).
-- cause: Category of the code: issuer, format, library, gateway, policy, unknown.
-- title: The diagnosis in one line.
-- discriminant: What distinguishes it from other groups with the same code.
-- parts: Inputs of the fingerprint.
-- confidence: Confidence in the code, 0 to 1.
-- failures: Number of refused requests.
-- first_seen: Time of the first failure.
-- last_seen: Time of the latest failure.
-- last_hour: Failures in the last 60 minutes of the data.
-- previous_hour: Failures in the 60 minutes before that.
-- gateways: Kinds of the gateways that refused the requests.
-- issuers: Issuers of the tokens.
-- routes: The 10 routes with the most failures.
-- clients: Number of distinct clients; 10000 means 10000 or more.
-- users: Number of distinct user pseudonyms; 10000 means 10000 or more.
-- near_miss: How a received value differs from a nearly identical expected one.
-- library: Library that validates the token, when known.
-- evidence: Verified facts behind the code, each with its source.
-- rivals: Codes that were ruled out, each with the reason.
-- missing: Facts that would confirm the diagnosis.
-- fix: What to change, with its source.
-- state: State set by a person: open, resolved, muted, archived; a mute that is over is open.
-- status: new (first seen in the last hour of the data), regressed (failed after it was resolved, or after the release with which it was), escalating (at least 20 in the last hour, more than 3 times the hour before), quiet (none in the last hour), ongoing.
-- suspect_change: The last change in the 15 minutes before first_seen that affects its issuers or gateways.
-- assignee: Person whose task it is; '' is nobody.
-- merged_into: Group that people made it one with; its own id: never shown as one with others; '': neither.
WITH counted AS (
    SELECT group_id, sum(records)::BIGINT AS failures, min(first_seen) AS first_seen, max(last_seen) AS last_seen
    FROM store.deltas WHERE kind = 'group' GROUP BY group_id
),
described AS (
    SELECT group_id, arg_max(d, described_at) AS words FROM store.descriptions AS d GROUP BY group_id
),
members AS (
    SELECT group_id, name, value, sum(records)::BIGINT AS n FROM store.deltas
    WHERE kind = 'member' AND name IN ('gateway', 'issuer', 'route', 'client') GROUP BY ALL
),
lists AS (
    SELECT group_id,
        list(value ORDER BY value) FILTER (name = 'gateway') AS gateways,
        list(value ORDER BY value) FILTER (name = 'issuer') AS issuers,
        list(value ORDER BY n DESC, value) FILTER (name = 'route') AS routes,
        least(count(*) FILTER (name = 'client'), 10000) AS clients
    FROM members GROUP BY group_id
),
-- Apart, since they are a thousand times as many as the rest.
people AS (
    SELECT group_id, least(count(DISTINCT value), 10000) AS users
    FROM store.deltas WHERE kind = 'member' AND name = 'user' GROUP BY group_id
),
-- The data's clock, not the wall's: yesterday's file is judged by its own last hour.
clock AS (
    SELECT max(last_seen) AS now, date_trunc('minute', max(last_seen)) AS this_minute
    FROM store.deltas WHERE kind = 'credential'
),
recent AS (
    SELECT group_id,
        sum(requests) FILTER (minute > this_minute - INTERVAL 1 HOUR)::BIGINT AS last_hour,
        sum(requests) FILTER (minute <= this_minute - INTERVAL 1 HOUR)::BIGINT AS previous_hour
    FROM store.rollups, clock
    WHERE group_id <> '' AND minute > this_minute - INTERVAL 2 HOUR
    GROUP BY group_id
),
suspects AS (
    SELECT counted.group_id, arg_max(concat_ws(' ', replace(kind, '_', ' ') || ':', subject, nullif(detail, '')), changes.changed_at) AS text
    FROM counted JOIN lists USING (group_id)
    JOIN changes ON changes.changed_at <= first_seen AND changes.changed_at > first_seen - INTERVAL 15 MINUTE
    WHERE NOT is_baseline AND CASE kind
        WHEN 'kid_first_seen' THEN list_contains(issuers, changes.detail)
        WHEN 'issuer_first_seen' THEN list_contains(issuers, subject)
        WHEN 'jwks_refreshed' THEN list_contains(issuers, subject)
        WHEN 'client_version_changed' THEN list_contains(issuers, changes.detail) OR changes.detail = ''
        WHEN 'audience_changed' THEN list_contains(issuers, changes.detail)
        WHEN 'claims_changed' THEN list_contains(issuers, changes.detail)
        WHEN 'gateway_first_seen' THEN list_contains(gateways, gateway)
        ELSE true
    END
    GROUP BY counted.group_id
)
SELECT
    counted.group_id, words.fingerprint_version AS fingerprint_version, words.code AS code, words.cause AS cause,
    words.title AS title, words.discriminant AS discriminant, words.parts AS parts, words.confidence AS confidence,
    failures, first_seen, last_seen,
    coalesce(last_hour, 0) AS last_hour, coalesce(previous_hour, 0) AS previous_hour,
    coalesce(gateways, []) AS gateways, coalesce(issuers, []) AS issuers, coalesce(routes[1:10], []) AS routes,
    coalesce(clients, 0) AS clients, coalesce(users, 0) AS users,
    words.near_miss AS near_miss, words.library AS library, words.evidence AS evidence, words.rivals AS rivals,
    words.missing AS missing, words.fix AS fix,
    coalesce(decisions.state, 'open') AS state,
    CASE
        WHEN decisions.failed_again THEN 'regressed'
        WHEN first_seen > now - INTERVAL 1 HOUR THEN 'new'
        WHEN coalesce(last_hour, 0) = 0 THEN 'quiet'
        WHEN last_hour >= 20 AND last_hour > 3 * coalesce(previous_hour, 0) THEN 'escalating'
        ELSE 'ongoing'
    END AS status,
    suspects.text AS suspect_change,
    coalesce(decisions.assignee, '') AS assignee, coalesce(decisions.merged_into, '') AS merged_into
FROM counted
CROSS JOIN clock
LEFT JOIN described USING (group_id)
LEFT JOIN lists USING (group_id)
LEFT JOIN people USING (group_id)
LEFT JOIN recent USING (group_id)
LEFT JOIN decisions ON decisions.group_id = counted.group_id
LEFT JOIN suspects USING (group_id)
