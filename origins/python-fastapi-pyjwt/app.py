"""FastAPI and PyJWT: the key client with its defaults, and a dependency that guards the route."""

import os
from typing import Annotated

import jwt
import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

ISSUER = os.environ.get("ISSUER", "https://gateway.example.com/issuer")
JWKS_URL = os.environ.get("JWKS_URL", f"{ISSUER}/.well-known/jwks.json")
AUDIENCE = os.environ.get("AUDIENCE", "https://orders.example.com")
PORT = int(os.environ.get("PORT", "8888"))
LISTEN_HOST = os.environ.get("LISTEN_HOST", "127.0.0.1")

keys = jwt.PyJWKClient(JWKS_URL)
bearer = HTTPBearer(auto_error=False)


def refused(error=None):
    challenge = "Bearer" if error is None else f'Bearer error="{error}"'
    return HTTPException(401, "Unauthorized", headers={"WWW-Authenticate": challenge})


# Not async, so that FastAPI runs it in its thread pool: the key client blocks while it fetches.
def claims(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]):
    if credentials is None:
        raise refused()
    token = credentials.credentials
    try:
        key = keys.get_signing_key_from_jwt(token)
        return jwt.decode(
            token,
            key,
            algorithms=["RS256", "ES256"],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": ["exp", "iss", "aud", "sub"]},
        )
    except jwt.PyJWTError as error:
        raise refused("invalid_token") from error


app = FastAPI(openapi_url=None)


@app.get("/protected")
def protected(user: Annotated[dict, Depends(claims)], response: Response):
    response.headers["Cache-Control"] = "no-store"
    return {"message": "Access granted", "user": user}


if __name__ == "__main__":
    uvicorn.run(app, host=LISTEN_HOST, port=PORT, log_level="warning")
