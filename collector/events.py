"""The event: the contract between collector and analyzer. No field can hold a token; every text in it is `Safe`.

An event says what one request was, what the verifier said of it and what shape its credential had.
It is JSON on Kafka (`to_json`, `from_json`) and a frozen dataclass in memory; names follow the
OpenTelemetry semantic conventions where they exist (docs/event.md).

`TokenFacts`, `Words` and `Gateway` do not depend on the moment of the request, so one object serves
every request that carries the same token; what does depend on it, the distance of iat, nbf and exp
from the event's time, is in `TokenTimes`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any, Final, get_type_hints

import orjson
from msgspec import Struct, to_builtins
from msgspec.json import Encoder

from collector.safe import EMPTY, Safe
from collector.structs import Dataclass

SCHEMA_VERSION: Final = 1
Read = Callable[[Any], Any]  # a JSON value in, a field's value out; raises TypeError or ValueError
LOGIN_REDIRECT: Final = "redirect to the login page"  # `words.reason` of a record that shows one and gives no other
_INT64: Final = 1 << 63
FUTURE_NS: Final = 300 * 10**9  # a gateway clock further ahead would move the data's "now" and end every group
_LATEST_NS: Final = 4_102_444_800 * 10**9  # 2100-01-01: beyond it a time is garbage

# Field of a group -> key on the wire. OpenTelemetry semantic conventions 1.44 where a name exists,
# else the flat namespaces of docs/event.md. Frozen with SCHEMA_VERSION: add, never rename.
_WIRE: Final[dict[str, dict[str, str]]] = {
    "origin": {
        "kind": "why401.origin.kind",
        "source": "why401.origin.source",
        "partition": "why401.origin.partition",
        "offset": "why401.origin.offset",
        "index": "why401.origin.index",
    },
    "gateway": {"kind": "gateway.name", "instance": "service.instance.id", "version": "service.version"},
    "request": {
        "method": "http.request.method",
        "route": "http.route",
        "host": "server.address",
        "status": "http.response.status_code",
        "trace_id": "trace_id",
        "request_id": "http.request.id",
        "client": "client.address",
        "user_agent": "user_agent.name",
        "user_agent_version": "user_agent.version",
        "client_version": "client.version",
        "span_id": "span_id",
    },
    "words": {
        "reason": "gateway.raw_reason",
        "message": "exception.message",
        "challenge": "http.response.header.www-authenticate",
        "flags": "gateway.response_flags",
        "body_bytes": "http.response.body.size",
        "upstream_status": "gateway.upstream.status_code",
    },
    "token": {
        "kind": "token.kind",
        "scheme": "token.scheme",
        "location": "token.location",
        "credentials": "token.credentials",
        "size": "token.size",
        "parts": "token.segments",
        "signature_bytes": "token.sig_len",
        "alg": "token.alg",
        "typ": "token.typ",
        "cty": "token.cty",
        "kid": "token.kid",
        "enc": "token.enc",
        "zip": "token.zip",
        "crit": "token.crit",
        "header_names": "token.header_names",
        "iss": "token.iss",
        "aud": "token.aud",
        "client": "token.client_id",
        "scopes": "token.scopes",
        "token_use": "token.use",
        "cnf": "token.cnf",
        "claims": "token.claims",
        "faults": "token.faults",
        "anomalies": "token.anomalies",
        "verification": "token.verification",
        "verified_by": "token.verified_by",
        "user": "user.hash",
        "key_epoch": "why401.key_epoch",
    },
    "times": {
        "iat_s": "token.iat_offset_s",
        "nbf_s": "token.nbf_offset_s",
        "exp_s": "token.exp_offset_s",
        "auth_time_s": "token.auth_time_offset_s",
    },
}


class Outcome(StrEnum):
    """What became of the request."""

    DENIED = "denied"
    ALLOWED = "allowed"
    ERROR = "error"  # the authentication step itself failed; the gateway answered 5xx
    UNREAD = "unread"  # no parser knew the record: words.reason says why, words.message is its redacted template


class Responder(StrEnum):
    """Who wrote the answer that the client saw."""

    EDGE = "edge"
    GATEWAY = "gateway"
    AUTHORIZER = "authorizer"
    UPSTREAM = "upstream"
    UNKNOWN = "unknown"


class TokenKind(StrEnum):
    """What the credential is, by its form alone."""

    JWS = "jws"
    JWE = "jwe"
    UNSIGNED = "unsigned"
    OPAQUE = "opaque"
    MALFORMED = "malformed"
    REDACTED = "redacted"  # arrived without its secret parts: claims as JSON, a signature cut off
    ABSENT = "absent"  # the record shows the place where it would stand, and it is empty
    UNKNOWN = "unknown"  # the record does not show credentials at all


class Verification(StrEnum):
    """The collector's own check against the *configured* issuers, never against the token's word."""

    VERIFIED = "verified"
    BAD_SIGNATURE = "bad_signature"
    NO_KEY = "no_key"
    KEY_MISMATCH = "key_mismatch"
    KEYS_INVALID = "keys_invalid"  # the configured key set arrived and holds no usable key
    KEYS_UNREACHABLE = "keys_unreachable"  # the configured key set could not be fetched by us either
    NOT_CHECKED = "not_checked"


class Origin(Dataclass, Struct, frozen=True, gc=False, omit_defaults=True, rename=_WIRE["origin"]):
    """Where the raw record came from; (source, partition, offset, index) is unique for Kafka."""

    kind: Safe  # kafka, otlp, loki, splunk_hec, syslog, file, s3, cloudwatch, pubsub, argument
    source: Safe = EMPTY  # topic, peer or path
    partition: int = -1
    offset: int = -1
    index: int = 0  # of the record within its Kafka message, which may hold several


class Gateway(Dataclass, Struct, frozen=True, gc=False, cache_hash=True, omit_defaults=True, rename=_WIRE["gateway"]):
    """The gateway that wrote the record."""

    kind: Safe
    instance: Safe = EMPTY
    version: Safe = EMPTY


class Request(Dataclass, Struct, frozen=True, gc=False, omit_defaults=True, rename=_WIRE["request"]):
    """The request as far as it is safe: no query string, no user, a truncated address."""

    method: Safe = EMPTY
    route: Safe = EMPTY  # template: ids replaced, at most 8 segments
    host: Safe = EMPTY
    status: int = 0
    trace_id: Safe = EMPTY
    request_id: Safe = EMPTY
    client: Safe = EMPTY  # /24 or /48 network
    user_agent: Safe = EMPTY  # family only
    user_agent_version: Safe = EMPTY  # numbers only, at most three
    client_version: Safe = EMPTY  # of the calling application, when it says so; the same form
    span_id: Safe = EMPTY  # in which the record was written, when it came over OTLP


class Words(Dataclass, Struct, frozen=True, gc=False, cache_hash=True, omit_defaults=True, rename=_WIRE["words"]):
    """What the verifier said, redacted."""

    reason: Safe = EMPTY  # a machine's word: RESPONSE_CODE_DETAILS, an error code, a termination state
    message: Safe = EMPTY  # a sentence for people: an error log's message, a library's exception
    challenge: Safe = EMPTY  # WWW-Authenticate
    flags: Safe = EMPTY  # response flags, termination state
    body_bytes: int = -1  # length of the response body; Envoy's identifies its text
    upstream_status: int = 0

    def __bool__(self) -> bool:
        return bool(self.reason or self.message or self.challenge)


class TokenTimes(Dataclass, Struct, frozen=True, gc=False, omit_defaults=True, rename=_WIRE["times"]):
    """Seconds from the event's time; negative lies in the past, None is absent or not a number."""

    iat_s: float | None = None
    nbf_s: float | None = None
    exp_s: float | None = None
    auth_time_s: float | None = None


