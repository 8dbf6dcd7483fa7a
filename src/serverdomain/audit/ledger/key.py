"""The Ed25519 key that signs checkpoints: two PEM files, of which the public one may go anywhere.

The only module here that imports `cryptography`, which comes with the extra ``audit``.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

from serverdomain.audit.ledger import given
from serverdomain.errors import ExtraMissing, InvalidInput

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )
except ModuleNotFoundError:
    raise ExtraMissing("a signature", "cryptography", "audit") from None

_ED25519 = b"\x01"
"""The signature type of C2SP's signed note."""

_LARGEST_FILE = 10_000


def public_path(path: str | Path) -> Path:
    """Where the public half of a key's file lies."""
    return Path(f"{path}.pub")


def require_apart(key: str | Path, *files: Path) -> None:
    """Raise `InvalidInput` for a key that would lie in a file that is written besides."""
    written = {_found_at(file) for file in files}
    for half in (Path(key), public_path(key)):
        if _found_at(half) in written:
            raise InvalidInput(
                "key", f"{half} is written besides, a key in a file of its own is allowed"
            )


class PublicKey:
    """The public half: it says whether a signature is the key's."""

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key

    @classmethod
    def read(cls, path: str | Path) -> PublicKey:
        """Read either half from a PEM file. Raises `InvalidInput`."""
        path = Path(path)
        pem = given.read(path, "key", "a key's file", _LARGEST_FILE)
        if b"PRIVATE KEY" in pem:
            return _private(path, pem).public
        try:
            found: object = serialization.load_pem_public_key(pem)
        except (ValueError, UnsupportedAlgorithm):
            found = None
        if not isinstance(found, Ed25519PublicKey):
            raise _no_key(path)
        return cls(found)

    def id_for(self, name: str) -> bytes:
        """The four bytes by which a signature under a name tells its key."""
        raw = self._key.public_bytes_raw()
        return sha256(name.encode() + b"\n" + _ED25519 + raw).digest()[:4]

    def signed(self, signature: bytes, text: bytes) -> bool:
        """Whether a signature is the key's, of a text."""
        try:
            self._key.verify(signature, text)
        except InvalidSignature:
            return False
        return True

    def pem(self) -> bytes:
        """The content of its file."""
        return self._key.public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


class SigningKey:
    """The private half, and ``public``, the other. It shows nothing of itself."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    @classmethod
    def read_or_make(cls, path: str | Path) -> tuple[SigningKey, bool]:
        """The key of a PEM file, and whether it was made now, for lack of one.

        A file that is made is readable by its owner alone; its public half is put beside it, as
        ``.pub``. Nothing is overwritten. Raises `InvalidInput`.
        """
        from serverdomain.store import durable  # Not for who only checks a proof.

        path = Path(path)
        public = public_path(path)
        make = not os.path.lexists(path)
        if make and os.path.exists(public):
            raise InvalidInput(
                "key",
                f"{path} is not there, but {public} is: the key that is lost, or another name, "
                "is allowed",
            )
        if make:
            key = cls(Ed25519PrivateKey.generate())
            durable.write_new(path, key._pem(), "key", 0o600)
        else:
            key = _private(path, given.read(path, "key", "a key's file", _LARGEST_FILE))
        if not os.path.exists(public):
            durable.write_new(public, key.public.pem(), "key")
        return key, make

    def sign(self, text: bytes) -> bytes:
        """The signature of a text, 64 bytes."""
        return self._key.sign(text)

    def _pem(self) -> bytes:
        return self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


def _private(path: Path, pem: bytes) -> SigningKey:
    try:
        found: object = serialization.load_pem_private_key(pem, password=None)
    except TypeError:
        raise InvalidInput(
            "key", f"{path} is encrypted, an Ed25519 key without a password is allowed"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        found = None
    if not isinstance(found, Ed25519PrivateKey):
        raise _no_key(path)
    mode = path.stat().st_mode & 0o777
    if os.name == "posix" and mode & 0o077:
        raise InvalidInput(
            "key",
            f"{path} is a private key of mode {mode:04o}, which others may read; "
            "mode 0600 is allowed",
        )
    return SigningKey(found)


def _found_at(path: Path) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return str(path)  # No such file can be; whoever opens it is told.


def _no_key(path: Path) -> InvalidInput:
    return InvalidInput("key", f"{path} holds none, an Ed25519 key in PEM is allowed")
