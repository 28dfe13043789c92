"""The leaderboard over HTTP: pseudonyms go out, usernames do not."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from jupyter_ppo.domain.exam import CheckRun, CheckState, Exam
from jupyter_ppo.domain.sandbox import CellRun, NotebookRun, SandboxLimits, SandboxStatus, Verdict

BOARD = "/courses/ppo/leaderboard"


class ExaminingSandbox:
    """Every test passes and wrote down the same examined policy."""

    def status(self) -> SandboxStatus:
        return SandboxStatus(True, "test engine", "test image", None, None)

    async def run(
        self, notebook: dict[str, Any], limits: SandboxLimits, exam: Exam | None = None
    ) -> NotebookRun:
        ran = copy.deepcopy(notebook)
        cells = tuple(CellRun(i, finished=True, seconds=0.0) for i in range(len(ran["cells"])))
        record = {"env_id": "CartPole-v1", "mean": 9.5, "low": 9.0, "high": 10.0, "episodes": 2}
        checks = tuple(
            CheckRun(index, CheckState.PASSED, records=(record,))
            for index in (exam.tests if exam else ())
        )
        return NotebookRun(ran, Verdict.RAN, "", cells, 0.0, checks=checks)


@pytest.mark.parametrize("sandbox_class", [ExaminingSandbox])
async def test_a_graded_policy_is_on_it_from_joining_until_leaving(api: Any, source: bytes) -> None:
    # Students see the name of an environment that they can read in a test.
    source = source.replace(b"assert double(2) == 4", b"assert double(2) == 4  # CartPole-v1")
    await api.course(source)
    await api.graded((await api.submit(source))["id"])
    assert (await api.ok("sue", "GET", BOARD))["items"] == []
    joined = await api.ok("sam", "PUT", f"{BOARD}/me", {"pseudonym": "quick fox"})
    assert joined == {"pseudonym": "quick fox"}
    seen = await api("sue", "GET", BOARD)
    assert b"sam" not in seen.body
    body = json.loads(seen.body)
    assert (body["pseudonym"], body["total"]) == (None, 1)
    assert body["items"] == [
        {
            "rank": 1,
            "pseudonym": "quick fox",
            "own": False,
            "assignment": "one",
            "env_id": "CartPole-v1",
            "mean": 9.5,
            "low": 9.0,
            "high": 10.0,
            "episodes": 2,
        }
    ]
    own = await api.ok("sam", "GET", BOARD)
    assert (own["pseudonym"], own["items"][0]["own"]) == ("quick fox", True)
    for params, total in (
        ({"assignment": "one", "env_id": "CartPole-v1"}, 1),
        ({"assignment": "two"}, 0),
        ({"env_id": "Acrobot-v1"}, 0),
    ):
        assert (await api.ok("sue", "GET", BOARD, params=params))["total"] == total
    assert await api.ok("sam", "DELETE", f"{BOARD}/me") == {"pseudonym": None}
    assert (await api.ok("sue", "GET", BOARD))["items"] == []


async def test_a_pseudonym_that_cannot_be_had_is_refused_with_the_reason(
    api: Any, source: bytes
) -> None:
    await api.course(source)
    await api.ok("sam", "PUT", f"{BOARD}/me", {"pseudonym": "quick fox"})
    for name, code in (("Quick Fox", 409), ("sam", 409), ("x", 400), ("fox\n", 400)):
        response = await api("sue", "PUT", f"{BOARD}/me", {"pseudonym": name})
        assert (response.code, json.loads(response.body)["field"]) == (code, "pseudonym"), name
    assert (await api("sue", "PUT", f"{BOARD}/me", {"name": "fox"})).code == 400
