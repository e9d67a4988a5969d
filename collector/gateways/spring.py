"""Spring Security and Spring Cloud Gateway: log lines with their exceptions, and the challenge of the resource server.

After spring-security `BearerTokenAuthenticationEntryPoint`, `JwtAuthenticationProvider`, `ExceptionTranslationFilter`
and Spring Boot's logback pattern. Refusals are logged at DEBUG or TRACE only; the challenge has the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from collector.events import Outcome, Responder
from collector.gateways.reading import topic
from collector.gateways.reading.contract import DIGITS, NotAuth, Texts
from collector.gateways.reading.json_fields import finish, mapping
from collector.gateways.reading.log_lines import challenge_status, condensed, logback, refuses, words_of
from collector.gateways.reading.times import any_ns
from collector.gateways.reading.values import as_text, first_of
from collector.records import Parsed, RawRecord

NAME: Final = "spring"
_MAX_HEAD: Final = 500
_PACKAGE: Final = "org.springframework."
_CHALLENGE: Final = "www-authenticate:"
_ERROR_URI: Final = 'error_uri="https://tools.ietf.org/html/rfc6750#section-3.1"'
_CLASSES: Final = (
    "AuthenticationFilter", "AuthenticationProvider", "AuthenticationEntryPoint", "AuthenticationWebFilter",
    "ExceptionTranslationFilter", "FilterChainProxy", "AuthorizationFilter", "AuthorizationManager", "JwtDecoder",
    "TokenIntrospector", "AccessDeniedHandlerImpl", "ProviderManager", "JwtTimestampValidator",
    "AuthorizationWebFilter",
    "JwtIssuerValidator", "JwtClaimValidator", "AuthorizationManagerBeforeMethodInterceptor", "CsrfFilter",
    "AuthenticationManagerResolver", "FilterSecurityInterceptor", "ExceptionTranslationWebFilter",
    "BearerTokenResolver",
)  # fmt: skip
_CHAIN: Final = (
    ("Validator",),
    ("JwtAuthenticationProvider", "OpaqueTokenAuthenticationProvider"),
    ("ProviderManager",),
)
_SERVER: Final = "coyote.http11.Http11Processor"  # the embedded Tomcat; it answers 400 before Spring is asked
_TOO_LARGE: Final = "Request header is too large"
_PASSED: Final = "Secured "  # FilterChainProxy: every filter let the request through
_ERROR_PAGE: Final = " /error"  # Boot forwards refused requests to it, and they are secured once more
_CHATTER: Final = (
    "Securing ",
    "Will secure ",
    "Will not secure ",
    "Secured ",
    "Set SecurityContextHolder",
    "Did not ",
    "Invoking ",
    "Authorizing ",
    "Trying ",
)
TEXTS: Final = Texts(begins="Wwo" + DIGITS)


def parse(record: RawRecord) -> Parsed | None:
    """A refusal that Spring's own classes logged or answered."""
    if record.fields is None and record.text:
        parsed = _text(record.text.lstrip(), record.time_ns)
    else:
        parsed = _fields(mapping(record), record.time_ns)
    return finish(parsed, record) if parsed else None


def _text(text: str, near_ns: int) -> Parsed | None:
    if text[: len(_CHALLENGE)].lower() == _CHALLENGE:
        challenge = text[len(_CHALLENGE) :].strip()
        return _challenge(challenge) if _ERROR_URI in challenge else None
    if text.startswith(_PACKAGE):
        return _verdict(text, 0) if "Exception" in text[:300] else None
    line = logback(text, near_ns)
    if line and line.logger.endswith(_SERVER) and _TOO_LARGE in line.message[:_MAX_HEAD]:
        return Parsed(NAME, status=400, time_ns=line.time_ns, message=_TOO_LARGE, outcome=Outcome.DENIED)
    if line is None or not is_own(line.logger, line.message):
        return None
    return _in_chain(_verdict(line.message, line.time_ns), line.logger, line.thread)


def is_own(logger: str, message: str = "") -> bool:
    """A class of Spring's, by its logger's name, which Spring Boot shortens, or by the exception it reports."""
    if logger.startswith((_PACKAGE, "o.s.")) or _PACKAGE + "security." in message:
        return True
    package, _, name = logger.rpartition(".")
    return name.endswith(_CLASSES) and all(len(part) <= 1 for part in package.split("."))


def _verdict(message: str, time_ns: int) -> Parsed:
    if message.startswith(_PASSED) and not message.endswith(_ERROR_PAGE):
        return _passed(message[len(_PASSED) :], time_ns)
    sentences = condensed(message)
    if message.startswith(_CHATTER) or not refuses(sentences):
        raise NotAuth(NAME, "a log line without a verdict")
    is_broken = "AuthenticationServiceException" in message
    outcome = Outcome.ERROR if is_broken else topic.outcome(sentences)
    return Parsed(NAME, time_ns=time_ns, message=sentences, outcome=outcome, responder=Responder.GATEWAY)


def _in_chain(parsed: Parsed, logger: str, thread: str) -> Parsed:
    """The claim's validator, the provider and its manager each tell of one refusal, in this order, on one thread."""
    place = next((place for place, names in enumerate(_CHAIN, 1) if logger.endswith(names)), 0)
    if place and thread and parsed.outcome is not Outcome.ALLOWED:
        parsed.is_fragment, parsed.thread, parsed.place = True, thread, place
    return parsed


def _passed(request: str, time_ns: int) -> Parsed:
    """`GET /path?query`. Raises NotAuth for another sentence."""
    method, _, path = request.partition(" ")
    if not method.isupper() or path[:1] != "/" or " " in path:
        raise NotAuth(NAME, "a log line without a verdict")
    return Parsed(NAME, time_ns=time_ns, method=method, path=path, outcome=Outcome.ALLOWED)


def _challenge(value: str) -> Parsed:
    status = challenge_status(value)
    return Parsed(NAME, status=status, challenge=value, outcome=Outcome.DENIED, responder=Responder.GATEWAY)


_LOGGER_KEYS: Final = ("logger_name", "loggerName", "log.logger", "logger")
_TIME_KEYS: Final = ("@timestamp", "timestamp", "timeMillis", "time")
_THREAD_KEYS: Final = ("thread_name", "thread", "process.thread.name")


def _fields(fields: Mapping[str, Any], near_ns: int) -> Parsed | None:
    """Logback's and Log4j's JSON layouts: logger, message and stack trace."""
    logger = as_text(first_of(fields, _LOGGER_KEYS))
    if not is_own(logger) or "." not in logger:
        return None
    message = words_of(fields, "message", "msg")
    stack = words_of(fields, "stack_trace", "error.stack_trace", "thrown", "exception")
    when = next((fields[name] for name in _TIME_KEYS if name in fields), None)
    thread = as_text(first_of(fields, _THREAD_KEYS))
    return _in_chain(_verdict(f"{message}\n{stack}" if stack else message, any_ns(when, near_ns)), logger, thread)
