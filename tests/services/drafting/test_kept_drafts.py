"""A kept answer of a model is held against the prompt that it was written to."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from llm_server import Behaviour, Received

from jupyter_ppo.domain.tutoring import DraftState, Flag


def test_a_kept_answer_with_the_mark_of_its_own_prompt_is_flagged_each_time(
    studio: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks: list[str] = []
    asked = 0

    def take(received: Received) -> Behaviour:
        marks.extend(re.findall(r"mark-[0-9a-f]{16}", received.system))
        reason = f"It is {marks[-1]}."
        results = [
            {"criterion": name, "level": level, "reason": reason, "evidence": "is clipped"}
            for name, level in (("idea", "full"), ("words", "yes"))
        ]
        return Behaviour("ok", text=json.dumps({"results": results}))

    monkeypatch.setattr(studio.server, "take", take)
    studio.choose(samples=1)
    studio.hand_in("s00", "The ratio is clipped so that the policy stays near.")
    for number in (1, 2):
        studio.draft_all()
        (item,) = studio.queue()
        assert item.draft.state is DraftState.FLAGGED
        assert Flag.CANARY in item.draft.new.flags
        assert item.draft.number == number
        studio.parts.reviewing.reject(studio.gil, item.draft.id, "No.")
        asked = asked or len(marks)
    assert len(marks) == asked  # the second time nothing was sent
