-- Notes and decisions of people about groups; rows are only ever added.
-- group_id: Id of the group.
-- noted_at: Time of the note.
-- author: Person who wrote it.
-- state: State that it sets: open, resolved, muted; NULL: a note only.
-- note: Text of the note.
SELECT group_id, noted_at, author, state, note
FROM store.notes
