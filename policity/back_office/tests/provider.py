"""A small OpenID Connect provider over HTTP, as strict as the standard: for tests of our side.

It checks the redirect address, the client's secret and the PKCE verifier; `says` are the claims of
the next person, `spoils` changes what it would send.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "policity", "the-secret-of-the-city"


class Provider:
    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.says: dict[str, Any] = {}
        self.spoils: Callable[[dict[str, Any]], Any] = lambda claims: None
        self.signs_with = self.key
        self.codes: dict[str, dict[str, str]] = {}
        self.down = False
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(provider.get(urlsplit(self.path)))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = {key: values[0] for key, values in parse_qs(body).items()}
                self.answer(provider.token(form, self.headers.get("Authorization", "")))

            def answer(self, said: dict[str, Any] | str | None) -> None:
                self.send_response(302 if isinstance(said, str) else 200 if said else 400)
                if isinstance(said, str):
                    self.send_header("Location", said)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(said or {"error": "invalid_grant"}).encode())

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, asked: Any) -> dict[str, Any] | str | None:
        if self.down:
            return None
        if asked.path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        if asked.path == "/keys":
            own = jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return {"keys": [own | {"kid": "one", "alg": "RS256", "use": "sig"}]}
        if asked.path == "/authorize":
            said = {key: values[0] for key, values in parse_qs(asked.query).items()}
            assert said["response_type"] == "code"
            assert said["client_id"] == CLIENT
            assert said["code_challenge_method"] == "S256"
            assert len(said["nonce"]) >= 16
            code = secrets.token_urlsafe(8)
            self.codes[code] = said
            return f"{said['redirect_uri']}?{urlencode({'code': code, 'state': said['state']})}"
        return None

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        asked = self.codes.pop(form.get("code", ""), None)
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or authorization != f"Basic {basic}"
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return None
        claims = {
            "iss": self.issuer, "sub": "1", "aud": CLIENT, "iat": int(time.time()),
            "exp": int(time.time()) + 300, "nonce": asked["nonce"],
        } | self.says  # fmt: skip
        self.spoils(claims)
        signed = jwt.encode(claims, self.signs_with, algorithm="RS256", headers={"kid": "one"})
        return {
            "access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": signed,
        }  # fmt: skip

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
