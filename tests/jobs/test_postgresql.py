"""Workers on PostgreSQL, which may be killed under them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from jupyter_ppo.domain.grading import Grade
from jupyter_ppo.domain.jobs import JobState, Lease
from jupyter_ppo.jobs.local import LocalWorkers

if TYPE_CHECKING:
    from postgresql_server import PostgresqlServer

pytestmark = pytest.mark.postgresql


@pytest.fixture
def rig_url(postgresql_url: str) -> str:
    return postgresql_url


def test_workers_go_on_by_themselves_when_the_database_was_restarted(
    rig: Any, graded: Callable[[Lease], Grade], postgresql_server: PostgresqlServer
) -> None:
    workers = LocalWorkers(
        rig.jobs, lambda lease, _: graded(lease), workers=2, lease_seconds=2, poll_seconds=0.02
    )
    workers.start()
    try:
        before = rig.submit(6)
        rig.wait_until(lambda: any(rig.ended(each) for each in before))
        postgresql_server.kill()
        postgresql_server.start()
        after = rig.submit(3)
        rig.wait_until(lambda: all(rig.ended(each) for each in [*before, *after]))
    finally:
        workers.stop(10)
    assert {rig.job(each).state for each in [*before, *after]} == {JobState.SUCCEEDED}
    assert rig.jobs.pending() == 0
