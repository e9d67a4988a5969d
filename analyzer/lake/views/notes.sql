-- Notes and decisions of people about groups, the audit trail; rows are only ever added. The view `decisions` has what counts.
-- group_id: Id of the group.
-- noted_at: Time of the note.
-- author: Person who wrote it.
-- state: State that it sets: open, resolved, muted, archived; NULL: it leaves the state.
-- note: Text of the note.
-- muted_until: End of a mute; NULL: for good.
-- next_release: A resolution that counts from the next release on.
-- assignee: Person whose task it becomes; '' is nobody, NULL leaves it.
-- merged_into: Group that it becomes one with; its own id: never shown as one with others; '': neither; NULL leaves it.
SELECT group_id, noted_at, author, state, note, muted_until, next_release, assignee, merged_into
FROM store.notes
