SELECT noted_at, author, state, note, muted_until, next_release, assignee, merged_into
FROM notes
WHERE group_id = $group
ORDER BY noted_at DESC
LIMIT 100
