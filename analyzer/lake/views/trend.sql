-- Requests per minute by outcome and diagnosis, allowed requests included (their cause, code and group_id are '').
-- minute: Start of the minute.
-- gateway: Kind of the gateway.
-- outcome: Result of the request: denied, allowed, error.
-- cause: Category of the code: issuer, format, library, gateway, policy, unknown.
-- code: Cause of the refusal, as a code (docs/codes.md).
-- group_id: Id of the group: failures that one change would fix.
-- requests: Number of requests.
SELECT minute, gateway, outcome, cause, code, group_id, sum(requests)::BIGINT AS requests
FROM store.rollups
GROUP BY ALL
