-- Requests per minute by gateway, route, issuer and client. '(other)' replaces values beyond the bounds in docs/store.md.
-- minute: Start of the minute.
-- gateway: Kind of the gateway.
-- gateway_instance: Instance of the gateway.
-- route: Route template.
-- issuer: Claim iss.
-- client_id: Client id in the token.
-- outcome: Result of the request: denied, allowed, error.
-- responder: Component that sent the response: edge, gateway, authorizer, upstream, unknown.
-- requests: Number of requests.
SELECT minute, gateway, gateway_instance, route, issuer, client_id, outcome, responder, sum(requests)::BIGINT AS requests
FROM store.rollups
GROUP BY ALL
