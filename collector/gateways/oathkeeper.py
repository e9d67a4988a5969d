r"""Ory Oathkeeper: access verdicts as logrus text over several lines, as older quoted logrus text, and as JSON.

After ory/oathkeeper `proxy/request_handler.go`, ory/x `logrusx` (DisableQuote) and herodot's `%+v` dump of an error:
`id=\nrid=\nerror=E\nreason=R\n…` followed by a stack trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from collector.events import Outcome, Responder
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.scan import tokens
from collector.gateways.reading.times import any_ns, rfc3339_ns
from collector.gateways.reading.values import MAX_KEYS, as_text, claims_in, http_status
from collector.records import Parsed, RawRecord

NAME: Final = "oathkeeper"
_SERVICE: Final = "ORY Oathkeeper"
_MAX_TEXT: Final = 65_536  # a stack trace and all claims of a token fit
_WRITER: Final = " writer=JSON"
# credentials/fetcher_default.go, before the verdict on a token whose key set could not be had
_CAUSES: Final = ("Unable to fetch JSON Web Key Set", "Ignoring JSON Web Keys from")
_DENIED: Final = ("Access request denied", "encountered an error", "is not authorized", "not allowed")
_REQUEST_LOG: Final = ("started handling request", "completed handling request")
TEXTS: Final = Texts(begins="t")


def parse(record: RawRecord) -> Parsed | None:
    """A verdict on a request; the two lines of the request log around it are not counted again when it was refused."""
    if record.fields is None and record.text:
        text = record.text[:_MAX_TEXT]
        if not text.startswith("time=") or not (_SERVICE in text or " granted=" in text or _WRITER in text):
            return None
        return finish((_quoted if text[5:6] == '"' else _text)(text, record.time_ns), record)
    parsed = _fields(mapping(record), record.time_ns)
    return finish(parsed, record) if parsed else None


def _text(text: str, near_ns: int) -> Parsed:
    """Unquoted values that may hold blanks and line breaks: each runs to the next key that is expected behind it."""
    message, _, rest = _between(text, " msg=", (" audience=", " error=", " granted=", " http_", " service_name="))
    _must_be_verdict(message)
    parsed = Parsed(NAME, time_ns=rfc3339_ns(text[5:45].partition(" ")[0], near_ns))
    tail = rest[rest.rfind(" granted=") :] if " granted=" in rest else rest
    parsed.method = _word(tail, " http_method=")
    parsed.host, parsed.path = _split_url(_word(tail, " http_url="))
    parsed.user_agent = _between(tail, " http_user_agent=", (" rule_id=", " service_name="))[0]
    parsed.route = _word(tail, " rule_id=")
    parsed.version = _word(tail, " service_version=").lstrip("v")
    return _judged(parsed, message, _error_map(text), granted=_word(tail, " granted=") == "true")


def _error_map(text: str) -> Mapping[str, Any]:
    """`error=map[debug: details:map[…] message:M reason:R status:Unauthorized status_code:401]`, as Go prints it."""
    _, found, rest = text.partition(" error=map[")
    if not found:
        return {"message": _between(text, " error=", (" granted=", " http_"))[0]}
    end = rest.find(" status_code:")
    inner, code = (rest[:end], rest[end + 13 : end + 16]) if end >= 0 else (rest, "")
    reason = inner.partition(" reason:")[2].rpartition(" status:")[0]
    claims = inner.partition("jwt_claims:")[2].partition("] message:")[0]
    message = (
        _between(inner, " message:", (" reason:", " status:"))[0]
        or inner.partition("message:")[2].partition(" reason:")[0]
    )
    return {"message": message, "reason": reason, "status_code": code, "details": {"jwt_claims": claims}}


def _between(text: str, start: str, ends: tuple[str, ...]) -> tuple[str, str, str]:
    """Value, key, rest: the value behind `start` up to the first of `ends`."""
    before, found, rest = text.partition(start)
    if not found:
        return "", "", before
    stops = [at for end in ends if (at := rest.find(end)) >= 0]
    at = min(stops, default=len(rest))
    return rest[:at], found, rest[at:]


def _word(text: str, key: str) -> str:
    return text.partition(key)[2].partition(" ")[0]


def _quoted(text: str, near_ns: int) -> Parsed:
    """`time="…" level=warning msg="…" access_url=… error="…" granted=false`, up to 2020."""
    values = dict(tokens(text))
    _must_be_verdict(values.get("msg", ""))
    parsed = Parsed(
        NAME, time_ns=rfc3339_ns(values.get("time", ""), near_ns), user_agent=values.get("http_user_agent", "")
    )
    parsed.host, parsed.path = _split_url(values.get("access_url", "") or values.get("http_url", ""))
    parsed.method, parsed.route = values.get("http_method", ""), values.get("rule_id", "")
    error = {name: values.get(key, "") for name, key in _ERROR_KEYS}
    return _judged(parsed, values.get("msg", ""), error, granted=values.get("granted") == "true")


_ERROR_KEYS: Final = (("message", "error"), ("reason", "reason"), ("status_code", "code"))


def _fields(fields: Mapping[str, Any], near_ns: int) -> Parsed | None:
    is_ours = "granted" in fields or fields.get("service_name") == _SERVICE
    if not (is_ours or _is_writer(fields) or _is_request_log(fields)):
        return None
    message = as_text(fields.get("msg"))
    if isinstance(fields.get("http_response"), Mapping):
        return _completed(fields, near_ns)
    _must_be_verdict(message, also=_is_writer(fields))
    parsed = Parsed(NAME, time_ns=any_ns(fields.get("time"), near_ns), method=as_text(fields.get("http_method")))
    parsed.host, parsed.path = _split_url(as_text(fields.get("http_url")) or as_text(fields.get("access_url")))
    parsed.user_agent, parsed.route = as_text(fields.get("http_user_agent")), as_text(fields.get("rule_id"))
    parsed.version = as_text(fields.get("service_version")).lstrip("v")
    parsed.request_id = as_text(fields.get("request-id"))
    error = fields.get("error")
    if not isinstance(error, Mapping):
        error = {name: fields.get(name) for name in ("reason", "details")} | {
            "message": error,
            "status_code": fields.get("code"),
        }
    return _judged(parsed, message, error, granted=fields.get("granted") is True)


def _is_writer(fields: Mapping[str, Any]) -> bool:
    return fields.get("writer") == "JSON" and "reason" in fields


def _is_request_log(fields: Mapping[str, Any]) -> bool:
    """ory/x `reqlog`, which names no service in Oathkeeper's log; another product of Ory's that names itself is not ours."""
    return (
        "service_name" not in fields
        and fields.get("msg") in _REQUEST_LOG
        and isinstance(fields.get("http_request"), Mapping)
    )


def _completed(fields: Mapping[str, Any], near_ns: int) -> Parsed:
    """The request log: it knows the status, and says nothing that a refusal's own line does not say."""
    request, response = fields.get("http_request"), fields["http_response"]
    status = http_status(response.get("status"))
    if not status or status in (401, 403) or not isinstance(request, Mapping) or len(request) > MAX_KEYS:
        raise NotAuth(NAME, "a refusal has a line of its own")
    parsed = Parsed(NAME, status=status, time_ns=any_ns(fields.get("time"), near_ns))
    parsed.method, parsed.path = as_text(request.get("method")), as_text(request.get("path"))
    parsed.host = as_text(request.get("host")).partition(":")[0]
    parsed.responder = Responder.UPSTREAM if status < 500 else Responder.UNKNOWN
    return parsed


