import type { Edit } from './variant.ts'

/** Steps that mend the app.py of the published origin, in the order in which they are applied; each is code that really runs. */
export const PATCHES = {
  /** python-jose takes the JWK as it is. */
  library: [
    {
      from: `            # FAULT: jose.jwt has no attribute "algorithms" (that is PyJWT's), so every token with a known kid ends in
            # an AttributeError, which is a 500: no valid token is ever accepted.
            return jwt.algorithms.RSAAlgorithm.from_jwk(jwk)
`,
      to: `            return jwk
`,
    },
  ],
  audience: [
    {
      from: `ALGORITHMS = ["RS256"]
`,
      to: `ALGORITHMS = ["RS256"]
AUDIENCE = os.environ.get("AUDIENCE")
`,
    },
    {
      from: `            # FAULT: neither exp nor any other claim is required. FAULT: without an expected audience python-jose
            # refuses every token that has one.
            self.current_user = jwt.decode(token, find_key(token), algorithms=ALGORITHMS, issuer=ISSUER)
`,
      to: `            # FAULT: neither exp nor any other claim is required.
            self.current_user = jwt.decode(
                token, find_key(token), algorithms=ALGORITHMS, issuer=ISSUER, audience=AUDIENCE
            )
`,
    },
  ],
  exp: [
    {
      from: `            # FAULT: neither exp nor any other claim is required.
            self.current_user = jwt.decode(
                token, find_key(token), algorithms=ALGORITHMS, issuer=ISSUER, audience=AUDIENCE
            )
`,
      to: `            self.current_user = jwt.decode(
                token,
                find_key(token),
                algorithms=ALGORITHMS,
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require_exp": True, "require_aud": True, "require_iss": True, "require_sub": True},
            )
`,
    },
  ],
  kid: [
    {
      from: `    for jwk in fetch_jwks()["keys"]:
        # FAULT: a token without kid ends in a KeyError, which is a 500.
        if jwk["kid"] == header["kid"]:
`,
      to: `    kid = header.get("kid")
    if not isinstance(kid, str):
        raise JWTError("No kid")
    for jwk in fetch_jwks()["keys"]:
        if jwk.get("kid") == kid:
`,
    },
  ],
  rotation: [
    {
      from: `# FAULT: ten minutes without a second look, so that after a rotation every new kid is refused until it expires.
cached_documents = TTLCache(maxsize=10, ttl=600)


def fetch_jwks():
    if JWKS_URL not in cached_documents:
`,
      to: `cached_documents = TTLCache(maxsize=10, ttl=600)
# At most one look in ten seconds for a kid that is not there.
just_looked = TTLCache(maxsize=1, ttl=10)


def fetch_jwks(again=False):
    if JWKS_URL not in cached_documents or (again and JWKS_URL not in just_looked):
        just_looked[JWKS_URL] = True
`,
    },
    {
      from: `        cached_documents[JWKS_URL] = response.json()
`,
      to: `        keys = response.json()["keys"]
        if not isinstance(keys, list):
            raise ValueError("no key set")
        cached_documents[JWKS_URL] = {"keys": [jwk for jwk in keys if isinstance(jwk, dict)]}
`,
    },
    {
      from: `    for jwk in fetch_jwks()["keys"]:
        if jwk.get("kid") == kid:
            return jwk
`,
      to: `    for again in (False, True):
        for jwk in fetch_jwks(again)["keys"]:
            if jwk.get("kid") == kid:
                return jwk
`,
    },
  ],
  challenge: [
    {
      from: `            # FAULT: 401 without WWW-Authenticate, here and below.
`,
      to: '',
    },
    {
      from: `class ProtectedHandler(tornado.web.RequestHandler):
`,
      to: `class ProtectedHandler(tornado.web.RequestHandler):
    def set_status(self, status_code, reason=None):
        super().set_status(status_code, reason)
        if status_code == 401:
            sent = "Authorization" in self.request.headers
            self.set_header("WWW-Authenticate", 'Bearer realm="tornado"' + (', error="invalid_token"' if sent else ""))

`,
    },
  ],
  fetch: [
    {
      from: `import os
from functools import wraps
`,
      to: `import asyncio
import os
import threading
from functools import wraps
`,
    },
    {
      from: `def fetch_jwks(again=False):
    if JWKS_URL not in cached_documents or (again and JWKS_URL not in just_looked):
        just_looked[JWKS_URL] = True
        # FAULT: blocks the event loop, and for as long as the issuer likes, since there is no timeout.
        response = requests.get(JWKS_URL)
        response.raise_for_status()
        keys = response.json()["keys"]
        if not isinstance(keys, list):
            raise ValueError("no key set")
        cached_documents[JWKS_URL] = {"keys": [jwk for jwk in keys if isinstance(jwk, dict)]}
    return cached_documents[JWKS_URL]
`,
      to: `fetching = threading.Lock()


def is_due(again):
    return JWKS_URL not in cached_documents or (again and JWKS_URL not in just_looked)


def fetch_jwks(again=False):
    if is_due(again):
        with fetching:
            if is_due(again):
                just_looked[JWKS_URL] = True
                response = requests.get(JWKS_URL, timeout=2)
                response.raise_for_status()
                keys = response.json()["keys"]
                if not isinstance(keys, list):
                    raise ValueError("no key set")
                cached_documents[JWKS_URL] = {"keys": [jwk for jwk in keys if isinstance(jwk, dict)]}
    return cached_documents[JWKS_URL]
`,
    },
    {
      from: `    def guarded(self, *args, **kwargs):
`,
      to: `    async def guarded(self, *args, **kwargs):
`,
    },
    {
      from: `            self.current_user = jwt.decode(
                token,
                find_key(token),
`,
      to: `            self.current_user = jwt.decode(
                token,
                await asyncio.to_thread(find_key, token),
`,
    },
  ],
} as const satisfies Readonly<Record<string, readonly Edit[]>>

/** The name of a step. */
export type PatchName = keyof typeof PATCHES