NO_TIMES: Final = TokenTimes()


class TokenFacts(Dataclass, Struct, frozen=True, gc=False, cache_hash=True, omit_defaults=True, rename=_WIRE["token"]):
    """The shape of a credential. Lengths are characters of the compact form."""

    kind: TokenKind = TokenKind.UNKNOWN
    scheme: Safe = EMPTY  # the word before the token as sent, when it is a known scheme; else "other"
    location: Safe = EMPTY  # authorization, query:access_token, cookie:session, header:x-token, message
    credentials: int = 0  # how many were sent
    size: int = 0
    parts: tuple[int, ...] = ()
    signature_bytes: int = -1
    alg: Safe = EMPTY
    typ: Safe = EMPTY
    cty: Safe = EMPTY
    kid: Safe = EMPTY
    enc: Safe = EMPTY
    zip: Safe = EMPTY
    crit: tuple[Safe, ...] = ()
    header_names: tuple[Safe, ...] = ()
    iss: Safe = EMPTY
    aud: tuple[Safe, ...] = ()
    client: Safe = EMPTY  # azp, client_id, appid or cid
    scopes: tuple[Safe, ...] = ()
    token_use: Safe = EMPTY
    cnf: Safe = EMPTY  # jkt, x5t#S256, jwk
    claims: tuple[tuple[Safe, Safe], ...] = ()  # (name, JSON type) in the token's order
    faults: tuple[tuple[Safe, Safe], ...] = ()  # (claim, what is wrong with its value)
    anomalies: tuple[Safe, ...] = ()  # of the closed set in collector/token/facts.py
    verification: Verification = Verification.NOT_CHECKED
    verified_by: Safe = EMPTY  # the configured issuer whose keys were tried
    user: Safe = EMPTY  # keyed pseudonym of the user claim; never the value
    key_epoch: int = 0

    def claim_type(self, name: str) -> str:
        """JSON type of a claim (`string`, `integer`, `number`, `boolean`, `array`, `object`, `null`), "" when absent."""
        for claim, kind in self.claims:  # a loop: rules ask some twenty times per token
            if claim == name:
                return kind
        return ""


