"""What became of a request: by its status, by what the record says, by what is provably wrong with its credential.

Validators refuse with any status: 401 by the standard, 422 (Flask-JWT-Extended), 400, 404, 500 where the exception goes
unhandled, or a redirect to the login page. A status that has other meanings counts as a refusal only with proof beside it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from msgspec import Struct

from collector.events import Outcome, TokenFacts, TokenKind, TokenTimes, Verification
from collector.gateways.reading.scan import has_any
from collector.records import Parsed
from collector.redaction.patterns import Pattern, compiled
from collector.settings import IssuerSettings
from collector.structs import Dataclass

LEEWAY_S: Final = 60.0  # what most validators allow an `exp` or `nbf`
CONSIDERED: Final = 4_000  # characters of a message
_REFUSED: Final = frozenset((401, 403, 407, 429, 431, 494))
# Of these the request's form, its body's or the connection's is the cause, whoever sent it.
_OTHER_FAULTS: Final = frozenset((405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 425, 426, 499))
_REDIRECTS: Final = frozenset((302, 303))
_LOGIN_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
# The vocabulary of refusals: these anywhere, the short ones as words.
_AUTH_PARTS: Final = (
    "jwt", "jws", "token", "oauth", "oidc", "signature", "credential", "bearer", "issuer", "audience", "expired", "claim",
    "rbac", "forbidden", "denied", "scope", "saml", "permission", "unauth", "authoriz", "authoris", "authent", "idx1",
)  # fmt: skip
_AUTH_WORDS: Final = compiled(rb"(?:^|[^a-z])(?:auth|iss|aud|kid|nbf|jwks?)(?:[^a-z]|$)")
_NOT_AUTH: Final = ("unexpected token", "csrf", "xsrf", "unexpected end of json", "token <")
# Words of validators that say nothing of a credential by themselves.
_FORM_PARTS: Final = (
    "segment", "padding", "subject", " alg", "algorithm", "not yet valid", "compact", "cryptokey", "base64", "header",
    "signing", "not before", "unverified", "decod", "public key", "key type",
)  # fmt: skip
_BAD_REQUESTS: Final = (400, 422)
_REFUSES: Final = (
    "fail", "denied", "invalid", "expired", "reject", "unauth", "missing", "not ", "n't", "no ", "forbidden", "error", "must ",
    "mismatch", "required", "only ", "expects", "expected", "wrong", "bad ", "malformed", "cannot", "without", "insufficient", "untrusted", "unknown",
)  # fmt: skip
_SCHEMES: Final = ("bearer", "dpop", "basic", "digest", "negotiate", "token", "jwt")
_LOGIN: Final = compiled(
    rb"(?i)/(?:[a-z0-9_-]{0,20}log-?in|log_in|sign[_-]?in|sso|saml2?|oauth2?|oidc|authorize|authenticate|openid-connect)(?:[/?#.;]|$)"
    rb"|[?&](?:response_type|client_id|samlrequest)=|//(?:login|accounts|auth|sso|idp)[.]"
)
_MALFORMED: Final = frozenset(
    ("value_null", "value_template", "bad_base64_header", "bad_base64_payload", "bad_base64_signature", "header_not_json",
     "payload_not_json", "header_not_object", "payload_not_object", "trailing_dot", "too_long", "empty_part")
)  # fmt: skip
_WRONG_SCHEMES: Final = frozenset(
    (
        "scheme_only",
        "scheme_doubled",
        "scheme_colon",
        "scheme_quoted",
        "scheme_misspelt",
        "scheme_glued",
        "value_quoted",
        "value_percent",
    )
)
_NOT_VERIFIED: Final = (Verification.BAD_SIGNATURE, Verification.NO_KEY, Verification.KEY_MISMATCH)


class Expected(Dataclass, Struct, frozen=True, gc=False):
    """What the configuration says of tokens: of the issuer that this one names (None: it is none of them), if there are any."""

    issuer: IssuerSettings | None = None
    has_issuers: bool = False

    def rules_out(self, token: TokenFacts, status: int) -> bool:
        """The token is of a configured issuer and wrong in itself, or of another one where the request was called a bad one."""
        if not token.claims or not _is_of_request(token):
            return False
        if self.issuer is None:
            return self.has_issuers and status in _BAD_REQUESTS
        is_everywhere = not self.issuer.gateways and not self.issuer.routes
        return is_everywhere and _differs(token, self.issuer)


def _differs(token: TokenFacts, issuer: IssuerSettings) -> bool:
    is_for_another = bool(issuer.audiences) and set(issuer.audiences).isdisjoint(token.aud)
    return is_for_another or bool(token.alg and token.alg not in issuer.algorithms)


def _is_of_request(token: TokenFacts) -> bool:
    """Neither quoted in a sentence nor a session's cookie."""
    return token.location != "message" and not token.location.startswith("cookie:")


UNKNOWN: Final = Expected()


