"""Signatures over a whole version, manifest included, with a key pair: `model-signing` makes and checks them."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import RegistryError
from paracosm.foundation.extras import needed
from paracosm.registry.versions.manifest import LARGEST_TEXT, SIGNATURE, check_regular

PURPOSE = "a signature"
CURVES = ("secp256r1", "secp384r1", "secp521r1")
PASSWORD = "PARACOSM_KEY_PASSWORD"
"""Environment variable with the password of an encrypted private key."""


def check_key(key: Path, *, private: bool) -> None:
    """Check that `key` is a PEM file with an elliptic-curve key of the right half of a pair.

    Raises:
        RegistryError: it is not, or the extra `signing` is absent.
    """
    serialization = needed("cryptography.hazmat.primitives.serialization", extra="signing", purpose=PURPOSE)
    curves = needed("cryptography.hazmat.primitives.asymmetric.ec", extra="signing", purpose=PURPOSE)
    half = "private" if private else "public"
    try:
        content = key.read_bytes()
    except OSError as fault:
        raise RegistryError(f"{key}: the {half} key cannot be read: {fault.strerror or fault}") from fault
    found: Any = None
    with suppress(ValueError, TypeError):
        found = (
            serialization.load_pem_private_key(content, password=_password())
            if private
            else serialization.load_pem_public_key(content)
        )
    kind = curves.EllipticCurvePrivateKey if private else curves.EllipticCurvePublicKey
    if not isinstance(found, kind) or found.curve.name not in CURVES:
        hint = f" (or ${PASSWORD} does not open it)" if private else ""
        raise RegistryError(
            f"{key}: is no {half} key of the curves {', '.join(CURVES)} in PEM form{hint}; docs/registry.md shows how to make one"
        )


def sign(folder: Path, key: Path) -> None:
    """Sign everything in `folder` and leave the signature in it.

    Args:
        folder: a version with its manifest.
        key: a private key in a PEM file.

    Raises:
        RegistryError: the key cannot be used, or the extra `signing` is absent.
    """
    check_key(key, private=True)
    signing = needed("model_signing.signing", extra="signing", purpose=PURPOSE)
    configured = signing.Config().use_elliptic_key_signer(private_key=key, password=_password())
    configured.set_hashing_config(_hashing()).sign(folder, folder / SIGNATURE)


def check_signature(folder: Path, key: Path, *, reference: str) -> None:
    """Check the signature of a version against a public key.

    Args:
        folder: a version whose digests were checked already.
        key: a public key in a PEM file.
        reference: names the version in an error.

    Raises:
        RegistryError: it is not signed, or by another key, or it was changed after it was signed.
    """
    check_key(key, private=False)
    verifying = needed("model_signing.verifying", extra="signing", purpose=PURPOSE)
    path = folder / SIGNATURE
    if not path.exists() and not path.is_symlink():
        raise RegistryError(f"{reference}: is not signed, and --key asks for a signature")
    check_regular(path, largest=LARGEST_TEXT)
    exceptions = needed("cryptography.exceptions", extra="signing", purpose=PURPOSE)
    configured = verifying.Config().use_elliptic_key_verifier(public_key=key)
    # What the library's parsers raise on a damaged or forged file; it has no error of its own.
    unsound = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)
    try:
        configured.set_hashing_config(_hashing()).verify(folder, path)
    except (*unsound, exceptions.InvalidSignature) as fault:
        raise RegistryError(
            f"{reference}: its signature was not made with the private half of {key}, or not over these files"
        ) from fault


def _password() -> bytes | None:
    return os.environ[PASSWORD].encode() if PASSWORD in os.environ else None


def _hashing() -> Any:
    hashing = needed("model_signing.hashing", extra="signing", purpose=PURPOSE)
    return hashing.Config().set_ignored_paths(paths=[SIGNATURE], ignore_git_paths=False)
