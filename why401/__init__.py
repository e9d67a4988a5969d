"""why401: why did the gateway say no?

The Python API: `explain` and `explain_all` give verdicts, `redact` gives a text without secrets, `lake` opens the lake. Importing this package
loads nothing else; each function imports what it needs when it is first called.

>>> from why401 import explain
>>> verdict = explain("jwt.exceptions.ExpiredSignatureError: Signature has expired")
>>> verdict.diagnosis.code, verdict.diagnosis.cause
('token_expired', 'policy')
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

    from collector.settings import Settings
    from why401.explainer import Explanation

__version__: Final = "0.2.0"
__all__ = ["__version__", "explain", "explain_all", "lake", "redact"]


def explain(text: str, *, settings: Settings | None = None, gateway: str = "") -> Explanation:
    r"""Say why one request was refused.

    `text` is one log record, which may span lines (JSON, a stack trace), or a bare token. `settings` names issuers, formats
    and knowledge files, as `collector.settings.load("why401.toml")` returns them; the default knows none. `gateway` is
    the format of the record ("envoy", "kong", …); "" detects it.

    The result is a verdict, without anything secret in it:

    - `diagnosis`: `code`, `cause`, `confidence` (0 to 1), `title`, `evidence`, `rivals`, `missing`, `fix` and more; its code
      is "ok" when the request passed. None when there is no refused request in the record.
    - `event`: the request, the gateway's message and the facts of the token; `event.outcome` is "unread" when no parser
      could read the record.
    - `group`: the failures that one change would fix, by a stable `id`; None when there is no failure.
    - `is_assumed`: no parser knows the record, so it was read as an application's message about a refused request.
    - `is_read` and `unread_reason`: whether `why401 up` reads the record as one about a request, and why not.

    Never raises because of `text`. Raises `collector.errors.ConfigurationError` for a gateway that has no parser and for
    settings that cannot be used, and `analyzer.knowledge.signatures.KnowledgeError` for a knowledge file with a fault.

    >>> verdict = explain('{"response_code": 401, "response_code_details": "jwt_authn_access_denied{Jwt_is_expired}"}')
    >>> verdict.diagnosis.code, verdict.event.gateway.kind, verdict.event.request.status
    ('token_expired', 'envoy', 401)
    >>> explain("bad aud").is_assumed
    True
    """
    return explain_all([text], settings=settings, gateway=gateway)[0]


def explain_all(
    records: str | Iterable[str], *, settings: Settings | None = None, gateway: str = ""
) -> list[Explanation]:
    r"""Say why each of several requests was refused, one verdict per record, in order.

    A text is split into its records as every source splits it: a line is a record, the lines of a stack trace or of a JSON
    object are one. Other iterables hold one record per item. Lines about one request share one verdict, the same
    object, which knows what each of them says; requests that passed are evidence for those refused after them.

    Raises what `explain` raises.

    >>> log = '''2026/03/03 10:00:00 [error] 31#31: *7 auth_jwt: token expired, client: 192.0.2.1, server: api, request: "GET /a HTTP/1.1"
    ... 192.0.2.1 - - [03/Mar/2026:10:00:00 +0000] "GET /a HTTP/1.1" 401 179 "-" "curl/8.1"
    ... 192.0.2.2 - - [03/Mar/2026:10:00:09 +0000] "GET /b HTTP/1.1" 200 5 "-" "curl/8.1"'''
    >>> error, access, passed = explain_all(log)
    >>> error is access, access.event.request.status, access.diagnosis.code, passed.diagnosis.code
    (True, 401, 'token_expired', 'ok')
    """
    from collector.settings import Settings
    from collector.sources.lines import records_of
    from why401.explainer import Explainer

    texts = records_of(records) if isinstance(records, str) else list(records)
    return Explainer(settings or Settings(), gateway).explain_all(texts)


def lake(settings: Settings, *, memory_mib: int = 1024, threads: int = 2) -> duckdb.DuckDBPyConnection:
    """Open the lake for reading, as DuckDB: the views of docs/sql.md, beside the running writer.

    `settings` as `collector.settings.load("why401.toml")` returns them. The connection can read nothing but the lake and
    writes nowhere; its results go on as Arrow, Polars or pandas (docs/python.md). The caller closes it.

    Raises `analyzer.lake.LakeError`, such as NoStore when there is no lake yet.

    >>> from collector.settings import Settings
    >>> lake(Settings(data_dir="/nowhere"))
    Traceback (most recent call last):
    analyzer.lake.errors.NoStore: no store at /nowhere/catalog.sqlite; `why401 up` creates one
    """
    from analyzer.lake import connect_reader

    return connect_reader(settings, memory_mib=memory_mib, threads=threads)


def redact(text: str) -> str:
    """Remove credentials and personal data from a text.

    What was removed leaves a mark with its kind; the number of lines stays the same. Never raises: when a rule fails, the
    whole text is withheld. What the rules find and what they miss: docs/redaction.md.

    >>> redact("GET /orders?access_token=c2VjcmV0LXRva2VuLTEyMw from 203.0.113.9")
    'GET /orders?access_token=[secret] from 203.0.113.0/24'
    """
    from collector.redaction import redact as redacted

    return redacted(text).text
