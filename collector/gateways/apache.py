"""Apache httpd: common, combined and vhost_combined access logs, and the error log of 2.4.

Formats after mod_log_config and core's ErrorLogFormat. Verdicts are those of mod_auth_openidc, mod_oauth2,
mod_authz_core, mod_auth_basic and their like; the AH number is the machine's word.
"""

from __future__ import annotations

from typing import Final

from collector.events import Responder
from collector.gateways.reading import combined_log, topic
from collector.gateways.reading.contract import NotAuth, Texts
from collector.gateways.reading.json_fields import finish
from collector.gateways.reading.times import apache_ns
from collector.gateways.reading.values import client
from collector.records import Parsed, RawRecord

NAME: Final = "apache"
_MAX_FIELDS: Final = 6  # in brackets, in front of the message
_DAYS: Final = ("[Mon ", "[Tue ", "[Wed ", "[Thu ", "[Fri ", "[Sat ", "[Sun ")
_QUIET: Final = ("debug", "info", "notice")  # and trace1 … trace8: no verdicts
_MODULES: Final = ("auth", "oauth2", "jwt")  # how the names of authentication modules begin
_OF_REQUESTS: Final = ("client", "remote", "R")  # a line without them is about the server: its start, its settings
_TOO_LARGE: Final = (
    "AH00560",
    "AH00561",
    "AH00562",
    "AH00563",
)  # server/protocol.c, at info: LimitRequestFieldSize, …Fields
TEXTS: Final = Texts(begins="[", holds=(" [",))


def parse(record: RawRecord) -> Parsed | None:
    """A request, or a verdict in the error log."""
    if record.fields is not None or not record.text:
        return None
    is_error_log = record.text.startswith(_DAYS)
    parsed = _error_line(record.text, record.time_ns) if is_error_log else _access_line(record)
    return finish(parsed, record) if parsed else None


def _access_line(record: RawRecord) -> Parsed | None:
    line = combined_log.split(record.text)
    if line is None or line.rest.endswith("ms"):  # Traefik appends a duration
        return None
    server = combined_log.server_of(record)
    if server != NAME and (server or not _is_own(line)):
        return None
    # %O (Debian's combined) counts headers and %b does not; the line does not say which it is.
    return combined_log.read(NAME, line, record.origin.source)


def _is_own(line: combined_log.Line) -> bool:
    """What only httpd writes: the virtual host in front, a quote escaped with a backslash, an identity of mod_ident."""
    return line.host != "" or '\\"' in line.request or line.identity not in ("-", "")


def _error_line(text: str, near_ns: int) -> Parsed | None:
    """`[time] [module:level] [pid N:tid N] [R:ID] [client A:P] AHnnnnn: message, referer: …`."""
    when, bracket, rest = text.partition("] [")
    source, _, rest = rest.partition("] ")
    module, colon, level = source.partition(":")
    if not bracket or not colon or len(when) > 40 or len(source) > 64:
        return None
    context, message = _split_context(rest)
    is_of_server = context.keys().isdisjoint(_OF_REQUESTS) and not _number(message)
    if is_of_server or not _is_verdict(module, level, message):
        raise NotAuth(NAME, "an error log line without a verdict")
    message = message.partition(", referer: ")[0]  # the first: the client writes what follows it
    address = context.get("client", context.get("remote", ""))
    parsed = Parsed(NAME, time_ns=apache_ns(when[1:], near_ns), client=client(address), message=message)
    parsed.is_fragment = True
    parsed.thread = f"{address} {context.get('pid', '')}" if address else ""  # with its port: a connection
    parsed.request_id = context.get("R", "")  # %L, as httpd's own example of ErrorLogFormat writes it
    parsed.reason = _number(message)
    parsed.outcome = topic.outcome(message)
    parsed.responder = Responder.GATEWAY if address else Responder.UNKNOWN
    return parsed


def _is_verdict(module: str, level: str, message: str) -> bool:
    if message.startswith(_TOO_LARGE):
        return True
    is_quiet = level in _QUIET or level.startswith("trace")
    return not is_quiet and (module.startswith(_MODULES) or topic.is_auth(message))


def _split_context(text: str) -> tuple[dict[str, str], str]:
    """The bracketed fields by their first word (`client A:P`, `R:ID`, `pid N:tid N`), and the message behind them."""
    context: dict[str, str] = {}
    for _ in range(_MAX_FIELDS):
        if not text.startswith("["):
            break
        field, bracket, rest = text[1:].partition("] ")
        if not bracket:
            break
        text, (word, space, value) = rest, field.partition(" ")
        name, _, short = field.partition(":")
        context.setdefault(word if space else name, value if space else short)
    return context, text


def _number(message: str) -> str:
    """AH01617 at the beginning, behind `(errno)text: ` at most."""
    at = message.find("AH", 0, 256)
    number = message[at : at + 7] if at >= 0 else ""
    return number if len(number) == 7 and number[2:].isdigit() and message[at + 7 : at + 8] == ":" else ""
