"""Flask and Authlib: a resource protector with a validator of JWT bearer tokens, keys from a cached JWKS."""

import os
import threading

import requests
from authlib.integrations.flask_oauth2 import ResourceProtector, current_token
from authlib.oauth2.rfc6750 import BearerTokenValidator, InvalidTokenError
from cachetools import TTLCache, cached
from flask import Flask, jsonify
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from waitress import serve

ISSUER = os.environ.get("ISSUER", "https://gateway.example.com/issuer")
JWKS_URL = os.environ.get("JWKS_URL", f"{ISSUER}/.well-known/jwks.json")
AUDIENCE = os.environ.get("AUDIENCE", "https://orders.example.com")
PORT = int(os.environ.get("PORT", "8888"))
LISTEN_HOST = os.environ.get("LISTEN_HOST", "127.0.0.1")

rules = jwt.JWTClaimsRegistry(
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": AUDIENCE},
    sub={"essential": True},
    exp={"essential": True},
)


@cached(TTLCache(maxsize=1, ttl=300), lock=threading.Lock())
def key_set():
    response = requests.get(JWKS_URL, timeout=2)
    response.raise_for_status()
    return KeySet.import_key_set(response.json())


class GatewayToken(dict):
    def is_expired(self):
        return False

    def is_revoked(self):
        return False

    def get_scope(self):
        return self.get("scope", "")


class GatewayTokenValidator(BearerTokenValidator):
    def authenticate_token(self, token_string):
        try:
            token = jwt.decode(token_string, key_set(), algorithms=["RS256", "ES256"])
            rules.validate(token.claims)
        except (JoseError, ValueError):
            return None
        return GatewayToken(token.claims)

    def validate_token(self, token, scopes, request):
        if token is None:
            raise InvalidTokenError()


require_gateway = ResourceProtector()
require_gateway.register_token_validator(GatewayTokenValidator())
app = Flask(__name__)


@app.get("/protected")
@require_gateway()
def protected():
    answer = jsonify(message="Access granted", user=dict(current_token))
    answer.headers["Cache-Control"] = "no-store"
    return answer


if __name__ == "__main__":
    serve(app, host=LISTEN_HOST, port=PORT, threads=8)
