SELECT count(DISTINCT nullif(user_hash, '')) AS users, count(DISTINCT nullif(client_id, '')) AS clients
FROM failures
WHERE event_time >= $since AND group_id IN (SELECT unnest(string_split($groups, ' ')))
    AND ($gateway = '' OR gateway = $gateway)
