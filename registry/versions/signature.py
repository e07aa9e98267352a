"""Signs all files of a version, manifest included, and verifies the signature; both with the library `model-signing`."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import RegistryError
from paracosm.foundation.extras import require_extra
from paracosm.registry.versions.manifest import LARGEST_TEXT, SIGNATURE, check_regular

EXTRA = ("signing", "a signature")
"""Extra that installs the libraries, and what needs it."""
CURVES = ("secp256r1", "secp384r1", "secp521r1")
PASSWORD = "PARACOSM_KEY_PASSWORD"
"""Environment variable that holds the password of an encrypted private key."""


def check_key(key: Path, *, private: bool) -> None:
    """Check that a PEM file holds an elliptic-curve key that can sign or verify.

    Args:
        key: the file.
        private: whether the private key of a pair is needed; else the public key.

    Raises:
        RegistryError: the file holds no such key.
        MissingExtraError: the extra `signing` is not installed.
    """
    serialization = require_extra("cryptography.hazmat.primitives.serialization", *EXTRA)
    curves = require_extra("cryptography.hazmat.primitives.asymmetric.ec", *EXTRA)
    half = "private" if private else "public"
    try:
        content = key.read_bytes()
    except OSError as error:
        raise RegistryError(f"{key}: the {half} key cannot be read: {error.strerror or error}") from error
    loaded: Any = None
    with suppress(ValueError, TypeError):
        loaded = (
            serialization.load_pem_private_key(content, password=_password())
            if private
            else serialization.load_pem_public_key(content)
        )
    kind = curves.EllipticCurvePrivateKey if private else curves.EllipticCurvePublicKey
    if not isinstance(loaded, kind) or loaded.curve.name not in CURVES:
        hint = f" (or ${PASSWORD} does not decrypt it)" if private else ""
        raise RegistryError(
            f"{key}: is not a {half} key of the curves {', '.join(CURVES)} in PEM format{hint}; docs/registry.md shows how to create one"
        )


def sign(folder: Path, key: Path) -> None:
    """Sign all files in `folder`, and write the signature to `model.sig` in it.

    Args:
        folder: a version with its manifest.
        key: a private key in a PEM file.

    Raises:
        RegistryError: the key cannot be used.
        MissingExtraError: the extra `signing` is not installed.
    """
    check_key(key, private=True)
    signing = require_extra("model_signing.signing", *EXTRA)
    configured = signing.Config().use_elliptic_key_signer(private_key=key, password=_password())
    configured.set_hashing_config(_hashing()).sign(folder, folder / SIGNATURE)


def check_signature(folder: Path, key: Path, *, reference: str) -> None:
    """Check the signature of a version against a public key.

    Args:
        folder: a version with checked digests.
        key: a public key in a PEM file.
        reference: names the version in an error.

    Raises:
        RegistryError: the version is not signed, is signed with another key, or was changed after it was signed.
        MissingExtraError: the extra `signing` is not installed.
    """
    check_key(key, private=False)
    verifying = require_extra("model_signing.verifying", *EXTRA)
    path = folder / SIGNATURE
    if not path.exists() and not path.is_symlink():
        raise RegistryError(f"{reference}: is not signed, but --key requires a signature")
    check_regular(path, largest=LARGEST_TEXT)
    exceptions = require_extra("cryptography.exceptions", *EXTRA)
    configured = verifying.Config().use_elliptic_key_verifier(public_key=key)
    # The library has no exception class for a damaged or forged file; its parsers raise these.
    invalid = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)
    try:
        configured.set_hashing_config(_hashing()).verify(folder, path)
    except (*invalid, exceptions.InvalidSignature) as error:
        raise RegistryError(
            f"{reference}: its signature was not made with the private key that belongs to {key}, or not over these files"
        ) from error


def _password() -> bytes | None:
    return os.environ[PASSWORD].encode() if PASSWORD in os.environ else None


def _hashing() -> Any:
    """Return the hashing settings: every file except the signature itself."""
    hashing = require_extra("model_signing.hashing", *EXTRA)
    return hashing.Config().set_ignored_paths(paths=[SIGNATURE], ignore_git_paths=False)
