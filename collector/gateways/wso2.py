"""WSO2 API Manager: carbon log lines of the gateway's security handlers, and error bodies with codes 9009xx.

After wso2/carbon-apimgt `APISecurityConstants.java` and `APIAuthenticationHandler.java`; log4j2 patterns of 2.x
(`[time] LEVEL - Class message`) and of 3.x and 4.x (`TID: [-1234] [] [time] LEVEL {class} - message`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.events import Outcome, Responder
from collector.gateways.reading import topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.log_lines import condensed, refuses
from collector.gateways.reading.times import rfc3339_ns
from collector.gateways.reading.values import as_text, http_status
from collector.records import Parsed, RawRecord

NAME: Final = "wso2"
_LEVELS: Final = ("ERROR", "WARN", "INFO", "DEBUG", "FATAL", "TRACE")
_MAX_HEAD: Final = 200
_TIME_CHARS: Final = 23  # 2026-03-03 10:00:00,123
_REQUEST: Final = " for requestURI="
TEXTS: Final = Texts(begins="<[T")


def parse(record: RawRecord) -> Parsed | None:
    """A refusal in wso2carbon.log, or what the client was sent."""
    if record.fields is None and record.text:
        parsed = _fault(record.text) if record.text.startswith("<") else _line(record.text, record.time_ns)
    else:
        parsed = _fields(mapping(record))
    return finish(parsed, record) if parsed else None


def _line(text: str, near_ns: int) -> Parsed | None:
    if not text.startswith(("TID:", "[")):
        return None
    start = 1 if text[0] == "[" else text.find(" [20", 0, _MAX_HEAD) + 2
    when, _, rest = text[start:].partition("] ")
    level, _, said = rest.lstrip().partition(" ")
    if len(when) != _TIME_CHARS or when[4] != "-" or when[19] != "," or level not in _LEVELS:
        return None
    message = _message(said.lstrip())
    if message is None:
        return None
    return _verdict(message, rfc3339_ns(when, near_ns))


def _message(said: str) -> str | None:
    """`{class} - message {class}`, or `- Class message`."""
    if said.startswith("{"):
        name, _, message = said[1:].partition("} ")
        return message.lstrip("- ").replace(f"{{{name}}}", "").strip() if "." in name and message else None
    return said[2:].strip() if said.startswith("- ") else None


def _verdict(message: str, time_ns: int) -> Parsed:
    sentences = condensed(message)
    if not refuses(sentences):
        raise NotAuth(NAME, "a log line without a verdict")
    parsed = Parsed(
        NAME, time_ns=time_ns, message=sentences, outcome=topic.outcome(sentences), responder=Responder.GATEWAY
    )
    parsed.path = sentences.partition(_REQUEST)[2].partition(" ")[0].partition("\n")[0]
    if parsed.path:
        parsed.message = sentences.partition(_REQUEST)[0]
    return parsed


def _fields(fields: Mapping[str, Any]) -> Parsed | None:
    """`{"code": "9009xx", "message": …, "description": …}`, alone, as a `fault`, or with `error_` in front."""
    fault = fields.get("fault")
    values = fault if isinstance(fault, Mapping) else fields
    code = as_text(values.get("code", values.get("error_code")))
    if not _is_code(code):
        return None
    said = (
        values.get("message", values.get("error_message")),
        values.get("description", values.get("error_description")),
    )
    return _refusal(code, [as_text(text) for text in said], http_status(values.get("status")))


def _fault(text: str) -> Parsed | None:
    """The same as XML, under ams: or am:."""
    code = _element(text, "code>")
    return _refusal(code, [_element(text, "message>"), _element(text, "description>")], 0) if _is_code(code) else None


def _element(text: str, name: str) -> str:
    return text[:4096].partition(name)[2].partition("<")[0]


def _is_code(code: str) -> bool:
    return len(code) == 6 and code.startswith("9009") and code.isascii() and code.isdigit()


def _refusal(code: str, said: list[str], status: int) -> Parsed:
    sentences = list(dict.fromkeys(filter(None, said)))
    outcome = None if status else Outcome.DENIED
    parsed = Parsed(NAME, status=status, reason=code, message="\n".join(sentences), outcome=outcome)
    parsed.responder = Responder.GATEWAY
    return parsed