def _must_be_verdict(message: str, *, also: bool = False) -> None:
    if not also and not any(
        word in message for word in (*_DENIED, *_CAUSES, "granted", "handler", "An error occurred")
    ):
        raise NotAuth(NAME, "a log line without a verdict")


def _judged(parsed: Parsed, message: str, error: Mapping[str, Any], *, granted: bool) -> Parsed:
    if granted:
        parsed.outcome = Outcome.ALLOWED
        return parsed
    parsed.is_fragment = True  # the writer of the answer and the fetcher of keys have lines of their own
    said = as_text(error.get("message"))
    if message.startswith(_CAUSES):
        parsed.message, parsed.outcome = ": ".join(filter(None, (message, said))), Outcome.ERROR
        return parsed
    parsed.status = http_status(as_text(error.get("status_code")))
    parsed.message = _reason(as_text(error.get("reason"))) or said or message
    details = error.get("details")
    parsed.claims = (
        _claims(details.get("jwt_claims")) if isinstance(details, Mapping) and len(details) <= MAX_KEYS else None
    )
    parsed.outcome = Outcome.ERROR if parsed.status >= 500 else Outcome.DENIED
    parsed.responder = Responder.GATEWAY
    return parsed


def _reason(dump: str) -> str:
    r"""`error=E` and `reason=R` of herodot's dump; a reason that is not a dump is taken as it is."""
    if "error=" not in dump:
        return dump.strip()
    lines = dump.split("\n", 16)[:16]
    found = (
        line.partition("=")[2].strip() for name in ("error=", "reason=") for line in lines if line.startswith(name)
    )
    return ": ".join(filter(None, found))


def _claims(value: Any) -> Mapping[str, Any] | None:
    """The claims, which Oathkeeper logs whole, as JSON in a string; an excerpt would make claims look absent."""
    if not isinstance(value, str) or value[:1] != "{":
        return None
    try:
        claims = claims_in(orjson.loads(value))
    except ValueError:
        return None
    return claims if claims and ("exp" in claims or "iat" in claims) else None


def _split_url(url: str) -> tuple[str, str]:
    scheme, found, rest = url.partition("://")
    if not found or "/" in scheme:
        return "", url
    host, slash, path = rest.partition("/")
    return host.partition(":")[0], slash + path
