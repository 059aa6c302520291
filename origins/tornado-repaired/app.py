"""The published tutorial's origin with the least change that lets a valid token in. What else is wrong stays."""

import os
from functools import wraps

import requests
import tornado.ioloop
import tornado.web
from cachetools import TTLCache
from jose import jwt
from jose.exceptions import ExpiredSignatureError, JWTError

ISSUER = os.environ.get("ISSUER", "https://my-api-a32f34.zuplo.api/__zuplo/issuer")
JWKS_URL = os.environ.get("JWKS_URL", f"{ISSUER}/.well-known/jwks.json")
PORT = int(os.environ.get("PORT", "8888"))
LISTEN_HOST = os.environ.get("LISTEN_HOST", "127.0.0.1")
ALGORITHMS = ["RS256"]
# REPAIR: the audience that the gateway puts into its tokens.
AUDIENCE = os.environ.get("AUDIENCE")

# FAULT: ten minutes without a second look, so that after a rotation every new kid is refused until it expires.
cached_documents = TTLCache(maxsize=10, ttl=600)


def fetch_jwks():
    if JWKS_URL not in cached_documents:
        # FAULT: blocks the event loop, and for as long as the issuer likes, since there is no timeout.
        response = requests.get(JWKS_URL)
        response.raise_for_status()
        cached_documents[JWKS_URL] = response.json()
    return cached_documents[JWKS_URL]


def find_key(token):
    header = jwt.get_unverified_header(token)
    for jwk in fetch_jwks()["keys"]:
        # FAULT: a token without kid ends in a KeyError, which is a 500.
        if jwk["kid"] == header["kid"]:
            # REPAIR: python-jose takes the JWK as it is.
            return jwk
    raise JWTError("Unable to find appropriate key")


def jwt_required(method):
    @wraps(method)
    def guarded(self, *args, **kwargs):
        header = self.request.headers.get("Authorization")
        if not header or not header.startswith("Bearer "):
            # FAULT: 401 without WWW-Authenticate, here and below.
            self.set_status(401)
            self.write({"error": "No token provided"})
            return
        token = header[7:]
        try:
            # FAULT: neither exp nor any other claim is required.
            # REPAIR: an expected audience; without one python-jose refuses every token that has one.
            self.current_user = jwt.decode(
                token, find_key(token), algorithms=ALGORITHMS, issuer=ISSUER, audience=AUDIENCE
            )
        except ExpiredSignatureError:
            self.set_status(401)
            self.write({"error": "Token has expired"})
            return
        except JWTError as error:
            self.set_status(401)
            # FAULT: tells the caller what the library said.
            self.write({"error": "Invalid token", "details": str(error)})
            return
        return method(self, *args, **kwargs)

    return guarded


class ProtectedHandler(tornado.web.RequestHandler):
    @jwt_required
    def get(self):
        self.write({"message": "Access granted", "user": self.current_user})


if __name__ == "__main__":
    tornado.web.Application([(r"/protected", ProtectedHandler)]).listen(PORT, address=LISTEN_HOST)
    tornado.ioloop.IOLoop.current().start()
