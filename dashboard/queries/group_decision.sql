-- What was decided about the group, and about those that it was merged with.
SELECT * FROM decisions WHERE group_id = $group OR merged_into = $group
