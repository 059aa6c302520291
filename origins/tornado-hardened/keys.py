"""The gateway's keys: fetched off the event loop, with a timeout, one fetch at a time, again on an unknown kid."""

import asyncio
import json
import time

import requests
from cachetools import TTLCache

MAX_AGE = 600
STALE = 300
COOLDOWN = 10
TIMEOUT = 2
MAX_OCTETS = 256 * 1024


class KeysUnavailable(Exception):
    """No key set can be had, so that nothing can be said about any token."""


class KeySet:
    def __init__(self, url):
        self._url = url
        # Held for MAX_AGE; the copy beside it serves for STALE more while the issuer is away.
        self._fresh = TTLCache(maxsize=1, ttl=MAX_AGE)
        self._held = {}
        self._fetched_at = None
        self._tried_at = None
        self._lock = asyncio.Lock()

    async def find(self, kid, kty):
        """The JWK of that name and type, or None."""
        if "keys" not in self._fresh:
            await self._refresh(lambda: "keys" not in self._fresh)
        elif (kid, kty) not in self._held:
            await self._refresh(lambda: (kid, kty) not in self._held)
        if self._fetched_at is None or time.monotonic() - self._fetched_at > MAX_AGE + STALE:
            raise KeysUnavailable
        return self._held.get((kid, kty))

    async def _refresh(self, still_needed):
        async with self._lock:
            now = time.monotonic()
            if not still_needed():
                return
            if self._tried_at is not None and now - self._tried_at < COOLDOWN:
                return
            self._tried_at = now
            try:
                self._held = await asyncio.to_thread(fetch, self._url)
            except (requests.RequestException, ValueError):
                return
            self._fresh["keys"] = True
            self._fetched_at = time.monotonic()


def fetch(url):
    # The timeout of requests is one for each read: a body that drips would pass it for ever.
    deadline = time.monotonic() + TIMEOUT
    with requests.get(url, timeout=TIMEOUT, stream=True, allow_redirects=False) as response:
        if response.status_code != 200:
            raise ValueError("not 200")
        body = b""
        while chunk := response.raw.read1(16 * 1024, decode_content=True):
            body += chunk
            if len(body) > MAX_OCTETS:
                raise ValueError("too large")
            if time.monotonic() > deadline:
                raise ValueError("too slow")
    document = json.loads(body.decode("utf-8"))
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list):
        raise ValueError("no keys")
    found = {}
    for jwk in keys:
        if isinstance(jwk, dict) and isinstance(jwk.get("kid"), str) and "d" not in jwk:
            # Keys of different types may share a kid (RFC 7517, section 4.5).
            found[(jwk["kid"], jwk.get("kty"))] = jwk
    return found
