-- Shapes of tokens, passing against failing: what differs is a lead.
-- issuer: Claim iss.
-- client_id: Client of the token.
-- token_kind: Form of the credential.
-- alg: JOSE alg.
-- typ: JOSE typ.
-- claim_names: Names of the claims, sorted.
-- passing: Passing requests in the sample (one in store.sample_allowed).
-- failing: Refused requests, all of them.
-- last_seen: Latest request.
SELECT issuer, client_id, token_kind, alg, typ, claim_names, sum(passing)::BIGINT AS passing,
    sum(failing)::BIGINT AS failing, max(last_seen) AS last_seen
FROM store.deltas
WHERE kind = 'shape'
GROUP BY ALL
