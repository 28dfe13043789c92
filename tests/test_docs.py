"""What the program has, the documentation names."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from jupyter_ppo.cli import build_parser
from jupyter_ppo.domain.sandbox import BOUNDS, SandboxLimits, Verdict
from jupyter_ppo.web.openapi import build_openapi
from jupyter_ppo.wiring import PPOService

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def _read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(PPOService.class_own_traits(config=True)))
def test_every_setting_has_a_row_and_a_help_text(name: str) -> None:
    assert f"| `{name}` |" in _read("settings.md")
    assert getattr(PPOService, name).help


def _commands(parser: argparse.ArgumentParser, words: str = "jupyter ppo") -> Iterator[str]:
    inner = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not inner:
        yield words
    for action in inner:
        for name, child in action.choices.items():
            yield from _commands(child, f"{words} {name}")


@pytest.mark.parametrize("command", list(_commands(build_parser())))
def test_every_command_is_described_for_instructors(command: str) -> None:
    assert re.search(rf"^\| `{re.escape(command)}[ `]", _read("instructors.md"), re.MULTILINE)


def test_every_path_and_verb_of_the_api_has_a_row_and_no_row_is_made_up() -> None:
    documented = set(re.findall(r"^\| ([A-Z]+) `(/[^`]+)` \|", _read("rest.md"), re.MULTILINE))
    real = {
        (verb.upper(), path)
        for path, verbs in build_openapi()["paths"].items()
        for verb in verbs
        if verb in {"get", "post", "put", "delete", "patch"}
    }
    assert documented == real


def limits_table() -> str:
    lines = ["| limit | default | from | to | unit | of |", "| --- | --- | --- | --- | --- | --- |"]
    for item in fields(SandboxLimits):
        bound = BOUNDS[item.name]
        row = (item.default, bound["low"], bound["high"], bound["unit"], bound["help"])
        lines.append(f"| `{item.name}` | " + " | ".join(str(cell) for cell in row) + " |")
    return "\n".join(lines)


def test_the_table_of_limits_is_the_one_in_the_code() -> None:
    text = _read("sandbox.md")
    table = text.split("out of date -->\n")[1].split("<!-- end of limits -->")[0].strip()
    assert table == limits_table(), f"put this into docs/sandbox.md:\n{limits_table()}"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_is_explained(verdict: Verdict) -> None:
    assert f"| `{verdict}` |" in _read("sandbox.md")


def test_every_link_between_our_pages_leads_somewhere() -> None:
    broken = []
    for page in [*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert not broken
