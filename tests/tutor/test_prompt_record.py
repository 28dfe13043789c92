"""The words of every version of a prompt are kept: other words are another version."""

from __future__ import annotations

import pytest
from prompt_record import FOLDER, path_of, prompts


@pytest.mark.parametrize(
    ("template", "version", "words"), list(prompts()), ids=lambda each: str(each)[:12]
)
def test_other_words_are_another_version(template: str, version: int, words: str) -> None:
    path = path_of(template, version)
    assert path.exists(), "a new version: run `python tests/tutor/prompt_record.py`"
    kept = path.read_text(encoding="utf-8")
    assert words == kept, f"{template}: its words have changed; raise its version"


def test_no_version_is_missing_and_none_is_of_nothing() -> None:
    newest = {template: version for template, version, _ in prompts()}
    expected = {f"{name}-{n}.txt" for name, last in newest.items() for n in range(1, last + 1)}
    assert {path.name for path in FOLDER.iterdir()} == expected


def test_the_solution_is_in_no_prompt() -> None:
    for _, _, words in prompts():
        assert "never sent" not in words
