-- What the gateway expects and what came in its place, the most frequent pairs first; where nothing is known to be expected, there is nothing to compare.
SELECT expected, received, missing_scope, count(*) AS failures, count(*) / sum(count(*)) OVER () AS share
FROM failures
WHERE group_id = $group AND event_time >= $since AND event_time < $until AND expected || missing_scope <> ''
GROUP BY expected, received, missing_scope
ORDER BY failures DESC, expected, received, missing_scope
LIMIT 3
