-- Do the users of a group pass again? Users whose failures and whose later passing requests were noted, within bounds (docs/store.md).
-- group_id: Id of the group.
-- since: When it was resolved; of a group that is not: its latest failure.
-- users: Users with failures of this group, as distinct pseudonyms.
-- passing: Those of them that passed on a route of the group after that, and after their own latest failure.
-- failing: Those of them that failed so after that, in the last day, and did not pass since.
-- unseen: The others: neither passed nor failed on a route of the group.
-- sample: Up to five pseudonyms of those that pass again.
WITH clock AS (SELECT max(minute) AS newest FROM store.rollups),
ended AS (
    SELECT d.group_id, coalesce(any_value(decided_at) FILTER (state = 'resolved'), max(last_seen)) AS since
    FROM store.deltas AS d LEFT JOIN decisions ON decisions.group_id = d.group_id WHERE kind = 'group' GROUP BY d.group_id
),
members AS (
    SELECT DISTINCT group_id, value FROM store.deltas WHERE kind = 'member' AND name = 'user'
),
routes AS (
    SELECT DISTINCT group_id, value FROM store.deltas WHERE kind = 'member' AND name = 'route'
),
noted AS (
    SELECT name AS route, value AS user_hash, max(last_passed) AS passed_at FROM store.deltas WHERE kind = 'passed' GROUP BY ALL
),
failed AS (
    SELECT group_id, user_hash, max(event_time) AS failed_at
    FROM store.events
    WHERE event_time > (SELECT newest - INTERVAL 1 DAY FROM clock) AND group_id <> '' AND user_hash <> ''
    GROUP BY ALL
),
passed AS (
    SELECT u.group_id, u.value AS user_hash, max(passed_at) AS passed_at
    FROM members AS u
    JOIN noted ON noted.user_hash = u.value
    JOIN routes AS r ON r.group_id = u.group_id AND r.value = noted.route
    GROUP BY ALL
),
judged AS (
    SELECT u.group_id, since, u.value AS user_hash,
        coalesce(passed_at > since AND passed_at > coalesce(failed_at, since), false) AS passes,
        coalesce(failed_at > since, false) AND NOT passes AS fails
    FROM members AS u
    JOIN ended USING (group_id)
    LEFT JOIN passed ON passed.group_id = u.group_id AND passed.user_hash = u.value
    LEFT JOIN failed ON failed.group_id = u.group_id AND failed.user_hash = u.value
)
SELECT group_id, any_value(since) AS since, count(*) AS users, count(*) FILTER (passes) AS passing,
    count(*) FILTER (fails) AS failing, count(*) FILTER (NOT passes AND NOT fails) AS unseen,
    coalesce(list(user_hash ORDER BY user_hash) FILTER (passes), [])[1:5] AS sample
FROM judged
GROUP BY group_id
