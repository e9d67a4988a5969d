SELECT topic, partition, next, updated_at
FROM positions
ORDER BY updated_at, topic, partition
LIMIT 500
