SELECT group_id, status, state, cause, code, title, confidence, failures, last_hour, previous_hour, first_seen, last_seen,
    gateways, routes, clients, users, suspect_change, evidence[1].says AS because, assignee
FROM groups
-- A group that failed again after it was resolved is shown as an open one; its status says so.
WHERE CASE $state WHEN 'all' THEN true WHEN 'open' THEN state = 'open' OR status = 'regressed' ELSE state = $state END AND last_seen >= $since AND first_seen < $until AND ($gateway = '' OR list_contains(gateways, $gateway))
ORDER BY
    CASE status WHEN 'new' THEN 0 WHEN 'regressed' THEN 1 WHEN 'escalating' THEN 2 WHEN 'ongoing' THEN 3 ELSE 4 END,
    last_hour DESC, failures DESC, group_id
LIMIT 200
