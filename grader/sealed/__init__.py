"""Hidden checks as a learner's copy holds them: encrypted files that are read into memory only.

It must not be taken for a secret: the key is made from what stands in the file. README.md of the
grader says what that is worth.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

SUFFIX = ".sealed"
MAGIC = b"sealed check 1\n"
HEADER = len(MAGIC) + hashlib.sha256().digest_size


class Damaged(ImportError):
    """A sealed file is missing, unreadable or not as it was released; the text says which."""


def plain_digest(file: Path) -> bytes:
    """SHA-256 of a check file's source, also of a sealed one, which says so in its header."""
    data = file.read_bytes()
    if file.suffix == SUFFIX:
        return data[len(MAGIC) : HEADER]
    return hashlib.sha256(data).digest()
