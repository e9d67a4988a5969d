"""Raw record in, event out: peel, parse, read the credential, verify, redact. One record is exactly one event.

A record that becomes no request still becomes an event, with outcome `unread` and its reason, so that
received == stored + dropped can be read from the store itself.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from hashlib import blake2b
from operator import attrgetter
from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from collector import outcomes
from collector.counted import Counts, Kind, is_accepted, nobodys
from collector.errors import UnreadableRecord
from collector.events import (
    LOGIN_REDIRECT,
    NO_TIMES,
    Event,
    Gateway,
    Outcome,
    Request,
    Responder,
    TokenFacts,
    TokenKind,
    TokenTimes,
    Verification,
    Words,
)
from collector.gateways import NotAdmitted, NotAuth, is_general, with_formats
from collector.gateways.generic import unknown
from collector.gateways.reading.scan import has_any
from collector.gateways.reading.times import WallClock
from collector.joining.halves import Line, line_of
from collector.records import Parsed, RawRecord
from collector.redaction import fixed, request_facts, safe, safe_id, safe_text, shared_cost, template
from collector.redaction.pseudonyms import Pseudonyms
from collector.safe import EMPTY, FAILED, JOINED, UNREADABLE, Safe
from collector.settings import IssuerSettings, Settings
from collector.shippers import inner_records, peel
from collector.structs import Unshown
from collector.telemetry import Telemetry
from collector.token.credentials import AUTHORIZATION, Credential, find_credentials, is_redacted, raw_places
from collector.token.facts import MAX_TOKEN_CHARS, TokenRead, read_claims_only, read_token
from collector.token.issuer_names import IssuerNames
from collector.token.verification import NOT_CHECKED, Verifier

Made = TypeVar("Made")
CACHE_TOKENS: Final = 20_000  # distinct tokens whose facts are kept: about 40 MB, an hour of a busy gateway's callers
CACHE_WORDS: Final = 5_000
MAX_MESSAGE: Final = 2_000
MAX_INSTANCE: Final = 300  # characters that are read of one; 100 are shown
MAX_AGENT: Final = 300
MAX_PATH: Final = 2_000
_JSON_STARTS: Final = ("{", "[{", '["', "[[")
_EMPTY_RECORD: Final = fixed("empty")
_NO_PARSER: Final = fixed("no_parser")
_BROKEN_JSON: Final = fixed("broken_json")
_NOT_AUTH: Final = fixed("not_auth")
_NOT_ADMITTED: Final = fixed("not_admitted")
UNREAD_REASONS: Final = (
    JOINED, _EMPTY_RECORD, _NO_PARSER, _BROKEN_JSON, UNREADABLE, _NOT_AUTH, _NOT_ADMITTED, fixed("too_large"), FAILED,
)  # fmt: skip
_ABSENT: Final = TokenFacts(kind=TokenKind.ABSENT, location=AUTHORIZATION)
_UNKNOWN: Final = TokenFacts()
_IN_MESSAGE: Final = fixed("message")
_SEVERAL: Final = fixed("several")
_ASKED: Final = attrgetter(
    "method", "path", "route", "host", "status", "trace_id", "request_id", "client", "user_agent", "headers"
)  # what a request is made of
_NO_REQUEST: Final = Request()
_TOKEN_START: Final = ("eyJ", "ewo")
_NO_PLACES: Final = {True: b"absent", False: b"unknown"}  # keys of records without any; digests are longer
_CUT_MARK: Final = "…"
_CUT_MARKS: Final = ("…", "...", "***")  # behind a token in a sentence: whoever wrote it left the rest out
_BRACKETS: Final = ("<", "[", "(")
_MARK_CHARS: Final = 24
_TOKEN_CHARS: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/")


class _Judged(Unshown, Struct, frozen=True, gc=False):
    """What became of a request (None: the record is of none), when, and with which credential."""

    outcome: Outcome | None
    time_ns: int
    token: TokenFacts
    times: TokenTimes


class Collector:
    """The collector's stages with their caches. Not thread-safe: one worker owns it."""

    def __init__(self, settings: Settings, verifier: Verifier, pseudonyms: Pseudonyms, telemetry: Telemetry) -> None:
        self._parse = with_formats(settings.formats)
        self._verifier = verifier
        self._has_issuers = bool(settings.issuers)
        self._pseudonyms = pseudonyms
        self._issuer_names = IssuerNames(issuer.issuer for issuer in settings.issuers)
        self._telemetry = telemetry
        self._tokens: OrderedDict[bytes, tuple[TokenFacts, TokenRead | None]] = OrderedDict()
        self._words: OrderedDict[tuple[object, ...], Words] = OrderedDict()
        self._verified_version = verifier.version
        self._raw_seen: Counter[tuple[str, str]] = Counter()  # reported to telemetry once a batch
        telemetry.gauge("why401.cache.size", lambda: len(self._tokens), cache="tokens")
        telemetry.gauge("why401.cache.size", lambda: len(self._words), cache="words")

    def expect(self, issuers: Sequence[IssuerSettings], _since_ns: int = 0) -> None:
        """These issuers from now on. From any thread: what is replaced is replaced whole."""
        self._verifier.expect(issuers)
        self._issuer_names = IssuerNames(issuer.issuer for issuer in issuers)
        self._has_issuers = bool(issuers)

    def collect(self, record: RawRecord) -> Event:
        """The event of one raw record. Never raises: what fails becomes an unread event, counted."""
        return self.collect_line(record)[0]

    def collect_line(self, record: RawRecord) -> tuple[Event, Line | None]:
        """The event, and by what other lines about the same request can be found; None: nothing to join."""
        return self._caught(record, self._collect)

    def collect_or_count(self, record: RawRecord, counts: Counts) -> tuple[Event, Line | None] | None:
        """As `collect_line`; None: the request was allowed, and `counts` has it."""
        return self._caught(record, partial(self._collect_or_count, counts))

    def _caught(self, record: RawRecord, collect: Callable[[RawRecord], Made]) -> Made | tuple[Event, None]:
        try:
            if _is_ours(record):
                return self._unread(record, _NOT_AUTH, ""), None
            return collect(peel(record))
        except NotAdmitted:
            return self._unread(record, _NOT_ADMITTED, ""), None
        except NotAuth:
            return self._unread(record, _NOT_AUTH, ""), None
        except UnreadableRecord as error:
            return self._unread(record, UNREADABLE, error.gateway), None
        except (
            Exception
        ) as error:  # a bug of ours must not stop the pipeline; its kind is counted, the record not shown
            self._telemetry.count("why401.errors", stage="collect", kind=type(error).__name__)
            return self._unread(record, FAILED, ""), None

    def end_batch(self) -> None:
        """Called after each batch: counts are reported."""
        for (kind, where), count in self._raw_seen.items():
            self._telemetry.count("why401.raw_credentials.seen", count, gateway=kind, where=where)
        self._raw_seen.clear()

    def begin_batch(self) -> None:
        """Called before each batch: what was made with older keys is forgotten."""
        is_rotated = self._pseudonyms.refresh()
        if is_rotated or self._verifier.version != self._verified_version:
            self._verified_version = self._verifier.version
            self._tokens.clear()

    def _collect(self, record: RawRecord) -> tuple[Event, Line | None]:
        parsed = self._parsed(record)
        if parsed is None:
            return self._unread_line(record)
        return self._with_line(record, parsed, self._judged(record, parsed))

    def _with_line(self, record: RawRecord, parsed: Parsed, judged: _Judged) -> tuple[Event, Line | None]:
        event = self._event(record, parsed, judged)
        return event, line_of(record, parsed, event)

    def _unread_line(self, record: RawRecord) -> tuple[Event, None]:
        return self._unread(record, _why_unread(record), ""), None

    def _collect_or_count(self, counts: Counts, record: RawRecord) -> tuple[Event, Line | None] | None:
        """An event is made where it is needed: of a sample, and where another line may show that the request was refused."""
        parsed = self._parsed(record)
        if parsed is None:
            return self._unread_line(record)
        judged = self._judged(record, parsed)
        if judged.outcome is Outcome.ALLOWED and is_accepted(parsed.status):
            kind = _kind(record, parsed, judged.token)
            counts.add(kind, judged.token, judged.times, judged.time_ns, record.observed_ns)
            if counts.sampling.takes():
                counts.samples.append(self._event(record, parsed, judged))
            return None
        return self._with_line(record, parsed, judged)

    def _parsed(self, record: RawRecord) -> Parsed | None:
        """What a parser reads in the record, or in a record that is wrapped in it: whatever a parser knows is the record."""
        try:
            parsed = self._parse(record)
        except NotAuth:
            if parsed := self._parsed_inside(record):
                return parsed
            raise
        if parsed is None:
            return self._parsed_inside(record) or unknown(record)
        if parsed.status or record.fields is None or not is_general(parsed.gateway):
            return parsed
        return self._parsed_inside(record, with_sentences=False) or parsed

    def _parsed_inside(self, record: RawRecord, *, with_sentences: bool = True) -> Parsed | None:
        if record.gateway:
            return None
        for inside in inner_records(record, with_sentences=with_sentences):
            try:
                if parsed := self._parse(inside):
                    return parsed
            except (NotAuth, UnreadableRecord):
                continue
        return None

    def event(self, record: RawRecord, parsed: Parsed) -> Event:
        """The event of a record that was parsed already."""
        return self._event(record, parsed, self._judged(record, parsed))

    def _judged(self, record: RawRecord, parsed: Parsed) -> _Judged:
        """What became of the request, with the credential that shows it."""
        time_ns = parsed.time_ns or record.time_ns or record.observed_ns
        outcome = parsed.outcome or outcomes.by_status(parsed)
        if outcome is None:
            return _Judged(None, time_ns, _UNKNOWN, NO_TIMES)
        token, times = self._token(parsed, time_ns)
        if outcome is Outcome.ALLOWED and parsed.outcome is None:
            is_known = _is_timed(parsed, record) and type(time_ns) is not WallClock
            outcome = outcomes.despite_status(parsed, token, times if is_known else NO_TIMES, self._expected(token))
            _note_redirect(parsed, outcome)
        return _Judged(outcome, time_ns, token, times)

    def _event(self, record: RawRecord, parsed: Parsed, judged: _Judged) -> Event:
        if judged.outcome is None:
            return self._unread(record, _NOT_AUTH, parsed.gateway)
        words, redactions = self._redacted_words(parsed)
        return Event(
            time_ns=int(judged.time_ns),
            observed_ns=record.observed_ns,
            origin=record.origin,
            gateway=_gateway_of(parsed),
            outcome=judged.outcome,
            responder=_responder(parsed),
            request=_request(parsed, record),
            words=words,
            token=judged.token,
            times=judged.times,
            time_known=_is_timed(parsed, record),
            zone_known=type(judged.time_ns) is not WallClock,
            redactions=redactions,
        )

    def _unread(self, record: RawRecord, reason: Safe, gateway_kind: str) -> Event:
        self._telemetry.count("why401.records.dropped", reason=reason)
        says_nothing = reason in (_NOT_AUTH, _EMPTY_RECORD)
        with shared_cost():
            message = EMPTY if says_nothing else template(record.text or str(record.fields or record.attributes or ""))
        return Event(
            time_ns=int(record.time_ns or record.observed_ns),
            observed_ns=record.observed_ns,
            origin=record.origin,
            gateway=_gateway(gateway_kind, "", ""),
            outcome=Outcome.UNREAD,
            words=Words(reason=reason, message=message),
            time_known=bool(record.time_ns),
        )

    def _token(self, parsed: Parsed, time_ns: int) -> tuple[TokenFacts, TokenTimes]:
        facts, read = self._facts(parsed)
        return facts, NO_TIMES if read is None else _times(read, time_ns)

    def _facts(self, parsed: Parsed) -> tuple[TokenFacts, TokenRead | None]:
        key = _digest(parsed)
        held = self._tokens.get(key)
        if held is not None:
            self._tokens.move_to_end(key)
        else:
            held = self._read_places(parsed)
            self._tokens[key] = held
            if len(self._tokens) > CACHE_TOKENS:
                self._tokens.popitem(last=False)
        self._note_raw(parsed.gateway, held[0])
        return held

    def _read_places(self, parsed: Parsed) -> tuple[TokenFacts, TokenRead | None]:
        credentials = find_credentials(parsed)
        if not credentials and parsed.claims is None:
            credentials = _from_text(parsed.message)
        if not credentials and parsed.claims is None:
            return (_ABSENT if parsed.credential_logged else _UNKNOWN), None
        return self._read(parsed, credentials)

    def _expected(self, token: TokenFacts) -> outcomes.Expected:
        if not self._has_issuers:
            return outcomes.UNKNOWN
        return outcomes.Expected(self._verifier.issuer(token.iss), has_issuers=True)

    def _note_raw(self, kind: str, facts: TokenFacts) -> None:
        """Lets an operator see which gateway logs whole tokens."""
        if facts.kind in (TokenKind.JWS, TokenKind.JWE, TokenKind.UNSIGNED, TokenKind.OPAQUE) and facts.signature_bytes:
            where = facts.location.partition(":")[0]
            self._raw_seen[kind, where] += 1

    def _read(self, parsed: Parsed, credentials: tuple[Credential, ...]) -> tuple[TokenFacts, TokenRead]:
        if not credentials:
            claims = dict(parsed.claims or {})
            read = read_claims_only(_dict(parsed.jose_header), claims, self._user_claim(claims), self._name_user)
            return read.facts, read
        first = credentials[0]
        read = read_token(first, name_user=self._name_user)
        issuer = self._verifier.issuer(read.facts.iss)
        if issuer and issuer.user_claim != "sub":
            read = read_token(first, issuer.user_claim, self._name_user)
        facts = self._verified(first, read)
        if len(credentials) > 1:
            facts = replace(facts, credentials=len(credentials), anomalies=(*facts.anomalies, _SEVERAL))
        return facts, read

    def _user_claim(self, claims: Mapping[str, object] | None) -> str:
        issuer = self._verifier.issuer(str((claims or {}).get("iss", "")))
        return issuer.user_claim if issuer else ""

    def _verified(self, credential: Credential, read: TokenRead) -> TokenFacts:
        """An altered or cut token is verified too: that it fails is a fact; one without a signature is not."""
        facts = read.facts
        if facts.kind is not TokenKind.JWS or facts.signature_bytes <= 0:
            return facts
        result = self._verifier.verify(credential.value, facts.iss, facts.alg, facts.kid, read.claims.iat)
        if result is NOT_CHECKED or result.verification is Verification.NOT_CHECKED:
            return facts
        return replace(facts, verification=result.verification, verified_by=result.issuer)

    def _name_user(self, iss: str, value: str) -> tuple[Safe, int]:
        return self._pseudonyms.of("user", f"{self._issuer_names.of(iss)} {value}"), self._pseudonyms.epoch

    def _redacted_words(self, parsed: Parsed) -> tuple[Words, tuple[tuple[Safe, int], ...]]:
        key = (parsed.reason, parsed.message, parsed.challenge, parsed.flags, parsed.body_bytes, parsed.upstream_status)
        held = self._words.get(key)
        if held is not None:
            return held, ()
        found: dict[Safe, int] = {}
        with shared_cost():
            words = Words(
                reason=_redact_into(parsed.reason, found),
                message=_redact_into(parsed.message, found),
                challenge=_redact_into(parsed.challenge, found),
                flags=safe_text(parsed.flags, 80),
                body_bytes=parsed.body_bytes,
                upstream_status=parsed.upstream_status,
            )
        if not found:  # only texts without secrets are remembered
            self._remember(key, words)
        for rule, count in found.items():
            self._telemetry.count("why401.redactions", count, rule=rule)
        return words, tuple(found.items())

    def _remember(self, key: tuple[object, ...], words: Words) -> None:
        self._words[key] = words
        if len(self._words) > CACHE_WORDS:
            self._words.popitem(last=False)


