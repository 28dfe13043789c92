"""Which examiner's container is kept for whom, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from jupyter_ppo.domain.sandbox import PoolStatus
from jupyter_ppo.sandbox import examiners as examiners_module
from jupyter_ppo.sandbox.examiner_box import ExaminerBox
from jupyter_ppo.sandbox.examiners import Examiners

Eventually = Callable[[Callable[[], bool], str], None]


class Container:
    """Stands for a container: alive until it is closed or lost."""

    made: list[Container]

    def __init__(self, key: str) -> None:
        self.key, self.served = key, 0
        self.is_alive, self.is_closed = True, False
        self.made.append(self)

    @classmethod
    def start(cls, key: str, modules: Any, **_: Any) -> ExaminerBox:
        return cast(ExaminerBox, cls(key))

    def close(self) -> None:
        self.is_closed, self.is_alive = True, False


@pytest.fixture(autouse=True)
def made(monkeypatch: pytest.MonkeyPatch) -> list[Container]:
    Container.made = []
    monkeypatch.setattr(examiners_module, "ExaminerBox", Container)
    return Container.made


def use(examiners: Examiners, key: str) -> ExaminerBox:
    box = examiners.take(key)
    examiners.give_back(box)
    return box


def test_a_container_is_kept_for_the_same_version_alone() -> None:
    examiners = Examiners()
    first = use(examiners, "one")
    assert examiners.status() == PoolStatus(1, 2)
    assert use(examiners, "two") is not first
    assert use(examiners, "one") is first
    assert first.served == 2
    examiners.close()


def test_one_container_serves_one_submission_at_a_time() -> None:
    examiners = Examiners()
    first, second = examiners.take("one"), examiners.take("one")
    assert first is not second
    examiners.give_back(first)
    examiners.give_back(second)
    examiners.close()


def test_the_one_that_was_used_longest_ago_makes_room(made: list[Container]) -> None:
    examiners = Examiners(idle=2)
    for key in ("one", "two", "one", "three"):
        use(examiners, key)
    assert [(box.key, box.is_closed) for box in made] == [
        ("one", False),
        ("two", True),
        ("three", False),
    ]
    examiners.close()
    assert all(box.is_closed for box in made)


def test_without_a_key_or_room_nothing_is_kept(made: list[Container]) -> None:
    examiners = Examiners()
    use(examiners, "")
    use(Examiners(idle=0), "one")
    assert all(box.is_closed for box in made)
    assert examiners.status().ready == 0


def test_lost_and_worn_out_containers_are_thrown_away(
    made: list[Container], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examiners_module, "_MOST_SERVED", 2)
    examiners = Examiners()
    use(examiners, "one")
    use(examiners, "one")
    assert made[0].is_closed
    use(examiners, "one")
    made[1].is_alive = False  # while it waits
    use(examiners, "one")
    assert (len(made), made[1].is_closed) == (3, True)
    box = examiners.take("one")
    made[2].is_alive = False  # while it serves
    examiners.give_back(box)
    assert made[2].is_closed
    examiners.close()


def test_a_container_does_not_wait_for_ever(made: list[Container], eventually: Eventually) -> None:
    examiners = Examiners(idle_seconds=0.05)
    use(examiners, "one")
    eventually(lambda: made[0].is_closed, "it is not closed")
    eventually(lambda: "jupyter-ppo-examiners" not in names(), "the thread goes on")
    use(examiners, "one")
    eventually(lambda: made[1].is_closed, "the next one is not closed")
    examiners.close()


def test_what_comes_back_after_the_end_is_closed(made: list[Container]) -> None:
    examiners = Examiners()
    box = examiners.take("one")
    examiners.close()
    examiners.give_back(box)
    assert made[0].is_closed
    assert "jupyter-ppo-examiners" not in names()


def names() -> set[str]:
    return {thread.name for thread in threading.enumerate()}
