SELECT * FROM decisions WHERE group_id = $group
