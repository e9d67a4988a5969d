r"""An HTTP answer as a client prints it (`curl -i`), and a page that says that a request was refused.

>>> answer("HTTP/1.1 401 Unauthorized\nServer: berths\n\n{\"message\": \"token expired\"}")
Answer(status=401, challenge='', message='token expired')
>>> page("<html><head><title>401 Authorization Required</title></head><body><h1>token expired</h1></body></html>")
'401 Authorization Required token expired'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import re2

from collector.gateways.reading.exchange import sentence
from collector.gateways.reading.scan import ascii_only
from collector.gateways.reading.values import http_status

_VERSION: Final = "HTTP/"
_CHALLENGE: Final = "www-authenticate"
_MAX_LINES: Final = 100
_READ_CHARS: Final = 16_384
_MESSAGE_CHARS: Final = 500
_PAGES: Final = ("<html", "<!doctype html", "<head", "<body", "<div", "<h1", "<title", "<p>")
_UNSEEN: Final = re2.compile(r"(?is)<(?:style|script)\b.*?</(?:style|script)>|<!--.*?-->")
_TAGS: Final = re2.compile(r"<[/?!]?[A-Za-z][^<>]{0,300}>")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer says: its status, its challenge, the sentence of its body."""

    status: int
    challenge: str
    message: str


def answer(text: str) -> Answer | None:
    """The parts of a printed answer; None for another text."""
    if not text.startswith(_VERSION):
        return None
    head, _, body = text[:_READ_CHARS].partition("\n\n")
    first, *lines = head.split("\n", _MAX_LINES)
    status = http_status(first.partition(" ")[2][:3])
    headers = (line.partition(":") for line in lines)
    challenge = next((value.strip() for name, _, value in headers if name.lower() == _CHALLENGE), "")
    return Answer(status, challenge, sentence(body) or page(body.strip())) if status else None


def page(text: str) -> str:
    """What a page shows, in one line; "" for another text."""
    if not text[:16].lower().startswith(_PAGES):
        return ""
    above = text[:_READ_CHARS].partition("<hr")[0]  # below the rule servers sign
    shown = _TAGS.sub(" ", _UNSEEN.sub(" ", ascii_only(above)))
    return " ".join(shown.split())[:_MESSAGE_CHARS]
