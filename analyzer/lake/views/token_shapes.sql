-- Shapes of tokens in allowed and refused requests; a difference between the two is a lead.
-- issuer: Claim iss.
-- client_id: Client id in the token.
-- token_kind: Form of the credential.
-- alg: JOSE header alg.
-- typ: JOSE header typ.
-- claim_names: Names of the claims, sorted.
-- passing: Allowed requests in the sample (one in store.sample_allowed).
-- failing: Refused requests, not sampled.
-- last_seen: Time of the latest request.
SELECT issuer, client_id, token_kind, alg, typ, claim_names, sum(passing)::BIGINT AS passing,
    sum(failing)::BIGINT AS failing, max(last_seen) AS last_seen
FROM store.deltas
WHERE kind = 'shape'
GROUP BY ALL
