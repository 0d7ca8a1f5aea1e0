"""One login with a provider: authorization code with PKCE, state, nonce and issuer checked (RFC 9700, OpenID Connect Core 1.0 §3.1)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from stackyard.core import cache, outbound
from stackyard.core.errors import Problem
from stackyard.core.secrets import digest

from .models import Provider
from .setup import PRESETS, fetched, json_of, metadata_of, parsed, provider_failed

SECONDS = 600
"""How long somebody may take at the provider."""
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"]
"""By key pairs only: with an HMAC the client secret would be the key."""


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the provider has named. `email` is None unless the provider says that it was proved."""

    subject: str
    email: str | None


class _Answer:
    """An answer of the one door out, as Authlib reads it."""

    def __init__(self, answer: outbound.Response) -> None:
        self._answer = answer
        self.status_code = answer.status

    def json(self) -> Any:
        found = parsed(self._answer)
        if not isinstance(found, dict):
            raise provider_failed(f"it answered {self.status_code} without tokens")
        return found

    def raise_for_status(self) -> None:
        raise provider_failed(f"it answered {self.status_code}")


class _Door:
    """What Authlib takes for a session of an HTTP client: `core.outbound`."""

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> _Answer:
        url, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        answer = outbound.request(
            "POST",
            url,
            headers={name: value for name, value in sent.items() if name.lower() != "content-length"},
            body=body,
            body_type="raw",
            timeout=15,
            follow_redirects=False,
            retries=0,
            max_bytes=1_000_000,
        )
        return _Answer(answer)


def start(provider: Provider, redirect_uri: str) -> dict[str, str]:
    """Begin a login: the provider's page, and the state that must come back to the same browser.

    Problem `INVALID_INPUT` for a page that is not registered, `PROVIDER_FAILED`.
    """
    found = metadata_of(provider)
    client = _client(provider, redirect_uri)
    verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    more = {"nonce": nonce} if "jwks_uri" in found else {}
    url, state = client.create_authorization_url(
        found["authorization_endpoint"], state=secrets.token_urlsafe(32), code_verifier=verifier, **more
    )
    kept = {"provider": provider.pk, "verifier": verifier, "nonce": nonce, "redirect_uri": redirect_uri}
    cache.set(_place(provider), _key(state), kept, SECONDS)
    return {"url": url, "state": state}


def finish(provider: Provider, state: str, code: str, iss: str | None = None) -> Person:
    """Exchange a code for a name. Each state is good once.

    Problem `LOGIN_FAILED` 401 for a state or code that is not good, `PROVIDER_FAILED`.
    """
    key = _key(state)
    kept = cache.get(_place(provider), key)
    # Whoever deletes it has it: of two who come at once one is refused.
    if not cache.delete(_place(provider), key) or not isinstance(kept, dict):
        raise login_failed("It took too long, or was used already.")
    if kept["provider"] != provider.pk:
        raise login_failed("It began with another provider.")
    found = metadata_of(provider)
    _check_issuer(found, iss)
    client = _client(provider, kept["redirect_uri"])
    try:
        token = client.fetch_token(
            found["token_endpoint"],
            grant_type="authorization_code",
            code=code,
            code_verifier=kept["verifier"],
            redirect_uri=kept["redirect_uri"],
        )
    except (AuthlibBaseError, ValueError):
        raise login_failed("The provider did not accept its code.") from None
    if "jwks_uri" not in found:
        return _github_person(found, str(token.get("access_token", "")))
    return _person(_claims(provider, found, dict(token), kept["nonce"]))


def _client(provider: Provider, redirect_uri: str) -> OAuth2Client:
    return OAuth2Client(
        _Door(),
        client_id=provider.client_id,
        client_secret=provider.secret.reveal(),
        token_endpoint_auth_method=_proof(provider),
        scope=PRESETS[provider.preset].scopes,
        redirect_uri=redirect_uri,
        code_challenge_method="S256",
    )


def _proof(provider: Provider) -> str:
    known = metadata_of(provider).get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"


def _check_issuer(found: Mapping[str, Any], iss: str | None) -> None:
    """RFC 9207 §2.4: the answer came from the provider that was asked."""
    promised = found.get("authorization_response_iss_parameter_supported") is True
    if (promised or iss is not None) and iss != found.get("issuer"):
        raise login_failed("The answer is from another provider.")


def _claims(
    provider: Provider, found: Mapping[str, Any], token: Mapping[str, Any], nonce: str
) -> Mapping[str, Any]:
    for afresh in (False, True):
        try:
            keys = KeySet.import_key_set(fetched(found["jwks_uri"], afresh=afresh))  # type: ignore[arg-type]
            signed = jwt.decode(str(token.get("id_token", "")), keys, algorithms=_ALGORITHMS)
            options = {
                "iss": {"essential": True, "value": found["issuer"]},
                "aud": {"essential": True, "value": provider.client_id},
            }
            params = {
                "nonce": nonce,
                "client_id": provider.client_id,
                "access_token": token.get("access_token"),
            }
            claims = CodeIDToken(signed.claims, signed.header, options, params)
            claims.validate(leeway=60)
            return dict(claims)
        except (JoseError, AuthlibBaseError, ValueError, KeyError, TypeError):
            # Once more with the keys of now: the provider may have changed them.
            if afresh:
                raise login_failed("What the provider said is not signed as it should be.") from None
    raise AssertionError


def _person(claims: Mapping[str, Any]) -> Person:
    email = claims.get("email")
    is_proved = claims.get("email_verified") is True
    return Person(str(claims["sub"]), str(email).lower() if email and is_proved else None)


def _github_person(found: Mapping[str, Any], token: str) -> Person:
    """GitHub is no OpenID provider: who it is, and the proved address, come from its API."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    user = json_of(
        outbound.request("GET", found["userinfo_endpoint"], headers=headers, follow_redirects=False)
    )
    if type(user.get("id")) is not int:
        raise provider_failed("it does not say who it is")
    answer = outbound.request("GET", found["emails_endpoint"], headers=headers, follow_redirects=False)
    return Person(str(user["id"]), _proved_address(answer))


def _proved_address(answer: outbound.Response) -> str | None:
    """GitHub's primary address, if it is proved; None too when it does not tell any. Problem `PROVIDER_FAILED` for nonsense.

    404 and 403 are its answers to a token without `user:email`, which the person may have left out.
    """
    if answer.status in (403, 404):
        return None
    told = parsed(answer)
    if answer.status != 200 or not isinstance(told, list) or not all(isinstance(e, dict) for e in told):
        raise provider_failed(f"it answered {answer.status} when asked for e-mail addresses")
    proved = [e.get("email") for e in told if e.get("primary") is True and e.get("verified") is True]
    if len(proved) > 1 or not all(isinstance(email, str) and "@" in email for email in proved):
        raise provider_failed("its list of e-mail addresses is not as it should be")
    return proved[0].lower() if proved else None


def _place(provider: Provider) -> int:
    return -(provider.workspace_id or 1_000_000_000)


def _key(state: str) -> str:
    return f"login:{digest(state)}"


def login_failed(why: str) -> Problem:
    """401 for a login that did not work out."""
    return Problem("LOGIN_FAILED", f"The login did not work. {why}", status=401, suggestion="Begin again.")
