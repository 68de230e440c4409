"""Seals a check file and opens it again: the same text under the same name gives the same bytes.

Each file has a key of its own, made from its name and the hash of its text. There is no nonce to
keep: AES-SIV is meant for keys that encrypt one message. It must not write anything.
"""

from __future__ import annotations

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from grader.sealed import HEADER, MAGIC, Damaged

KEY_BYTES = 64


def seal(plain: bytes, name: str) -> bytes:
    """The file that a learner's copy has instead of `plain`. `name` is its name without suffix."""
    header = MAGIC + hashlib.sha256(plain).digest()
    return header + _cipher(header, name).encrypt(plain, [header])


def unseal(sealed: bytes, name: str) -> bytes:
    """The text again. Raises `Damaged` unless every byte, and the name, is as it was sealed."""
    header, encrypted = sealed[:HEADER], sealed[HEADER:]
    try:
        if not header.startswith(MAGIC):
            raise InvalidTag
        return _cipher(header, name).decrypt(encrypted, [header])
    except InvalidTag:
        raise Damaged("is not as it was released") from None


def _cipher(header: bytes, name: str) -> AESSIV:
    digest = header[len(MAGIC) :]
    key = HKDF(SHA256(), KEY_BYTES, salt=MAGIC, info=name.encode()).derive(digest)
    return AESSIV(key)
