-- What people wrote and decided about groups.
-- group_id: The group.
-- noted_at: When.
-- author: Who.
-- state: open, resolved, muted; NULL: a note only.
-- note: The text.
SELECT group_id, noted_at, author, state, note
FROM store.notes
