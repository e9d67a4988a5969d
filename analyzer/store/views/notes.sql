-- What people wrote and decided about groups.
-- group_id: The group.
-- at: When (at is a reserved word: write "at").
-- author: Who.
-- state: open, resolved, muted; NULL: a note only.
-- note: The text.
SELECT group_id, noted_at AS "at", author, state, note
FROM store.notes
