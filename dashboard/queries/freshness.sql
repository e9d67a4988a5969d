-- traffic is by the minute; single events and positions say it to the second.
SELECT max(moment) AS newest
FROM (
    SELECT max(minute) AS moment FROM traffic
    UNION ALL SELECT max(observed_time) FROM failures WHERE event_time >= now() - INTERVAL 1 DAY
    UNION ALL SELECT max(updated_at) FROM positions
)
