-- What this hour is usually like: the clock hour of the newest request, 1, 2, 3, 7, 14, 21 and 28 days earlier.
-- days_ago: How many days earlier; 7, 14, 21 and 28 are the same hour of the week.
-- hour: Start of the hour.
-- gateway: Kind of the gateway.
-- outcome: Result of the request: denied, allowed, error.
-- group_id: Id of the group; '' for allowed requests.
-- requests: Number of requests.
WITH clock AS (SELECT date_trunc('hour', max(minute)) AS hour FROM store.rollups),
-- One scan per hour: each reads only the files of its hour.
hours AS (
    SELECT 1 AS days_ago, gateway, outcome, group_id, requests FROM store.rollups
    WHERE minute >= (SELECT hour - INTERVAL 1 DAY FROM clock) AND minute < (SELECT hour - INTERVAL 23 HOUR FROM clock)
    UNION ALL
    SELECT 2, gateway, outcome, group_id, requests FROM store.rollups
    WHERE minute >= (SELECT hour - INTERVAL 2 DAY FROM clock) AND minute < (SELECT hour - INTERVAL 47 HOUR FROM clock)
    UNION ALL
    SELECT 3, gateway, outcome, group_id, requests FROM store.rollups
    WHERE minute >= (SELECT hour - INTERVAL 3 DAY FROM clock) AND minute < (SELECT hour - INTERVAL 71 HOUR FROM clock)
    UNION ALL
    SELECT 7, gateway, outcome, group_id, requests FROM store.rollups
    WHERE minute >= (SELECT hour - INTERVAL 7 DAY FROM clock) AND minute < (SELECT hour - INTERVAL 167 HOUR FROM clock)
    UNION ALL
    SELECT 14, gateway, outcome, group_id, requests FROM store.rollups
    WHERE minute >= (SELECT hour - INTERVAL 14 DAY FROM clock) AND minute < (SELECT hour - INTERVAL 335 HOUR FROM clock)
    UNION ALL
    SELECT 21, gateway, outcome, group_id, requests FROM store.rollups
    WHERE minute >= (SELECT hour - INTERVAL 21 DAY FROM clock) AND minute < (SELECT hour - INTERVAL 503 HOUR FROM clock)
    UNION ALL
    SELECT 28, gateway, outcome, group_id, requests FROM store.rollups
    WHERE minute >= (SELECT hour - INTERVAL 28 DAY FROM clock) AND minute < (SELECT hour - INTERVAL 671 HOUR FROM clock)
)
SELECT days_ago, hour - to_days(days_ago) AS hour, gateway, outcome, group_id, sum(requests)::BIGINT AS requests
FROM hours, clock
GROUP BY ALL
