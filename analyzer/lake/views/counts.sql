-- Requests per minute and by everything that sums are kept of, not added up: rows may repeat, so use sum(requests). Faster than traffic and trend.
-- minute: Start of the minute.
-- gateway: Kind of the gateway.
-- gateway_instance: Instance of the gateway.
-- route: Route template.
-- issuer: Claim iss.
-- client_id: Client id in the token.
-- outcome: Result of the request: denied, allowed, error.
-- responder: Component that sent the response: edge, gateway, authorizer, upstream, unknown.
-- cause: Category of the code: issuer, format, library, gateway, policy, unknown; '' for allowed requests.
-- code: Cause of the refusal, as a code (docs/codes.md).
-- group_id: Id of the group: failures that one change would fix.
-- requests: Number of requests in this row.
SELECT minute, gateway, gateway_instance, route, issuer, client_id, outcome, responder, cause, code, group_id, requests
FROM store.rollups
