"""What is said of a request that was not refused: it was allowed, or nothing shows that authentication refused it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from analyzer.verdicts import Diagnosis, Evidence
from collector.events import Event, TokenKind

OK: Final = Diagnosis(code="ok", cause="", confidence=1.0, title="The request was allowed.")
REDIRECT: Final = 0.6
BAD_REQUEST: Final = 0.5
OTHER_ERROR: Final = 0.75
UNPROTECTED: Final = 0.6
_REDIRECTS: Final = (302, 303, 307)
_BAD_REQUESTS: Final = (400, 422)
_NOT_REFUSED: Final = "Nothing shows that authentication refused the request."
_LOCATION: Final = "Log the response's Location header: a redirect to a login page refuses a bearer token."
_WORDS: Final = "Log the response body or the service's own message: validators answer with this status too."
_REDIRECTED: Final = replace(OK, confidence=REDIRECT, title=_NOT_REFUSED, missing=(_LOCATION,))
_BAD: Final = replace(OK, confidence=BAD_REQUEST, title=_NOT_REFUSED, missing=(_WORDS,))
_ERROR: Final = replace(OK, confidence=OTHER_ERROR, title=_NOT_REFUSED)
_OPEN: Final = replace(
    OK,
    confidence=UNPROTECTED,
    title="The request was allowed without a credential, on a route that refused others without one.",
    evidence=(Evidence("traffic", "requests without a credential were refused on this route"),),
    missing=(
        "Compare how the two requests reached the service: a second path, port or instance may not require a token.",
    ),
)


def allowed(event: Event, *, is_protected: bool) -> Diagnosis:
    """The diagnosis of a request that was not refused. `is_protected`: others were refused on its route for want of a credential."""
    status, has_credential = event.request.status, event.token.kind not in (TokenKind.ABSENT, TokenKind.UNKNOWN)
    if status < 300:
        return _OPEN if is_protected and event.token.kind is TokenKind.ABSENT else OK
    if event.token.kind is not TokenKind.ABSENT and status in _REDIRECTS:
        return _REDIRECTED
    if has_credential and status in _BAD_REQUESTS:
        return _BAD
    return _ERROR if status >= 400 else OK
