"""What stacks encrypt and sign with keys of their own, by the `cryptography` library and PyJWT.

Encrypted: AES-256-GCM, authenticated (NIST SP 800-38D), with a key made of the secret by HKDF-SHA256 (RFC 5869) and a salt of its
own for each text, so that no two of them share key and nonce. Spelt `v1.` and base64url of salt, nonce and sealed text.
Signed: JWS in its compact form (RFC 7515) with an algorithm that the caller names; what the token says of itself is not believed.
"""

from __future__ import annotations

import base64
import binascii
import os
import time
from collections.abc import Mapping
from typing import Any

import jwt
import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import Detail, Problem, invalid_input
from .jsonout import encode

ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "ES256", "EdDSA")
SHORTEST_KEY = 16
_PREFIX, _SALT, _NONCE = "v1.", 16, 12
_LONGEST = 10_000_000


def _key_of(key: Any, field: str = "key") -> str:
    """A secret that is long enough. Problem `INVALID_INPUT`, which never says what was given."""
    if not isinstance(key, str) or len(key.encode()) < SHORTEST_KEY:
        message = f"expected a secret of at least {SHORTEST_KEY} characters, such as env.MY_KEY"
        raise invalid_input([Detail(field, "length", message)])
    return key


def _cipher(key: str, salt: bytes) -> AESGCM:
    made = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"stackyard.encrypt.v1").derive(key.encode())
    return AESGCM(made)


def encrypt(value: Any, key: Any, context: str = "") -> str:
    """Any JSON value, encrypted: each time another text. `context` is not in it, and must be the same to decrypt it.

    Problem `INVALID_INPUT` for a key that is too short, `PAYLOAD_TOO_LARGE` past 10 MB.
    """
    data = encode(value)
    if len(data) > _LONGEST:
        raise Problem("PAYLOAD_TOO_LARGE", f"At most {_LONGEST:,} bytes can be encrypted.")
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    sealed = _cipher(_key_of(key), salt).encrypt(nonce, data, context.encode())
    return _PREFIX + base64.urlsafe_b64encode(salt + nonce + sealed).decode().rstrip("=")


def decrypt(text: Any, key: Any, context: str = "") -> Any:
    """What was encrypted. Problem `DECRYPTION_FAILED` for another key or context, and for a text that was changed."""
    secret = _key_of(key)
    try:
        if not isinstance(text, str) or not text.startswith(_PREFIX):
            raise ValueError
        body = text.removeprefix(_PREFIX)
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        nonce, sealed = raw[_SALT : _SALT + _NONCE], raw[_SALT + _NONCE :]
        return orjson.loads(_cipher(secret, raw[:_SALT]).decrypt(nonce, sealed, context.encode()))
    except (ValueError, binascii.Error, InvalidTag):
        raise Problem(
            "DECRYPTION_FAILED",
            "The text can't be decrypted.",
            status=400,
            suggestion="It was changed, or encrypted with another key or context.",
        ) from None


def sign(payload: Any, key: Any, algorithm: str, expires_in: int | None) -> str:
    """An object as a signed token (JWS); with `expires_in` it says until when it is good (`exp`, `iat`).

    Problem `INVALID_INPUT` for a payload that is no object, or a key that does not fit the algorithm.
    """
    if not isinstance(payload, Mapping):
        raise invalid_input([Detail("payload", "type", "expected an object")])
    claims = orjson.loads(encode(dict(payload)))
    if expires_in is not None:
        now = int(time.time())
        claims |= {"iat": now, "exp": now + expires_in}
    try:
        return jwt.encode(claims, _key_of(key), algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        raise _unfit(algorithm) from None


def verify(token: Any, key: Any, algorithm: str) -> dict[str, Any]:
    """The payload of a token that was signed with this key and is not out of date. Problem `INVALID_SIGNATURE` (401) for any other."""
    secret = _key_of(key)
    options: Any = {"verify_aud": False, "verify_iss": False, "verify_sub": False, "verify_jti": False}
    try:
        if not isinstance(token, str):
            raise jwt.InvalidTokenError
        claims: dict[str, Any] = jwt.decode(token, secret, algorithms=[algorithm], options=options)
    except jwt.InvalidKeyError:
        raise _unfit(algorithm) from None
    except (jwt.PyJWTError, ValueError, TypeError):
        raise Problem(
            "INVALID_SIGNATURE",
            "The token is not signed with this key, or is out of date.",
            status=401,
        ) from None
    return claims


def _unfit(algorithm: str) -> Problem:
    message = f"does not fit {algorithm}: HS… take a secret text, the others a key in PEM"
    return invalid_input([Detail("key", "value", message)])
