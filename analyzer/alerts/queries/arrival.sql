SELECT max(minute) + INTERVAL 1 MINUTE AS until,
    (SELECT max(minute) FROM pipeline WHERE counter = 'received' AND minute > $now - INTERVAL 1 DAY) AS received
FROM counts