class Event(Dataclass, Struct, frozen=True, gc=False):
    """One request at one gateway."""

    time_ns: int
    observed_ns: int
    origin: Origin
    gateway: Gateway
    outcome: Outcome
    responder: Responder = Responder.UNKNOWN
    request: Request = Request()
    words: Words = Words()
    token: TokenFacts = TokenFacts()
    times: TokenTimes = NO_TIMES
    time_known: bool = True  # False: the record had no time and time_ns is the arrival
    zone_known: bool = True  # False: the record's time has no zone and was taken for UTC
    redactions: tuple[tuple[Safe, int], ...] = ()
    schema: int = SCHEMA_VERSION


def arrival_ns(observed_ns: int) -> int:
    """Nanoseconds of an arrival, forced into what the store can hold."""
    return min(max(observed_ns, 0), _LATEST_NS)


def moment_us(time_ns: int, observed_ns: int) -> int:
    """Microseconds of a request; of its arrival when the gateway's clock cannot be right.

    >>> moment_us(2_000, 1_000), moment_us(10**18, 5_000)
    (2, 5)
    """
    arrived = arrival_ns(observed_ns)
    return (time_ns if 0 < time_ns <= arrived + FUTURE_NS else arrived) // 1000


_TOP: Final[dict[str, str]] = {
    "schema": "why401.schema",
    "time_ns": "time_unix_nano",
    "observed_ns": "observed_time_unix_nano",
    "time_known": "why401.time_known",
    "zone_known": "why401.zone_known",
    "outcome": "authfail.outcome",
    "responder": "authfail.responder",
    "redactions": "why401.redactions",
}
_TYPES: Final[dict[str, Any]] = {
    "origin": Origin,
    "gateway": Gateway,
    "request": Request,
    "words": Words,
    "token": TokenFacts,
    "times": TokenTimes,
}
_OPTIONAL: Final = ("zone_known",)  # of _TOP: added later, and left out where it is True
_TOP_VALUES: Final[Callable[[Event], tuple[Any, ...]]] = attrgetter(*_TOP)
_GROUPS: Final[Callable[[Event], tuple[Any, ...]]] = attrgetter(*_WIRE)
_ENCODE: Final = Encoder().encode


class EventDecodeError(ValueError):
    """Bytes on the event topic are not an event of a known schema."""

    def __init__(self, why: str) -> None:
        super().__init__(f"not a why401 event: {why}")
        self.why = why


def to_mapping(event: Event) -> dict[str, Any]:
    """The event as flat attributes; fields at their default are left out."""
    out = _top(event)
    for group in _GROUPS(event):
        out.update(to_builtins(group))
    return out