def _redact_into(text: str, found: dict[Safe, int]) -> Safe:
    if not text or text == "-":
        return EMPTY
    result = safe(text[: MAX_MESSAGE * 4], MAX_MESSAGE)
    for rule, count in result.found:
        found[rule] = found.get(rule, 0) + count
    return result.text


def _digest(parsed: Parsed) -> bytes:
    """A key of all places where a credential may stand, that keeps none of them in memory."""
    places = raw_places(parsed)
    if parsed.claims is not None or parsed.jose_header is not None:
        places += f"\0{parsed.jose_header!r}\0{parsed.claims!r}"
    message = parsed.message
    if message and has_any(message, _TOKEN_START):
        places += f"\0{message}"
    if not places:
        return _NO_PLACES[parsed.credential_logged]
    places = f"{parsed.credential_logged}\0{places}"
    return blake2b(places.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _times(read: TokenRead, time_ns: int) -> TokenTimes:
    claims, now = read.claims, time_ns / 1e9
    if claims.exp is None and claims.iat is None and claims.nbf is None:
        return NO_TIMES
    return TokenTimes(
        iat_s=_offset(claims.iat, now),
        nbf_s=_offset(claims.nbf, now),
        exp_s=_offset(claims.exp, now),
        auth_time_s=_offset(claims.auth_time, now),
    )


def _offset(value: float | None, now: float) -> float | None:
    return None if value is None else round(value - now, 3)


def _is_timed(parsed: Parsed, record: RawRecord) -> bool:
    return bool(parsed.time_ns or record.time_ns)


def _note_redirect(parsed: Parsed, outcome: Outcome) -> None:
    """A refusal that only the answer's Location tells is told in words."""
    is_told = bool(parsed.reason or parsed.message)
    if outcome is Outcome.DENIED and not is_told and outcomes.is_login_redirect(parsed):
        parsed.reason = LOGIN_REDIRECT


def _responder(parsed: Parsed) -> Responder:
    if parsed.responder is not Responder.UNKNOWN:
        return parsed.responder
    if parsed.upstream_status and parsed.upstream_status == parsed.status:
        return Responder.UPSTREAM
    return Responder.UNKNOWN


def _gateway_of(parsed: Parsed) -> Gateway:
    return _gateway(parsed.gateway, parsed.instance[:MAX_INSTANCE], parsed.version[:100])


@lru_cache(maxsize=4096)
def _gateway(kind: str, instance: str, version: str) -> Gateway:
    """A shared Gateway: there are few, and every event needs one."""
    return Gateway(kind=safe_text(kind, 100), instance=safe_id(instance, 100), version=safe_text(version, 40))


def _kind(record: RawRecord, parsed: Parsed, token: TokenFacts) -> Kind:
    return Kind(
        gateway=_gateway_of(parsed),
        responder=_responder(parsed),
        method=request_facts.method(parsed.method),
        route=_route(parsed),
        host=_host(parsed.host),
        status=parsed.status,
        token=nobodys(token),
        time_known=_is_timed(parsed, record),
    )


@lru_cache(maxsize=4096)
def _host(name: str) -> Safe:
    return safe_text(name, 200)


def _route(parsed: Parsed) -> Safe:
    if parsed.route:
        return safe_text(parsed.route, 200)
    if not parsed.path:
        return EMPTY
    return request_facts.route(parsed.path.partition("?")[0][:MAX_PATH])


def _request(parsed: Parsed, record: RawRecord) -> Request:
    if not record.trace_id and not any(_ASKED(parsed)):  # of most lines of words
        return _NO_REQUEST
    agent = parsed.user_agent[:MAX_AGENT]
    return Request(
        method=request_facts.method(parsed.method),
        route=_route(parsed),
        host=_host(parsed.host),
        status=parsed.status,
        trace_id=request_facts.identifier(parsed.trace_id or record.trace_id),
        request_id=request_facts.identifier(parsed.request_id),
        client=request_facts.network(parsed.client),
        user_agent=request_facts.user_agent(agent),
        user_agent_version=request_facts.user_agent_version(agent),
        client_version=request_facts.client_version(parsed.headers, agent),
        span_id=_span(parsed, record),
    )


def _span(parsed: Parsed, record: RawRecord) -> Safe:
    """The record's span, unless the gateway names another trace than the one that it is in."""
    is_its = parsed.trace_id in ("", record.trace_id)
    return request_facts.identifier(record.span_id) if record.span_id and is_its else EMPTY


def _is_ours(record: RawRecord) -> bool:
    """An event that why401 exported and that a pipeline brings back: each would be exported again, for ever."""
    name = record.attributes.get("event.name")
    return isinstance(name, str) and name.startswith("why401.")


def _from_text(text: str) -> tuple[Credential, ...]:
    """A token within a sentence; "framework" holds ewo too, so a start needs a boundary before it."""
    for start in _TOKEN_START:
        at = text.find(start)
        while at >= 0 and at > 0 and text[at - 1] in _TOKEN_CHARS and text[at - 1] not in "=./":
            at = text.find(start, at + 1)
        value = _run(text, at) if at >= 0 else ""
        if value.count(".") >= 1:
            return (Credential(_IN_MESSAGE, EMPTY, value),)
    return ()


def _run(text: str, at: int) -> str:
    end, last = at, min(len(text), at + MAX_TOKEN_CHARS + 1)
    while end < last and text[end] in _TOKEN_CHARS:
        end += 1
    value = text[at:end].rstrip(".")
    behind = text[at + len(value) :][:_MARK_CHARS]
    is_cut = behind.startswith(_CUT_MARKS) or (behind[:1] in _BRACKETS and is_redacted(behind))
    return value + _CUT_MARK if is_cut else value


def _dict(value: Mapping[str, object] | None) -> dict[str, object] | None:
    return None if value is None else dict(value)


def _why_unread(record: RawRecord) -> Safe:
    if record.fields is not None or record.attributes:
        return _NO_PARSER
    text = record.text.strip()
    if not text:
        return _EMPTY_RECORD
    return _BROKEN_JSON if text.startswith(_JSON_STARTS) else _NO_PARSER
