"""Redaction leaves the words a diagnosis is made of."""

import tomllib
from pathlib import Path

import pytest

import analyzer.knowledge
from analyzer.knowledge import read_words
from collector.redaction import redact

KNOWLEDGE = Path(analyzer.knowledge.__file__).parent
FILES = sorted(KNOWLEDGE.glob("gateways/*/words.toml")) + sorted(KNOWLEDGE.glob("libraries/*/words.toml"))
# Where gateways put a library's message: behind words that announce a credential, and in structured fields.
CONTEXTS = [
    "{}",
    "error={}",
    'level=warn msg="auth failed" err="{}"',
    '{{"level":"warn","error":"{}","status":401}}',
    'Bearer error="invalid_token", error_description="{}"',
]
BEHIND_A_KEY = [
    "token: {}",
    "Unable to validate the token: {}",
    "failed to verify jwt: {}",
    "invalid bearer token: {}",
    "authorization: {}",
]


def _examples(path):
    signatures = tomllib.loads(path.read_text(encoding="utf-8"))["signature"]
    return [example for signature in signatures for example in signature["examples"]]


def _best(text, gateway):
    readings = read_words(text, gateway=gateway)
    return readings[0].code if readings else None


def _lost(path, context, examples):
    gateway = path.stem if path.parent.name == "gateways" else ""
    texts = [context.format(example) for example in examples]
    return [text for text in texts if _best(redact(text).text, gateway) != _best(text, gateway)]


def test_every_knowledge_file_is_tried():
    """A glob that finds nothing would pass: there are as many files and examples as there were, or more."""
    assert len(FILES) >= 73
    assert sum(len(_examples(path)) for path in FILES) >= 2081


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_a_message_means_the_same_afterwards(path):
    """Each example of the knowledge base gives the same best code before and after redaction, in every context."""
    examples = _examples(path)
    assert examples
    assert {context: lost for context in CONTEXTS if (lost := _lost(path, context, examples))} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_a_sentence_behind_a_credentials_key_is_read_as_one(path):
    """`token: ` before a message of three words and more takes nothing of its meaning; what is quoted there is a value."""
    sentences = list(filter(_is_sentence, _examples(path)))
    assert {context: lost for context in BEHIND_A_KEY if (lost := _lost(path, context, sentences))} == {}


def _is_sentence(example):
    """Three words; a name like `mpJwtPublicKey` at the beginning may be a secret as well."""
    words = [word.strip(",.;:'\"()[]").replace("-", "").replace("/", "") for word in example.split()[:3]]
    return len(words) == 3 and "".join(words).isalpha() and example[0] not in "'\"" and not _has_humps(words[0])


def _has_humps(word):
    return word[1:] != word[1:].lower() and not word.isupper()


@pytest.mark.parametrize(
    "text",
    [
        "token: go-jose/go-jose/jwt: validation failed, token not valid yet (nbf)",
        "Unable to validate the token: square/go-jose: unknown json web key type",
        "error=token signature is invalid: crypto/rsa: verification error",
        "invalid token: id_token signature could not be validated, aborting",
        "JWT::Base64DecodeError: Invalid base64 encoding",
        "token: access_token_expired",
        "no matching audience found in token: https://other.acme.test/",
    ],
)
def test_messages_of_libraries_stay_whole(text):
    """Prose behind `token:` and names of errors come back as they went in."""
    assert redact(text).text == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password: hunter user: bob", "hunter"),
        ("token: MyTokenValue", "MyTokenValue"),
        ("password=InvalidPassword", "InvalidPassword"),
        ("token: https://u.test/cb?t=qqqwww12345", "qqqwww12345"),
        ("token: k3y_not_valid_here and more words", "k3y_not_valid_here"),
    ],
)
def test_what_only_resembles_prose_goes(text, secret):
    """A value with a digit, one before another key, or one without a sentence around it is no message."""
    assert secret not in redact(text).text


@pytest.mark.parametrize(
    "text",
    [
        "Could not verify JWT: JWSError (CompactDecodeError Invalid number of parts",
        "ERROR jsonwebtoken: Error(InvalidAudience)",
        "token: inflate() output would exceed 9 bytes",
        "token: Realm [orders] client authentication failed",
        "token: R or S is not below N",
        "oauth2: cannot fetch token: 401 Unauthorized",
        "InvalidJWTToken: Fields `role` and `exp` are required in JWT",
    ],
)
def test_what_belongs_to_a_word_of_a_sentence_stays(text):
    """Brackets, calls, variables and the error that another one wraps are parts of the sentence."""
    assert redact(text).text == text


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("token: s3cr3t() is here", "s3cr3t"),
        ("secret: x9f [prod] is old", "x9f"),
        ("jwt: Error (aB3dE6gH9jK2mN5pQ8rS1tU4", "aB3dE6gH9jK2"),
    ],
)
def test_brackets_save_no_secret(text, secret):
    """A secret before or in brackets still goes."""
    assert secret not in redact(text).text
