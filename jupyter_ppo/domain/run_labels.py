"""What a run may be called: its name and its tags."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from jupyter_ppo.domain.errors import InvalidInputError
from jupyter_ppo.domain.run_records import MAX_NAME, MAX_TAG, MAX_TAGS


def checked_name(name: str) -> str:
    """Return a run's name, in one spelling and without blanks around it; it may be empty.

    Raises ``InvalidInputError`` (field ``name``).
    """
    return _checked_text("name", name, MAX_NAME)


def checked_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Return tags in one spelling, each once; raise ``InvalidInputError`` (field ``tags``)."""
    if isinstance(tags, str):
        msg = "tags: use a list of texts."
        raise InvalidInputError(msg, field="tags")
    found = tuple(dict.fromkeys(_checked_text("tags", tag, MAX_TAG) for tag in tags))
    if "" in found:
        msg = "tags: a tag is empty. Leave it out."
        raise InvalidInputError(msg, field="tags")
    if len(found) > MAX_TAGS:
        msg = f"tags: {len(found)} tags are too many; a run has at most {MAX_TAGS}."
        raise InvalidInputError(msg, field="tags")
    return found


def _checked_text(field: str, text: object, most: int) -> str:
    if not isinstance(text, str) or len(text) > 4 * most:
        msg = f"{field}: use a text of at most {most} characters."
        raise InvalidInputError(msg, field=field)
    found = unicodedata.normalize("NFC", text).strip()
    if len(found) > most or not found.isprintable():
        msg = f"{field}: use at most {most} printable characters, without line breaks."
        raise InvalidInputError(msg, field=field)
    return found
