"""What people wrote, as data in a prompt: one line of JSON between two lines that nobody can guess.

Nothing in the data can end the fence, a string or a tag: line ends, quotes, angle brackets and what
looks like them, and every character that is not seen are escapes of JSON.
"""

# ruff: noqa: RUF001 - look-alikes are what this is about

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping

#: Marks of markup, and letters that look like angle brackets.
_MARKUP = "<>&`＜＞‹›〈〉《》⟨⟩⟪⟫❮❯❬❭˂˃ᐸᐳ﹤﹥«»"
_PLAIN = re.compile(r"[ !-%'-;=?-_a-~]*")
#: How every prompt of ours forbids its secret mark.
_CANARY_RULE = re.compile(r"Never write this mark: (mark-[0-9a-f]{16})\b")


def new_fence() -> str:
    """Return a line that stands before and after data; 128 random bits."""
    return f"====DATA-{secrets.token_hex(16)}===="


def new_canary() -> str:
    """Return a secret mark of a prompt, which must not come back; 64 random bits."""
    return f"mark-{secrets.token_hex(8)}"


def canary_of(system: str) -> str:
    """Return the secret mark that a system part of ours holds, "" when it holds none.

    What authors wrote stands before our rules: the last one is ours.
    """
    found = _CANARY_RULE.findall(system)
    return str(found[-1]) if found else ""


def as_json(value: object) -> str:
    """Return ``value`` as JSON in one line without anything that could be read as markup."""
    text = json.dumps(value, ensure_ascii=False)
    return text if _PLAIN.fullmatch(text) else "".join(map(_escaped, text))


def fenced(texts: Mapping[str, str], fence: str) -> str:
    """Return people's texts as one line of JSON between two lines of the fence."""
    return f"{fence}\n{as_json(dict(texts))}\n{fence}"


def _escaped(each: str) -> str:
    if each not in _MARKUP and each.isprintable():
        return each
    units = each.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))
