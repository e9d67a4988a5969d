SELECT i.state, i.since, i.failures_60, i.users, i.group_id, g.title, g.assignee, g.code, g.merged_into
FROM impact AS i JOIN groups AS g USING (group_id)
WHERE i.gateway = '' AND i.group_id <> '' AND (? OR i.state NOT IN ('muted', 'archived', 'resolved', 'waiting'))
ORDER BY i.failures_60 DESC, i.failures_day DESC, i.group_id
LIMIT 200
