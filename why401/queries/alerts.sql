SELECT alert_id, rule, severity, state, since, opened_at, resolved_at, title, says, sent_to, failures
FROM alerts
WHERE $1 OR state <> 'resolved' OR resolved_at > now() - INTERVAL 1 DAY
ORDER BY state = 'resolved', opened_at DESC
LIMIT 200
