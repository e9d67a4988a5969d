SELECT i.gateway, i.group_id, i.state, i.since, i.last_failed, i.above_usual, i.until, i.requests_1, i.requests_2, i.requests_5, i.requests_15,
    i.requests_60, i.failures_1, i.failures_2, i.failures_5, i.failures_15, i.failures_60, i.failures_day, i.usual, i.usual_from, i.users,
    i.clients, i.state AS status, i.failures_60 AS last_hour, g.title, g.cause, g.code, g.confidence, g.previous_hour, g.first_seen, g.last_seen, g.gateways, g.routes,
    g.suspect_change, g.evidence[1].says AS because, g.fix[1].says AS fix, g.assignee, g.merged_into
FROM impact AS i LEFT JOIN groups AS g USING (group_id)
WHERE $gateway IN ('', i.gateway)
ORDER BY i.group_id <> '', i.failures_60 DESC, i.failures_day DESC, i.group_id
LIMIT 2000
