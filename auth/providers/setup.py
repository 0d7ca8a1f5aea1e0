"""Setting providers up: presets, checks, and what the provider says about itself."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from stackyard.core import cache, outbound
from stackyard.core.errors import Detail, Problem, invalid_input
from stackyard.core.models import Workspace
from stackyard.core.names import is_name

from ..oauth.people import people_table
from .models import Provider

_KEPT_SECONDS = 3600
CONSOLE_ID = 0
"""What stands for the console where a workspace's id is asked for."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A known provider. One without `metadata` is asked for it, at its issuer (OpenID Connect Discovery 1.0)."""

    label: str
    scopes: str
    issuer: str = ""
    metadata: Mapping[str, Any] | None = None
    hint: str = ""


PRESETS: Mapping[str, Preset] = {
    "google": Preset("Google", "openid email", "https://accounts.google.com"),
    "microsoft": Preset(
        "Microsoft",
        "openid email",
        hint="The issuer is https://login.microsoftonline.com/TENANT/v2.0, with the id of your tenant.",
    ),
    "github": Preset(
        "GitHub",
        "read:user user:email",
        metadata={
            "issuer": "https://github.com/login/oauth",
            "authorization_endpoint": "https://github.com/login/oauth/authorize",
            "token_endpoint": "https://github.com/login/oauth/access_token",
            "userinfo_endpoint": "https://api.github.com/user",
            "emails_endpoint": "https://api.github.com/user/emails",
            # The only way that its documentation knows.
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        },
    ),
    "oidc": Preset("OpenID Connect", "openid email", hint="The issuer is what its discovery document says."),
}


def set_up(
    workspace: Workspace | None,
    name: str,
    preset: str,
    client_id: str,
    client_secret: str,
    *,
    issuer: str = "",
    label: str = "",
    table: str | None = None,
    redirect_uris: Sequence[str] = (),
) -> Provider:
    """A new provider. Problem `INVALID_INPUT` with every fault, `CONFLICT` for a name that is taken."""
    found = PRESETS.get(preset)
    faults = []
    if not is_name(name):
        faults.append(Detail("name", "name", "use letters, digits and _, beginning with a letter"))
    if found is None:
        faults.append(Detail("preset", "unknown", f"use one of {', '.join(PRESETS)}"))
        raise invalid_input(faults)
    issuer = issuer.rstrip("/") if preset in ("oidc", "microsoft") else found.issuer
    faults += [Detail("issuer", "issuer", fault)] if (fault := _issuer_fault(issuer, found)) else []
    faults += [
        Detail(part, "required", "is needed")
        for part, given in (("client_id", client_id), ("client_secret", client_secret))
        if not given
    ]
    if workspace is not None and not redirect_uris:
        faults.append(Detail("redirect_uris", "required", "where does a login lead back to?"))
    faults += [
        Detail("redirect_uris", "redirect_uri", f"{u!r} is no https address")
        for u in redirect_uris
        if not _is_safe(u)
    ]
    if faults:
        raise invalid_input(faults)
    if Provider.objects.filter(workspace=workspace, name=name).exists():
        raise Problem("CONFLICT", f"There is a provider {name} already.")
    made = Provider(
        workspace=workspace,
        name=name,
        label=label or found.label,
        preset=preset,
        issuer=issuer,
        client_id=client_id,
        redirect_uris="\n".join(redirect_uris),
        table_id=people_table(workspace.pk, table) if workspace is not None else None,
    )
    made.secret = client_secret
    metadata_of(made)
    made.save()
    return made


def remove(provider: Provider) -> None:
    """Take a provider away, and what it said about people; their records and sign-ins stay."""
    with transaction.atomic():
        provider.delete()


def _issuer_fault(issuer: str, preset: Preset) -> str | None:
    if preset.metadata is not None:
        return None
    return None if _is_safe(issuer) else "expected an https address, such as https://id.example.com"


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    )


def metadata_of(provider: Provider) -> Mapping[str, Any]:
    """What a provider says about itself, an hour old at most. Problem `PROVIDER_FAILED` when it cannot be believed."""
    preset = PRESETS[provider.preset]
    if preset.metadata is not None:
        return preset.metadata
    found = fetched(f"{provider.issuer}/.well-known/openid-configuration")
    # A document of another issuer would send codes elsewhere (mix-up; Discovery 1.0 §4.3).
    if str(found.get("issuer", "")).rstrip("/") != provider.issuer:
        raise provider_failed("its discovery document names another issuer")
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(found.get(name), str) or not _is_safe(found[name]):
            raise provider_failed(f"its discovery document has no {name}")
    return found


def fetched(url: str, *, afresh: bool = False) -> Mapping[str, Any]:
    """A public JSON document of a provider, an hour old at most. Problem `PROVIDER_FAILED`."""
    key = f"provider:{url}"
    held = None if afresh else cache.get(_cache_of(), key)
    if isinstance(held, dict):
        return held
    answer = outbound.request("GET", url, timeout=10, max_bytes=1_000_000)
    found = json_of(answer)
    cache.set(_cache_of(), key, found, _KEPT_SECONDS)
    return found


def json_of(answer: outbound.Response) -> dict[str, Any]:
    """The JSON object of an answer. Problem `PROVIDER_FAILED` for anything else."""
    found = parsed(answer)
    if answer.status != 200 or not isinstance(found, dict):
        raise provider_failed(f"it answered {answer.status}")
    return found


def parsed(answer: outbound.Response) -> Any:
    """The JSON of an answer, whatever it says of its type; None when it is none."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def provider_failed(why: str) -> Problem:
    """The provider cannot be used now."""
    return Problem(
        "PROVIDER_FAILED",
        f"The login provider cannot be used: {why}.",
        status=502,
        suggestion="Try again later; if it stays so, its settings here are wrong.",
    )


def _cache_of() -> int:
    # No workspace has an id below zero, so no stack reads this part of the cache.
    return -1_000_000_000


def back_of_console() -> str:
    """Where a provider sends people of the console back to: to be registered with it."""
    return f"{settings.PUBLIC_URL}/oauth/console/back"
