-- Requests per minute by outcome and diagnosis; passing requests too (outcome allowed, cause, code and group_id '').
-- minute: Start of the minute.
-- gateway: Kind of the gateway.
-- outcome: denied, allowed, error.
-- cause: Whose side it is on.
-- code: Why.
-- group_id: The failures that one change would fix.
-- requests: How many.
SELECT minute, gateway, outcome, cause, code, group_id, sum(requests)::BIGINT AS requests
FROM store.rollups
GROUP BY ALL
