"""The city's own sign-in: an OpenID Connect provider that says who somebody is.

The authorization code flow with PKCE, a nonce, and the ID token's signature checked (OpenID Connect
Core 1.0, 3.1; RFC 7636). Nobody gets an account by it: it leads to one that exists.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.django_client import OAuth
from django.conf import settings
from django.http import HttpRequest
from joserfc.errors import JoseError
from requests import RequestException

from policity.foundations.accounts.models import User
from policity.foundations.accounts.rules import entering

log = structlog.get_logger("policity.accounts")

SECONDS = 10


class ProviderFailed(Exception):  # noqa: N818  # what is the case
    """The provider did not say who it is. The text says what to do, in Japanese."""


AWAY = "市の認証サーバーで確かめられませんでした。もう一度ためすか、パスワードで入ってください。"
NOBODY = "この市の認証に合う職員の登録がありません。管理者に、登録を確かめてください。"


def begin(request: HttpRequest, *, back: str) -> str:
    """Where the provider asks who it is; the session keeps state, nonce and PKCE verifier.

    Raises ProviderFailed.
    """
    try:
        there: str = _client().authorize_redirect(request, back)["Location"]
    except (RequestException, AuthlibBaseError, OSError, ValueError, RuntimeError) as error:
        raise _failed(error) from error
    return there


def finish(request: HttpRequest) -> Mapping[str, Any]:
    """What the provider says of whoever came back, checked. Raises ProviderFailed."""
    try:
        issuer = {"iss": {"essential": True, "values": [settings.OIDC["issuer"]]}}
        token = _client().authorize_access_token(request, claims_options=issuer)
    except (
        RequestException, AuthlibBaseError, JoseError, OSError, ValueError, KeyError, RuntimeError,
    ) as error:  # fmt: skip
        raise _failed(error) from error
    claims: Mapping[str, Any] | None = token.get("userinfo")
    if claims is None:
        raise _failed(ValueError("no ID token"))
    return claims


def owner(claims: Mapping[str, Any]) -> User:
    """Whose account it is, by the claim that the settings name. Raises ProviderFailed.

    An e-mail address counts where the provider has verified it.
    """
    name = settings.OIDC["claim"]
    said = claims.get(name)
    if not isinstance(said, str) or not said:
        raise ProviderFailed(NOBODY)
    if name == "email" and claims.get("email_verified") is not True:
        raise ProviderFailed(NOBODY)
    field = "email" if name == "email" else "username"
    found = list(User.objects.filter(**{f"{field}__iexact": said}, is_active=True)[:2])
    if len(found) != 1:
        raise ProviderFailed(NOBODY)
    return found[0]


def has_second_factor(claims: Mapping[str, Any]) -> bool:
    """Whether the provider says that it asked for a second factor."""
    return entering.asserts_second(claims.get("amr"), claims.get("acr"))


def _client() -> Any:
    where = settings.OIDC
    oauth = OAuth()
    oauth.register(
        "city",
        server_metadata_url=f"{where['issuer'].rstrip('/')}/.well-known/openid-configuration",
        client_id=where["client"],
        client_secret=Path(where["secret_file"]).read_text().strip(),
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": SECONDS,
        },
    )
    return oauth.city


def _failed(error: Exception) -> ProviderFailed:
    log.warning("provider_failed", error=type(error).__name__)
    return ProviderFailed(AWAY)
