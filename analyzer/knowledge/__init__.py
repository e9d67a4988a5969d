"""What gateways' and libraries' words mean, and what to change: facts in TOML, each with its proof (README.md).

>>> reading = read_words("Jwt issuer is not configured", gateway="istio")[0]
>>> reading.code, reading.library
('issuer_not_trusted', 'jwt_verify_lib')
>>> fixes_for(reading.code, "istio", "", {"issuer": "https://idp.example.com/"})[0].source
'istio.io/latest/docs/reference/config/security/jwt/#JWTRule'
"""

from __future__ import annotations

from analyzer.knowledge.fix_files import FixEntry
from analyzer.knowledge.fixes import fixes_for, is_harmless
from analyzer.knowledge.match import Reading, read_words
from analyzer.knowledge.meaning import read_meaning
from analyzer.knowledge.signatures import KnowledgeError, Signature, title

__all__ = [
    "FixEntry",
    "KnowledgeError",
    "Reading",
    "Signature",
    "fixes_for",
    "is_harmless",
    "read_meaning",
    "read_words",
    "title",
]
