SELECT noted_at, author, state, note, muted_until, next_release, assignee, merged_into
FROM notes
WHERE group_id = ?
ORDER BY noted_at
LIMIT 1000
