"""The tutorial's origin as it should be: same route, same answer to a valid token."""

import asyncio
import os
from functools import wraps

import tornado.web

from keys import KeySet, KeysUnavailable
from verify import Refused, Verifier

ISSUER = os.environ.get("ISSUER", "https://my-api-a32f34.zuplo.api/__zuplo/issuer")
JWKS_URL = os.environ.get("JWKS_URL", f"{ISSUER}/.well-known/jwks.json")
AUDIENCE = os.environ.get("AUDIENCE", "https://orders.example.com")
PORT = int(os.environ.get("PORT", "8888"))
LISTEN_HOST = os.environ.get("LISTEN_HOST", "127.0.0.1")

REALM = 'Bearer realm="tornado"'
# Above what a token may have, so that a long one is refused with an answer and not by closing the connection.
MAX_HEADER_OCTETS = 256 * 1024


def jwt_required(method):
    @wraps(method)
    async def guarded(self, *args, **kwargs):
        lines = self.request.headers.get_list("Authorization")
        if not lines:
            self.refuse(401, REALM, "no credentials")
            return
        scheme, _, token = lines[0].partition(" ")
        if len(lines) > 1 or scheme.lower() != "bearer":
            self.refuse(401, f'{REALM}, error="invalid_token"', "invalid token")
            return
        try:
            self.current_user = await self.application.settings["verifier"].verify(token.strip(" "))
        except Refused:
            self.refuse(401, f'{REALM}, error="invalid_token"', "invalid token")
            return
        except KeysUnavailable:
            self.set_header("Retry-After", "5")
            self.set_status(503)
            self.write({"error": "keys unavailable"})
            return
        return method(self, *args, **kwargs)

    return guarded


class ProtectedHandler(tornado.web.RequestHandler):
    def set_default_headers(self):
        self.set_header("Cache-Control", "no-store")

    def refuse(self, status, challenge, error):
        self.set_status(status)
        self.set_header("WWW-Authenticate", challenge)
        self.write({"error": error})

    @jwt_required
    def get(self):
        self.write({"message": "Access granted", "user": self.current_user})


async def main():
    keys = KeySet(JWKS_URL)
    verifier = Verifier(keys, issuer=ISSUER, audience=AUDIENCE)
    app = tornado.web.Application([(r"/protected", ProtectedHandler)], verifier=verifier)
    app.listen(PORT, address=LISTEN_HOST, max_header_size=MAX_HEADER_OCTETS)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
