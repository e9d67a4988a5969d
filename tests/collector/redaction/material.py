"""Credentials and people of one seed, and the line around them."""

import json
import random

from tests.collector.redaction.samples import b64, letters

KEEP = ("status=401", "kid=k-eu-17")


class Material:
    """Credentials and people of one seed."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.opaque = self.mixed(40)
        self.short = self.mixed(22)
        self.hex = self.rng.randbytes(20).hex()
        self.word = "Zq" + "".join(self.rng.choices("bcdfghjkmnpqrtvwx", k=6)) + str(self.rng.randrange(100, 999)) + "!"
        self.user = f"{letters(self.rng, 6).lower()}.{letters(self.rng, 5).lower()}{self.rng.randrange(10, 99)}"
        self.email = f"{self.user}@mailbox.example"
        self.claims = {"iss": "https://idp.example.com/", "sub": "usr_" + letters(self.rng, 18), "email": self.email}
        self.header = {"alg": self.rng.choice(("RS256", "ES256", "EdDSA", "HS512")), "typ": "at+jwt", "kid": "k-eu-17"}
        self.jwt = ".".join((self.part(self.header), self.part(self.claims), b64(self.rng.randbytes(64))))
        self.payload, self.signature = self.jwt.split(".")[1:]

    def mixed(self, size):
        """Letters of both cases and at least three digits."""
        text = letters(self.rng, size)
        return text if sum(c.isdigit() for c in text) >= 3 and not text.isupper() else self.mixed(size)

    @staticmethod
    def part(value):
        """One part of a JWS."""
        return b64(json.dumps(value).encode())

    def jwt_secrets(self):
        """What must not survive of the token."""
        return [self.payload, self.payload[12:40], self.signature, self.signature[:22]]


def line_with(text):
    return f"2026-11-23T10:00:00.000Z WARN gw auth rejected {text} {KEEP[0]} {KEEP[1]}"
