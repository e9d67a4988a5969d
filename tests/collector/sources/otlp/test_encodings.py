"""Content codings: round trips, bombs, broken bodies."""

from __future__ import annotations

import gzip
import zlib

import pytest
import zstandard

from collector.sources.otlp.encodings import CODINGS, sniffed
from collector.sources.otlp.receiver import Refusal, Refused
from tests.collector.sources.otlp.rig import body_of

LIMIT = 1 << 20
COMPRESSORS = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}
BOMBS = {name: compress(bytes(LIMIT + 1)) for name, compress in COMPRESSORS.items()}
SAMPLE = bytes(range(256)) * 100


@pytest.mark.parametrize("coding", COMPRESSORS)
@pytest.mark.parametrize("body", [b"", b"x", SAMPLE, bytes(LIMIT)], ids=["empty", "byte", "sample", "at-the-limit"])
def test_round_trip(coding, body):
    """What a sender compressed is what is decoded, up to the limit."""
    assert body == CODINGS[coding](COMPRESSORS[coding](body), LIMIT)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members(coding):
    """A body of several members is their concatenation."""
    compress = COMPRESSORS[coding]

    assert CODINGS[coding](compress(SAMPLE) + compress(b"x"), LIMIT) == SAMPLE + b"x"


@pytest.mark.parametrize("coding", COMPRESSORS)
def test_beyond_the_limit(coding):
    """One byte more than the limit is too large."""
    with pytest.raises(Refused) as caught:
        CODINGS[coding](BOMBS[coding], LIMIT)

    assert caught.value.refusal is Refusal.TOO_LARGE


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda body: body[:-3], id="cut-off"),
        pytest.param(lambda body: b"plain text", id="not-compressed"),
        pytest.param(lambda body: body + b"tail", id="followed-by-garbage"),
    ],
)
def test_broken(coding, damage):
    """A body that is not in its coding is bad data."""
    with pytest.raises(Refused) as caught:
        CODINGS[coding](damage(COMPRESSORS[coding](SAMPLE)), LIMIT)

    assert caught.value.refusal is Refusal.BAD_DATA


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_many_members(coding):
    """Thousands of empty members are refused, as each costs a copy of the rest."""
    with pytest.raises(Refused) as caught:
        CODINGS[coding](COMPRESSORS[coding](b"") * 1000, LIMIT)

    assert caught.value.refusal is Refusal.BAD_DATA


@pytest.mark.parametrize("coding", ["identity", "gzip", "deflate"])
def test_sniffed(coding):
    """A gRPC message says by its first byte how it is compressed."""
    body = body_of("line")

    assert body == sniffed(COMPRESSORS[coding](body), LIMIT)
