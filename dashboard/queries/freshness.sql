-- counts are by the minute, and their newest is found without reading them; single events and positions say it to the second.
WITH newest AS (SELECT max(minute) AS minute FROM counts)
SELECT max(moment) AS newest
FROM (
    SELECT minute AS moment FROM newest
    UNION ALL SELECT max(observed_time) FROM failures WHERE event_time >= (SELECT minute FROM newest)
    UNION ALL SELECT max(updated_at) FROM positions
)
