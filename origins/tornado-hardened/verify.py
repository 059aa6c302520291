"""Strict verification around python-jose, which checks the signature and nothing else here."""

import base64
import binascii
import json
import math
import re
import time

from jose import jws

ALGORITHMS = {"RS256": {"kty": "RSA"}, "ES256": {"kty": "EC", "crv": "P-256"}}
LEEWAY = 1
MAX_LIFETIME = 3600
MAX_TOKEN = 16 * 1024
MAX_KID = 200
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z", re.ASCII)


class Refused(Exception):
    """The token is not one that the gateway made for this origin, or no longer."""


class Verifier:
    def __init__(self, keys, *, issuer, audience):
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    async def verify(self, token):
        """The claims of the token; raises Refused."""
        if len(token) > MAX_TOKEN or not COMPACT.match(token):
            raise Refused
        header_part, payload_part, signature_part = token.split(".")
        header = strict_object(strict_octets(header_part))
        claims = strict_object(strict_octets(payload_part))
        signature = strict_octets(signature_part)
        algorithm = header.get("alg")
        # python-jose 3.5.0 ignores crit, and takes a b64 that it does not implement.
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or "crit" in header or "b64" in header:
            raise Refused
        kid = header.get("kid")
        if not isinstance(kid, str) or not 0 < len(kid) <= MAX_KID:
            raise Refused
        jwk = await self._keys.find(kid, ALGORITHMS[algorithm]["kty"])
        if jwk is None or not suits(jwk, algorithm):
            raise Refused
        if algorithm == "ES256" and len(signature) != 64:
            raise Refused
        try:
            jws.verify(token, jwk, [algorithm])
        except Exception as error:  # noqa: BLE001 - whatever the library raises, the token was not verified
            raise Refused from error
        self._judge(claims)
        return claims

    def _judge(self, claims):
        now = time.time()
        if claims.get("iss") != self._issuer:
            raise Refused
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        if not all(isinstance(one, str) for one in audiences) or self._audience not in audiences:
            raise Refused
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise Refused
        expires, issued = number(claims, "exp"), number(claims, "iat")
        if now >= expires + LEEWAY or issued > now + LEEWAY or expires - issued > MAX_LIFETIME:
            raise Refused
        if "nbf" in claims and number(claims, "nbf") > now + LEEWAY:
            raise Refused


def number(claims, name):
    value = claims.get(name)
    # bool is a kind of int in Python.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise Refused
    return value


def strict_octets(segment):
    try:
        octets = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except (binascii.Error, ValueError) as error:
        raise Refused from error
    if base64.urlsafe_b64encode(octets).rstrip(b"=").decode() != segment:
        raise Refused
    return octets


def strict_object(octets):
    def once(pairs):
        members = dict(pairs)
        if len(members) != len(pairs):
            raise ValueError("repeated member")
        return members

    def refuse_constant(name):
        raise ValueError(name)

    try:
        value = json.loads(octets.decode("utf-8"), object_pairs_hook=once, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise Refused from error
    if not isinstance(value, dict):
        raise Refused
    return value


def suits(jwk, algorithm):
    if any(jwk.get(name) != value for name, value in ALGORITHMS[algorithm].items()):
        return False
    if jwk.get("alg", algorithm) != algorithm or jwk.get("use", "sig") != "sig":
        return False
    operations = jwk.get("key_ops")
    if operations is not None and (not isinstance(operations, list) or "verify" not in operations):
        return False
    return jwk["kty"] != "RSA" or len(strict_octets(jwk.get("n", ""))) >= 256
