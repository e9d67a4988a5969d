-- The newest refusals after a moment of arrival, oldest first. $1: observed_time, $2: how many.
SELECT * FROM (
    SELECT observed_time, event_time, code, cause, confidence, status, gateway, method, route, title, group_id,
           evidence[1].says AS says
    FROM failures
    WHERE observed_time > CASE WHEN $1 = 'epoch' THEN TIMESTAMPTZ '1970-01-01' ELSE CAST($1 AS TIMESTAMPTZ) END
    ORDER BY observed_time DESC
    LIMIT $2
) ORDER BY observed_time
