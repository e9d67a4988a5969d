SELECT since, users, passing, failing, unseen, sample FROM recovery WHERE group_id = $group
