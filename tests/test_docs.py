"""What the program has, the documentation names."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import fields
from http import HTTPStatus
from pathlib import Path

import pytest

from jupyter_ppo.cli.parser import build_parser
from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.domain.execution import ExecutionBounds, Outcome
from jupyter_ppo.domain.sandbox import BOUNDS, SandboxLimits, Verdict
from jupyter_ppo.services.execution_request import check_request
from jupyter_ppo.web.errors import status_of
from jupyter_ppo.web.execution import OUTCOME_STATUS
from jupyter_ppo.web.execution_requests import ExecuteBody, ExecuteTestsBody
from jupyter_ppo.web.openapi import build_openapi
from jupyter_ppo.wiring import PPOService

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def _read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(PPOService.class_traits(config=True)))
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


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_of_a_program_is_explained_with_its_status(outcome: Outcome) -> None:
    status = OUTCOME_STATUS.get(outcome, HTTPStatus.OK).value
    assert f"| `{outcome}` | {status} |" in _read("execute.md")


def test_the_bodies_in_the_examples_are_ones_that_the_service_takes() -> None:
    examples = re.findall(r"/execute(/tests)?\".*?-d '(.*?)'", _read("execute.md"), re.DOTALL)
    assert len(examples) >= 3
    for is_tests, body in examples:
        model = ExecuteTestsBody if is_tests else ExecuteBody
        check_request(model.model_validate_json(body).request(ExecutionBounds()), ExecutionBounds())


def test_every_code_of_an_error_is_listed() -> None:
    kinds, codes = [PPOError], set()
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if status_of(kind.__new__(kind)) != HTTPStatus.INTERNAL_SERVER_ERROR:
            codes.add(kind.code)
    assert not [code for code in codes if f"`{code}`" not in _read("rest.md")]


def test_every_link_between_our_pages_leads_somewhere() -> None:
    broken = []
    for page in [*DOCS.glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            if not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert not broken
