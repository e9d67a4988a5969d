-- One row per group: failures that one change would fix. The words are those of its latest event, or of one at most a minute older.
-- group_id: Stable id: version, then 16 hex digits.
-- fingerprint_version: Version of the fingerprint.
-- code: Why, as a code of the taxonomy.
-- cause: Whose side it is on.
-- title: The diagnosis in one line.
-- discriminant: What, besides the code, one change would touch.
-- parts: What went into the fingerprint, in words.
-- confidence: Of the code, 0 to 1.
-- failures: Refused requests, all of them.
-- first_seen: First failure.
-- last_seen: Latest failure.
-- last_hour: Failures in the last 60 minutes of the data.
-- previous_hour: Failures in the 60 minutes before.
-- gateways: Kinds of gateways that see it.
-- issuers: Issuers of the tokens.
-- routes: The 10 routes with the most failures.
-- clients: Distinct clients; 10000 means that or more.
-- users: Distinct pseudonyms of users; 10000 means that or more.
-- near_miss: How two values differ that nearly agree.
-- library: The verifying library, when known.
-- evidence: Checked facts behind the code.
-- rivals: Codes that had evidence too, and why they lost.
-- missing: Facts that would settle what is unsure.
-- fix: What to change, with its source.
-- state: What a person decided: open, resolved, muted.
-- status: new (first seen in the last hour of the data), regressed (failed after it was resolved), escalating (at least 20 in the last hour, more than 3 times the hour before), quiet (none in the last hour), ongoing.
-- suspect_change: The last change in the 15 minutes before first_seen that touches its issuers or gateways.
WITH counted AS (
    SELECT group_id, sum(records)::BIGINT AS failures, min(first_seen) AS first_seen, max(last_seen) AS last_seen
    FROM store.deltas WHERE kind = 'group' GROUP BY group_id
),
described AS (
    SELECT group_id, arg_max(d, described_at) AS words FROM store.descriptions AS d GROUP BY group_id
),
members AS (
    SELECT group_id, name, value, sum(records) AS n FROM store.deltas WHERE kind = 'member' GROUP BY ALL
),
lists AS (
    SELECT group_id,
        list(value ORDER BY value) FILTER (name = 'gateway') AS gateways,
        list(value ORDER BY value) FILTER (name = 'issuer') AS issuers,
        list(value ORDER BY n DESC, value) FILTER (name = 'route') AS routes,
        least(count(*) FILTER (name = 'client'), 10000) AS clients,
        least(count(*) FILTER (name = 'user'), 10000) AS users
    FROM members GROUP BY group_id
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
decided AS (
    SELECT group_id, arg_max(state, noted_at) AS state, max(noted_at) AS decided_at
    FROM store.notes WHERE state IS NOT NULL GROUP BY group_id
),
suspects AS (
    SELECT counted.group_id, arg_max(concat_ws(' ', replace(kind, '_', ' ') || ':', subject, nullif(detail, '')), changes.changed_at) AS text
    FROM counted JOIN lists USING (group_id)
    JOIN changes ON changes.changed_at <= first_seen AND changes.changed_at > first_seen - INTERVAL 15 MINUTE
    WHERE NOT is_baseline AND CASE kind
        WHEN 'kid_first_seen' THEN list_contains(issuers, changes.detail)
        WHEN 'issuer_first_seen' THEN list_contains(issuers, subject)
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
    coalesce(decided.state, 'open') AS state,
    CASE
        WHEN decided.state = 'resolved' AND last_seen > decided_at THEN 'regressed'
        WHEN first_seen > now - INTERVAL 1 HOUR THEN 'new'
        WHEN coalesce(last_hour, 0) = 0 THEN 'quiet'
        WHEN last_hour >= 20 AND last_hour > 3 * coalesce(previous_hour, 0) THEN 'escalating'
        ELSE 'ongoing'
    END AS status,
    suspects.text AS suspect_change
FROM counted
CROSS JOIN clock
LEFT JOIN described USING (group_id)
LEFT JOIN lists USING (group_id)
LEFT JOIN recent USING (group_id)
LEFT JOIN decided USING (group_id)
LEFT JOIN suspects USING (group_id)
