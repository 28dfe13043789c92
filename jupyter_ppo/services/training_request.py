"""Whether what a person asks of training can be meant, before anything is kept of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_labels import checked_name, checked_tags
from jupyter_ppo.domain.run_records import MAX_SEEDS
from jupyter_ppo.domain.run_spec import RunSpec

__all__ = ["checked_key", "checked_name", "checked_specs", "checked_tags", "digest"]

_LONGEST_KEY = 200


def checked_specs(specs: Sequence[RunSpec]) -> tuple[RunSpec, ...]:
    """Return the specs if the service can run them; raise ``InvalidInputError``."""
    if not 1 <= len(specs) <= MAX_SEEDS:
        msg = f"seeds: {len(specs)} runs in one request are outside 1 to {MAX_SEEDS}."
        raise InvalidInputError(msg, field="seeds")
    if any(spec.env_sha256 is not None for spec in specs):
        msg = (
            "env_sha256: the service runs environments by their Gymnasium id. Train a class of "
            "your own from a notebook with train()."
        )
        raise InvalidInputError(msg, field="env_sha256")
    return tuple(specs)


def checked_key(key: str | None) -> str | None:
    """Return the key that tells a request sent twice; raise ``InvalidInputError``."""
    if key is None:
        return None
    if not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        msg = f"request_key: use 1 to {_LONGEST_KEY} printable ASCII characters."
        raise InvalidInputError(msg, field="request_key")
    return key


def digest(name: str, tags: Sequence[str], specs: Sequence[RunSpec]) -> str:
    """Return a digest of all that a request asks for."""
    asked = {"name": name, "tags": list(tags), "specs": [spec.to_dict() for spec in specs]}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
