SELECT * FROM groups WHERE group_id = ?