def _top(event: Event) -> dict[str, Any]:
    out: dict[str, Any] = dict(zip(_TOP.values(), _TOP_VALUES(event), strict=True))
    if event.zone_known:
        del out[_TOP["zone_known"]]
    return out


def to_json(event: Event) -> bytes:
    """The mapping as one line of JSON, without the line's end."""
    objects = (orjson.dumps(_top(event)), *map(_ENCODE, _GROUPS(event)))
    return b"{" + b",".join([each[1:-1] for each in objects if len(each) > 2]) + b"}"  # an empty one is "{}"


def from_json(data: bytes | str) -> Event:
    """The inverse of `to_json`. Raises EventDecodeError; unknown keys of a later minor version are ignored."""
    try:
        raw = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise EventDecodeError(str(error)) from None
    if not isinstance(raw, dict):
        raise EventDecodeError("not a JSON object")
    if raw.get("why401.schema") != SCHEMA_VERSION:
        raise EventDecodeError(f"schema {raw.get('why401.schema')!r}, this version reads {SCHEMA_VERSION}")
    try:
        return _from_mapping(raw)
    except (KeyError, TypeError, ValueError) as error:
        raise EventDecodeError(f"{type(error).__name__}: {error}") from None


def _from_mapping(raw: dict[str, Any]) -> Event:
    groups = {group: _group_from(raw, group, keys) for group, keys in _WIRE.items()}
    top = {name: _READ[key](raw[key]) for name, key in _TOP.items() if key in raw or name not in _OPTIONAL}
    return Event(**top, **groups)


def _group_from(raw: dict[str, Any], group: str, keys: dict[str, str]) -> Any:
    present = {name: _READ[key](raw[key]) for name, key in keys.items() if key in raw}
    return _TYPES[group](**present)


# Whoever can write to the event topic must not be able to stop the analyzer: a value of another type is refused.
def _exactly(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, not {type(value).__name__}")
    return value


def _integer(value: Any) -> int:
    if type(value) is not int or not -_INT64 <= value < _INT64:
        raise TypeError("expected a 64-bit integer")
    return value


def _seconds(value: Any) -> float | None:
    if value is not None and type(value) not in (float, int):
        raise TypeError("expected a number of seconds or null")
    return value  # type: ignore[no-any-return]


def _each(read: Read, value: Any) -> tuple[Any, ...]:
    return tuple([read(item) for item in _exactly(list, value)])


def trusted(value: Any) -> Safe:
    """Text of an event on the event topic, which redaction made before it was written. For the decoder alone."""
    if type(value) is str:
        return value  # type: ignore[return-value]  # `Safe(value)` would double the price, thirty times an event
    raise TypeError(f"expected str, not {type(value).__name__}")


def _pair(second: Read, value: Any) -> tuple[Safe, Any]:
    one, two = _exactly(list, value)
    return trusted(one), second(two)


_READERS: Final[dict[Any, Read]] = {
    Safe: trusted,
    int: _integer,
    bool: partial(_exactly, bool),
    float | None: _seconds,
    tuple[Safe, ...]: partial(_each, trusted),
    tuple[int, ...]: partial(_each, _integer),
    tuple[tuple[Safe, Safe], ...]: partial(_each, partial(_pair, trusted)),
    tuple[tuple[Safe, int], ...]: partial(_each, partial(_pair, _integer)),
}


def _readers(cls: type, keys: dict[str, str]) -> dict[str, Read]:
    hints = get_type_hints(cls)
    return {key: _READERS.get(hints[name], hints[name]) for name, key in keys.items()}  # an enum reads itself


# Key on the wire -> what makes the field's value of it, or raises TypeError or ValueError.
_READ: Final[dict[str, Read]] = _readers(Event, _TOP) | {
    key: read for group, keys in _WIRE.items() for key, read in _readers(_TYPES[group], keys).items()
}


@lru_cache(maxsize=4096)
def gateway(kind: Safe, instance: Safe = EMPTY, version: Safe = EMPTY) -> Gateway:
    """A shared Gateway; there are few, and every event needs one."""
    return Gateway(kind=kind, instance=instance, version=version)
