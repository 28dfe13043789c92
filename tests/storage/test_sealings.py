"""What is known of a version's tests comes back as it was, and the first to know is kept."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from jupyter_ppo.domain.courses import Assignment
from jupyter_ppo.domain.errors import ConflictError
from jupyter_ppo.domain.ids import new_id
from jupyter_ppo.domain.sealing import CellSealing, Finding, FindingKind, Sealing, SealState
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.sealings import Sealings


def sealing(version_id: UUID, *contract: str) -> Sealing:
    weak = Finding(3, FindingKind.WEAK, "NaN passes: write abs(a - b) <= tol \u2014 \x00 \ud800.")
    return Sealing(
        version_id=version_id,
        cells=(
            CellSealing("test_gae", SealState.SEALED, "", (weak,), contract, ("f(argument 1)",)),
            CellSealing("test_loss", SealState.CANNOT_SEAL, "It patches print."),
        ),
        created_at=datetime(2026, 3, 2, 8, 0, 0, 123456, tzinfo=UTC),
        wall_seconds=2.5,
    )


def test_what_is_known_comes_back_as_it_was_stored(
    database: Database, assignment: Assignment
) -> None:
    store, made = Sealings(database), sealing(assignment.version.id, "b", "a")
    assert store.sealing(assignment.version.id) is None
    assert store.put(made) == made
    assert store.sealing(assignment.version.id) == made


def test_the_first_one_is_kept_until_it_is_replaced(
    database: Database, assignment: Assignment
) -> None:
    store, version = Sealings(database), assignment.version.id
    first, second = sealing(version, "a"), sealing(version, "b")
    store.put(first)
    assert store.put(second) == first
    assert store.replace(second) == second
    assert store.sealing(version) == second
    cells = second.cells[:1]
    assert store.replace(replace(second, cells=cells)).states == {"test_gae": SealState.SEALED}
    assert store.sealing(version) == replace(second, cells=cells)


def test_of_many_at_once_all_are_told_of_the_same_one(
    database: Database, assignment: Assignment
) -> None:
    told: list[frozenset[str]] = []

    def put(number: int) -> None:
        made = sealing(assignment.version.id, str(number))
        told.append(Sealings(database).put(made).contract)

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(told) == 8
    assert len(set(told)) == 1


def test_a_version_that_is_not_there_cannot_have_one(database: Database) -> None:
    for write in (Sealings(database).put, Sealings(database).replace):
        with pytest.raises(ConflictError):
            write(sealing(new_id()))
