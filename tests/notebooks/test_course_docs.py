"""The guide, the glossary and the cheat sheet say what the notebooks and the code say."""

from __future__ import annotations

import ast
import importlib.util
import re
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path

import pytest

from jupyter_ppo.autograde.chapter import read_chapter
from jupyter_ppo.domain.chapters import Chapter
from jupyter_ppo.domain.presets import preset_values
from jupyter_ppo.domain.run_spec import RunSpec
from jupyter_ppo.domain.schedules import Schedule

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GUIDE, GLOSSARY, SHEET = (
    DOCS / f"{name}.md" for name in ("instructors-guide", "glossary", "cheat-sheet")
)


@cache
def chapters() -> dict[int, Chapter]:
    """Return the chapters by number."""
    read = (read_chapter(path.read_bytes()) for path in (ROOT / "notebooks").glob("*.ipynb"))
    return {found.number: found for found in read if found is not None}


def anchors(text: str) -> set[str]:
    """Return the names that headings can be linked by."""
    plain = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def entries() -> dict[str, str]:
    """Return the entries of the glossary by heading."""
    parts = re.split(r"^### (.+)$", GLOSSARY.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {title: body.partition("\n## ")[0] for title, body in pairs}


@pytest.mark.parametrize("number", range(13))
def test_the_guide_names_a_chapter_with_its_goals_and_checks(number: int) -> None:
    chapter = chapters()[number]
    text = GUIDE.read_text(encoding="utf-8")
    heading = f"## {number:02d} {chapter.title}\n"
    assert heading in text, f"the guide has no heading {heading!r}"
    part = text.split(heading)[1].split("\n## ")[0]
    assert f"About {chapter.minutes} minutes" in part
    assert set(chapter.goals) <= set(re.findall(r"`([\w-]+)`", part))
    for title in ("What is hard", "Common mistakes", "Discuss", "Marking", "May be skipped"):
        assert f"**{title}" in part, f"{number:02d}: nothing about {title!r}"
    part = " ".join(part.split())
    mistakes = part.split("**Common mistakes")[1].split("**Discuss")[0]
    for exercise in chapter.exercises:
        assert f"`{exercise.grade_id}`" in mistakes, f"no mistake of {exercise.grade_id} is told"
    for answer in chapter.free_texts:
        marking = part.split("**Marking")[1]
        assert f"{answer.points:g} points" in marking
        for criterion in answer.rubric:
            assert criterion.title in marking, f"{number:02d}: {criterion.title!r} is not there"


def test_every_entry_of_the_glossary_names_its_chapter() -> None:
    found = entries()
    assert 60 <= len(found) <= 85
    assert list(found) == sorted(found, key=str.casefold)
    for title, body in found.items():
        numbers = re.findall(r"\*Chapter\s(\d\d)\*", body)
        assert numbers, f"{title}: which chapter explains it?"
        for number in numbers:
            assert int(number) in chapters(), f"{title}: there is no chapter {number}"


@pytest.mark.parametrize("page", [GUIDE, GLOSSARY, SHEET], ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(other.read_text(encoding="utf-8")), f"{page.name}: {target}"


def test_defaults_of_the_cheat_sheet_are_those_of_the_code() -> None:
    text = SHEET.read_text(encoding="utf-8")
    lines = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|", text, re.MULTILINE)
    ours = {
        item.name: item.default if item.default_factory is MISSING else item.default_factory()
        for item in fields(RunSpec)
    }
    theirs = defaults_of_sb3()
    fast = preset_values("cartpole-fast")
    seen = {name for name, *_ in lines if name in ours}
    assert {"gamma", "gae_lambda", "clip_range", "learning_rate", "adam_eps", "n_steps"} <= seen
    for name, default, preset in lines:
        if name in ours:
            assert number(default) == plain(ours[name]), name
            assert number(preset) == plain(fast.get(name, ours[name])), name
        if name in theirs:
            assert number(default) == theirs[name], f"{name} of Stable-Baselines3"


def defaults_of_sb3() -> dict[str, object]:
    """Return the defaults of Stable-Baselines3's PPO, from its source: importing it is slow."""
    spec = importlib.util.find_spec("stable_baselines3")
    assert spec is not None
    assert spec.submodule_search_locations
    path = Path(spec.submodule_search_locations[0], "ppo", "ppo.py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            named = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            pairs = zip(named, node.args.defaults, strict=True)
            return {name.arg: ast.literal_eval(default) for name, default in pairs}
    raise AssertionError(path)


def plain(value: object) -> object:
    """Return a schedule as the number it starts with, or the value."""
    if isinstance(value, Schedule):
        return value.start
    return value["start"] if isinstance(value, dict) else value


def number(text: str) -> object:
    """Return what a cell of the table stands for; words after the value do not count."""
    word = text.split(maxsplit=1)[0].rstrip(",")
    return (
        {"none": None, "yes": True, "no": False}.get(word, word) if word.isalpha() else float(word)
    )
