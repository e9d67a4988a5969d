-- The problems that requests of this window and these filters belong to.
SELECT DISTINCT group_id
FROM counts
WHERE minute >= $since AND minute < $until AND outcome <> 'allowed' AND group_id <> '' AND $scope
LIMIT 10000
