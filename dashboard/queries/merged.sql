SELECT group_id, title FROM groups WHERE merged_into = $group AND group_id <> $group ORDER BY failures DESC, group_id LIMIT 50