def by_status(parsed: Parsed) -> Outcome | None:
    """What became of the request, by status and words; None when the record is about neither a request nor authentication."""
    status = parsed.status
    if status in _REFUSED:
        return Outcome.DENIED
    if 100 <= status < 400:
        return Outcome.ALLOWED
    if speaks_of_auth(f"{parsed.reason} {parsed.message} {parsed.challenge}"):
        return Outcome.ERROR if status >= 500 else Outcome.DENIED
    return Outcome.ALLOWED if status >= 400 else None


def despite_status(parsed: Parsed, token: TokenFacts, times: TokenTimes, expected: Expected = UNKNOWN) -> Outcome:
    """Of a request that its status does not call refused: refused all the same, when the record proves it."""
    status = parsed.status
    is_wrong = is_broken(token, times) or (status >= 300 and expected.rules_out(token, status))
    if not _is_refused(parsed, token, is_wrong=is_wrong):
        return Outcome.ALLOWED
    return Outcome.ERROR if status >= 500 else Outcome.DENIED


def _is_refused(parsed: Parsed, token: TokenFacts, *, is_wrong: bool) -> bool:
    if parsed.status < 300:
        return is_wrong and _words_refuse(parsed)
    if _challenges(parsed):
        return True
    if parsed.status < 400:
        return _words_refuse(parsed) or _is_sent_to_login(parsed, token, is_wrong=is_wrong)
    return _may_refuse(parsed.status) and (is_wrong or _speaks_of_form(parsed, token))


def speaks_of_auth(text: str) -> bool:
    """A cheap look for the vocabulary; what the words mean is the analyzer's business."""
    low = text[:CONSIDERED].lower()
    if has_any(low, _NOT_AUTH):
        return False
    return has_any(low, _AUTH_PARTS) or _has(_AUTH_WORDS, low)


def is_broken(token: TokenFacts, times: TokenTimes) -> bool:
    """No validator accepts this credential. One that the log cut or masked proves nothing; nor does a session's cookie."""
    if not _is_of_request(token):
        return False
    return (
        _is_unsound(token)
        or (times.exp_s is not None and times.exp_s < -LEEWAY_S)
        or (times.nbf_s is not None and times.nbf_s > LEEWAY_S)
    )


@lru_cache(maxsize=4096)
def _is_unsound(token: TokenFacts) -> bool:
    """Whenever it is used."""
    return (
        token.kind is TokenKind.UNSIGNED
        or token.verification in _NOT_VERIFIED
        or not _MALFORMED.isdisjoint(token.anomalies)
        or not _WRONG_SCHEMES.isdisjoint(token.anomalies)
    )


def is_login_redirect(parsed: Parsed) -> bool:
    """The answer sends the caller to a login page, and not only to the same place with a slash or over TLS."""
    target = _target(parsed)
    if parsed.status not in _LOGIN_REDIRECTS or not target:
        return False
    asked = parsed.path.partition("?")[0].rstrip("/")
    is_same = len(asked) > 1 and target.partition("?")[0].rstrip("/").endswith(asked)
    return not is_same and _has(_LOGIN, target)


def _target(parsed: Parsed) -> str:
    """Where a redirect leads, by its Location or by what its body says ("Found. Redirecting to /login")."""
    if parsed.location:
        return parsed.location[:CONSIDERED]
    _, found, rest = parsed.message[:CONSIDERED].partition("edirecting to ")
    return rest.split(maxsplit=1)[0] if found and rest.strip() else ""


def _challenges(parsed: Parsed) -> bool:
    return bool(parsed.challenge) and parsed.challenge.lower().startswith(_SCHEMES)


def _words_refuse(parsed: Parsed) -> bool:
    words = f"{parsed.reason} {parsed.message}"
    return len(words) > 1 and speaks_of_auth(words) and has_any(words[:CONSIDERED].lower(), _REFUSES)


def _is_sent_to_login(parsed: Parsed, token: TokenFacts, *, is_wrong: bool) -> bool:
    """A browser without a session is sent there every day; whoever sends an Authorization header is not a browser."""
    if _target(parsed):
        return is_login_redirect(parsed) and token.credentials > 0 and token.location == "authorization"
    return parsed.status in _REDIRECTS and is_wrong


def _speaks_of_form(parsed: Parsed, token: TokenFacts) -> bool:
    """Words that validators use beside a request's credential ("Not enough segments"), and others for other things."""
    if token.credentials == 0 or token.location != "authorization":
        return False
    low = f"{parsed.reason} {parsed.message}"[:CONSIDERED].lower()
    return has_any(low, _FORM_PARTS) and has_any(low, _REFUSES)


def _may_refuse(status: int) -> bool:
    return status == 500 or (400 <= status < 500 and status not in _OTHER_FAULTS)


def _has(pattern: Pattern, text: str) -> bool:
    return pattern.find(text.encode("latin-1", "replace"))[0] >= 0
