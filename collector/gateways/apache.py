"""Apache httpd: common, combined and vhost_combined access logs, and the error log of 2.4.

Formats after mod_log_config and core's ErrorLogFormat. Verdicts are those of mod_auth_openidc, mod_oauth2,
mod_authz_core, mod_auth_basic and their like; the AH number is the machine's word.
"""

from __future__ import annotations

from typing import Final

from collector.events import Responder
from collector.gateways import clf, words
from collector.gateways.contract import NotAuth
from collector.gateways.keys import finish
from collector.gateways.times import apache_ns
from collector.gateways.values import client
from collector.records import Parsed, RawRecord

NAME: Final = "apache"
_DAYS: Final = ("[Mon ", "[Tue ", "[Wed ", "[Thu ", "[Fri ", "[Sat ", "[Sun ")
_QUIET: Final = ("debug", "info", "notice")  # and trace1 … trace8: no verdicts
_MODULES: Final = ("auth", "oauth2", "jwt")  # how the names of authentication modules begin


def parse(record: RawRecord) -> Parsed | None:
    """A request, or a verdict in the error log."""
    if record.fields is not None or not record.text:
        return None
    is_error_log = record.text.startswith(_DAYS)
    parsed = _error_line(record.text, record.time_ns) if is_error_log else _access_line(record.text)
    return finish(parsed, record) if parsed else None


def _access_line(text: str) -> Parsed | None:
    line = clf.split(text)
    if line is None or line.rest.endswith("ms"):  # Traefik appends a duration
        return None
    # %O (Debian's combined) counts headers and %b does not; the line does not say which it is.
    return clf.read(NAME, line)


def _error_line(text: str, near_ns: int) -> Parsed | None:
    """`[time] [module:level] [pid N:tid N] [client A:P] AHnnnnn: message, referer: …`."""
    when, bracket, rest = text.partition("] [")
    source, _, rest = rest.partition("] ")
    module, colon, level = source.partition(":")
    if not bracket or not colon or len(when) > 40 or len(source) > 64:
        return None
    address, message = _without_context(rest)
    is_verdict = module.startswith(_MODULES) or words.is_auth(message)
    if not is_verdict or level in _QUIET or level.startswith("trace"):
        raise NotAuth(NAME, "an error log line without a verdict")
    message = message.partition(", referer: ")[0]  # the first: the client writes what follows it
    parsed = Parsed(NAME, time_ns=apache_ns(when[1:], near_ns), client=client(address), message=message)
    parsed.is_fragment = True
    parsed.reason = _number(message)
    parsed.outcome = words.outcome(message)
    parsed.responder = Responder.GATEWAY if address else Responder.UNKNOWN
    return parsed


def _without_context(text: str) -> tuple[str, str]:
    """Client address and message behind the bracketed fields."""
    address = ""
    for _ in range(4):
        if not text.startswith("["):
            break
        field, _, text = text[1:].partition("] ")
        if field.startswith(("client ", "remote ")):
            address = field.partition(" ")[2]
    return address, text


def _number(message: str) -> str:
    """AH01617 at the beginning, behind `(errno)text: ` at most."""
    at = message.find("AH", 0, 256)
    number = message[at : at + 7] if at >= 0 else ""
    return number if len(number) == 7 and number[2:].isdigit() and message[at + 7 : at + 8] == ":" else ""
