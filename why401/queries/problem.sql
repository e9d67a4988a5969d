SELECT g.group_id, g.title, g.code, g.status, g.state, g.failures, g.first_seen, g.last_seen, d.* EXCLUDE (group_id, state),
    r.users AS users_known, r.passing, r.failing, r.unseen
FROM groups AS g LEFT JOIN decisions AS d ON d.group_id = g.group_id LEFT JOIN recovery AS r ON r.group_id = g.group_id
WHERE g.group_id = ?
