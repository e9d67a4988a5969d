-- The failure groups that contain any of the pseudonyms, those with the most failures first. $1: pseudonyms.
-- Failures are counted while their events are retained; a group with older ones only has no number.
WITH asked AS (SELECT unnest($1::VARCHAR[]) AS pseudonym),
kept AS (
    SELECT group_id, count(*) AS failures, min(event_time) AS since, list(DISTINCT user_hash) AS pseudonyms
    FROM store.events
    WHERE outcome IN ('denied', 'error') AND user_hash IN (SELECT pseudonym FROM asked)
    GROUP BY group_id
),
remembered AS (
    SELECT group_id, list(DISTINCT value) AS pseudonyms
    FROM store.deltas
    WHERE kind = 'member' AND name = 'user' AND value IN (SELECT pseudonym FROM asked)
    GROUP BY group_id
)
SELECT group_id, kept.failures, kept.since, coalesce(kept.pseudonyms, remembered.pseudonyms) AS pseudonyms,
    coalesce(groups.title, '') AS title, coalesce(if(groups.state = 'open', groups.status, groups.state), '') AS state
FROM kept FULL JOIN remembered USING (group_id)
LEFT JOIN groups USING (group_id)
ORDER BY kept.failures DESC NULLS LAST, group_id
LIMIT 1000
