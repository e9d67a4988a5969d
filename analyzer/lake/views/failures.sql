-- One row per refused request (denied) and per failed authentication step (error). Text is '' and numbers are NULL when unknown.
-- event_time: When the request was made, by the gateway's clock; the arrival when that clock was more than 5 minutes ahead.
-- observed_time: When the collector took the record.
-- gateway: Kind of the gateway: envoy, kong, nginx…
-- gateway_instance: Instance of the gateway.
-- gateway_version: Version of the gateway.
-- method: HTTP method.
-- route: Route template, ids replaced.
-- host: Host or authority.
-- status: HTTP status of the answer.
-- outcome: denied, or error: the authentication step itself failed.
-- responder: Who wrote the answer: edge, gateway, authorizer, upstream, unknown.
-- code: Why, as a code of the taxonomy.
-- cause: Whose side it is on: issuer, format, library, gateway, policy, unknown.
-- confidence: Of the code, 0 to 1.
-- group_id: The failures that one change would fix.
-- title: The diagnosis in one line.
-- near_miss: How two values differ that nearly agree.
-- library: The verifying library, when known.
-- also: Codes of later checks that would fail next.
-- evidence: Checked facts behind the code, each with its source.
-- rivals: Codes that had evidence too, and why they lost.
-- missing: Facts that would settle what is unsure.
-- fix: What to change, with its source.
-- client_address: Network of the client, /24 or /48.
-- user_agent: Family of the user agent.
-- trace_id: W3C trace id.
-- request_id: Request id of the gateway.
-- reason: The verifier's machine-readable word, redacted.
-- message: The verifier's sentence, redacted.
-- challenge: WWW-Authenticate of the answer, redacted.
-- flags: Response flags or termination state.
-- body_bytes: Length of the response body.
-- upstream_status: Status of the upstream, when it was asked.
-- token_kind: Form of the credential: jws, jwe, unsigned, opaque, malformed, redacted, absent, unknown.
-- scheme: Authentication scheme as sent.
-- location: Where the credential stood: authorization, query:…, cookie:…, header:…
-- credentials: How many credentials came.
-- token_size: Characters of the token.
-- parts: Characters of each of its parts.
-- signature_bytes: Length of the signature.
-- alg: JOSE alg.
-- typ: JOSE typ.
-- kid: JOSE kid.
-- issuer: Claim iss.
-- audiences: Claim aud.
-- client_id: Claim azp, client_id, appid or cid.
-- scopes: Scopes of the token.
-- claims: Names of the claims with their JSON types; never their values.
-- anomalies: Oddities of the form: doubled Bearer, quotes, padding…
-- verification: Our own check against the configured issuers.
-- user_hash: Keyed pseudonym of the user.
-- key_epoch: Epoch of the pseudonym key; pseudonyms of different epochs do not join.
-- iat_offset_s: Claim iat, seconds from the request.
-- nbf_offset_s: Claim nbf, seconds from the request.
-- exp_offset_s: Claim exp, seconds from the request; negative had expired.
-- origin_kind: kafka, otlp, file, argument.
-- origin_source: Topic, peer or path.
-- origin_partition: Partition of the raw record.
-- origin_offset: Offset of the raw record.
SELECT
    event_time, observed_time, gateway, gateway_instance, gateway_version, method, route, host, status, outcome,
    responder, code, cause, confidence, group_id, title, near_miss, library, also, evidence, rivals, missing, fix,
    client_address, user_agent, trace_id, request_id, reason, message, challenge, flags, body_bytes, upstream_status,
    token_kind, scheme, location, credentials, token_size, parts, signature_bytes, alg, typ, kid, issuer, audiences,
    client_id, scopes, claims, anomalies, verification, user_hash, key_epoch, iat_offset_s, nbf_offset_s,
    exp_offset_s, origin_kind, origin_source, origin_partition, origin_offset
FROM store.events
WHERE outcome IN ('denied', 'error')
