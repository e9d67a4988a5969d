SELECT group_id, dimension, value, share, passing_share
FROM shared
WHERE share >= 0.8
ORDER BY group_id, dimension
LIMIT 20000
