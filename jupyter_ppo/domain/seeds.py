"""Seeds of a student's own: the same for one person and assignment, unrelated for any other."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

_BITS = 31


def personal_seed(secret: bytes, version_id: UUID, user: str) -> int:
    """Return the seed of ``user`` for an assignment, from 0 to 2**31 - 1.

    ``version_id`` is that of the assignment's first version, so that later ones do not change it.

    HMAC-SHA-256 (RFC 2104) with the course's ``secret`` as key, cut to its first 31 bits, which
    every generator of random numbers takes. Without the secret no seed can be told from another's.
    """
    digest = hmac.digest(secret, version_id.bytes + user.encode(), hashlib.sha256)
    return int.from_bytes(digest[:4], "big") >> (32 - _BITS)
