-- Requests per minute by who asked whom. '(other)' stands for values beyond the limits of docs/store.md.
-- minute: Start of the minute.
-- gateway: Kind of the gateway.
-- gateway_instance: Instance of the gateway.
-- route: Route template.
-- issuer: Claim iss.
-- client_id: Client of the token.
-- outcome: denied, allowed, error.
-- responder: Who wrote the answer.
-- requests: How many.
SELECT minute, gateway, gateway_instance, route, issuer, client_id, outcome, responder, sum(requests)::BIGINT AS requests
FROM store.rollups
GROUP BY ALL
