-- One row per refused request (denied) or failed authentication step (error). Unknown text is '', unknown numbers are NULL.
-- event_time: Time of the request by the gateway's clock; time of arrival if that clock was more than 5 minutes ahead.
-- observed_time: Time when the collector received the record.
-- gateway: Kind of the gateway: envoy, kong, nginx…
-- gateway_instance: Instance of the gateway.
-- gateway_version: Version of the gateway.
-- method: HTTP method.
-- route: Route template, with ids replaced.
-- host: Host or authority.
-- status: HTTP status of the response.
-- outcome: denied; error: the authentication step itself failed.
-- responder: Component that sent the response: edge, gateway, authorizer, upstream, unknown.
-- code: Cause of the refusal, as a code (docs/codes.md).
-- cause: Category of the code: issuer, format, library, gateway, policy, unknown.
-- confidence: Confidence in the code, 0 to 1.
-- group_id: Id of the group: failures that one change would fix.
-- title: The diagnosis in one line.
-- near_miss: How a received value differs from a nearly identical expected one.
-- library: Library that validates the token, when known.
-- also: Codes of later checks that would fail as well.
-- evidence: Verified facts behind the code, each with its source.
-- rivals: Codes that were ruled out, each with the reason.
-- missing: Facts that would confirm the diagnosis.
-- fix: What to change, with its source.
-- client_address: Network of the client, /24 or /48.
-- user_agent: Family of the user agent.
-- trace_id: W3C trace id.
-- request_id: Request id of the gateway.
-- reason: Machine-readable reason from the gateway or library, redacted.
-- message: Error message from the gateway or library, redacted.
-- challenge: WWW-Authenticate header of the response, redacted.
-- flags: Response flags or termination state, as the gateway logs them.
-- body_bytes: Length of the response body in bytes.
-- upstream_status: HTTP status of the upstream, if the request reached it.
-- token_kind: Form of the credential: jws, jwe, unsigned, opaque, malformed, redacted, absent, unknown.
-- scheme: Authentication scheme as sent.
-- location: Where the credential was sent: authorization, query:…, cookie:…, header:…
-- credentials: Number of credentials in the request.
-- token_size: Length of the token in characters.
-- parts: Length of each part of the token in characters.
-- signature_bytes: Length of the signature in bytes.
-- alg: JOSE header alg.
-- typ: JOSE header typ.
-- kid: JOSE header kid.
-- issuer: Claim iss.
-- audiences: Claim aud.
-- client_id: Claim azp, client_id, appid or cid.
-- scopes: Scopes of the token.
-- claims: Names of the claims with their JSON types; never their values.
-- anomalies: Irregularities in the format: doubled Bearer, quotes, padding…
-- verification: Result of why401's own check against the configured issuers.
-- user_hash: Keyed pseudonym of the user (HMAC).
-- key_epoch: Epoch of the pseudonym key; pseudonyms from different epochs cannot be joined.
-- iat_offset_s: Claim iat, in seconds relative to the request.
-- nbf_offset_s: Claim nbf, in seconds relative to the request.
-- exp_offset_s: Claim exp, in seconds relative to the request; negative: the token had expired.
-- origin_kind: Source of the raw record: kafka, otlp, loki, splunk_hec, syslog, file, argument.
-- origin_source: Topic, peer or path of the raw record.
-- origin_partition: Partition of the raw record.
-- origin_offset: Offset of the raw record.
-- expected: Value that the gateway expects, where the code is about one: an issuer, audience, algorithm or scope, or the claim that is missing.
-- received: Value that came in its place.
-- missing_scope: Scopes that the token lacks, separated by spaces.
-- client_version: Version of the calling application, from X-Client-Version, X-App-Version or its own user agent; at most three numbers.
-- user_agent_version: Version of the user agent, at most three numbers; of a browser the first.
SELECT
    event_time, observed_time, gateway, gateway_instance, gateway_version, method, route, host, status, outcome,
    responder, code, cause, confidence, group_id, title, near_miss, library, also, evidence, rivals, missing, fix,
    client_address, user_agent, trace_id, request_id, reason, message, challenge, flags, body_bytes, upstream_status,
    token_kind, scheme, location, credentials, token_size, parts, signature_bytes, alg, typ, kid, issuer, audiences,
    client_id, scopes, claims, anomalies, verification, user_hash, key_epoch, iat_offset_s, nbf_offset_s,
    exp_offset_s, origin_kind, origin_source, origin_partition, origin_offset,
    coalesce(expected, '') AS expected, coalesce(received, '') AS received, coalesce(missing_scope, '') AS missing_scope,
    coalesce(client_version, '') AS client_version, coalesce(user_agent_version, '') AS user_agent_version
FROM store.events
WHERE outcome IN ('denied', 'error')
