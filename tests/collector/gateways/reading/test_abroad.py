"""Refusals in other languages are admitted, and what is in order there is not."""

from __future__ import annotations

import pytest

from collector.gateways.reading.admission import is_admitted
from collector.settings import Settings
from why401.explainer import Explainer

REFUSALS = {
    "Zugriff verweigert: Das Token ist seit 10 Minuten abgelaufen": "token_expired",
    "Die Signatur des Tokens ist ungültig": "signature_invalid",
    "le jeton a expiré": "token_expired",
    "El token ha caducado": "token_expired",
    "O token expirou": "token_expired",
    "il token è scaduto": "token_expired",
    "token is verlopen": "",
    "token wygasł": "token_expired",
    "срок действия токена истек": "token_expired",
    "token süresi doldu": "token_expired",
    "令牌已过期": "token_expired",
    "トークンの有効期限が切れています": "token_expired",
    "토큰이 만료되었습니다": "token_expired",
}


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_read_in_its_language(text: str) -> None:
    """At WARN, behind a common head, as an application writes it."""
    assert is_admitted(text)
    assert Explainer(Settings()).explain(f"2026-03-03 10:00:00,000 WARN [main] auth.Filter - {text}").is_read


def test_most_are_understood() -> None:
    """The learned reader knows the commonest sentences of these languages."""
    right = sum(_code(text) == code for text, code in REFUSALS.items())
    assert right >= len(REFUSALS) // 2


@pytest.mark.parametrize(
    "text",
    [
        "Das Token wurde ausgestellt",
        "Datei nicht gefunden",
        "le serveur a démarré",
        "nueva sesión iniciada",
        "令牌已签发",
        "файл не найден",
    ],
)
def test_what_is_in_order_or_of_something_else_is_not_read(text: str) -> None:
    """A fault without a credential, and a credential without a fault."""
    assert not is_admitted(text)


def _code(text: str) -> str:
    found = Explainer(Settings()).explain(text).diagnosis
    return found.code if found else ""
