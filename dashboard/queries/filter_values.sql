-- The most frequent values of every filter in the window, refused requests first.
WITH counted AS (
    SELECT gateway_instance AS instance, issuer, client_id AS client, route, cause, code,
        sum(requests) FILTER (outcome <> 'allowed') AS refused, sum(requests) AS requests
    FROM counts
    WHERE minute >= $since AND minute < $until AND $scope
    GROUP BY ALL
), listed AS (
    UNPIVOT counted ON instance, issuer, client, route, cause, code INTO NAME filter VALUE value
)
SELECT filter, if(value = '', '(none)', value) AS value
FROM listed
WHERE value <> '' OR filter NOT IN ('cause', 'code')
GROUP BY filter, value
QUALIFY row_number() OVER (PARTITION BY filter ORDER BY sum(refused) DESC NULLS LAST, sum(requests) DESC, value) <= 100
