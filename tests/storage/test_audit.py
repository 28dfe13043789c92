from __future__ import annotations

from jupyter_ppo.domain.courses import Role
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.database import Database


def test_events_are_kept_in_order_with_their_detail(database: Database) -> None:
    log = Audit(database)
    log.audit("ada", "course.created", "ppo", {})
    log.audit("ada", "member.enrolled", "ppo/bob", {"role": Role.STUDENT, "number": 1.5})
    page = log.events(offset=0, limit=10)
    assert page.total == 2
    assert {event.action for event in page.items} == {"course.created", "member.enrolled"}
    assert all(event.at.utcoffset() is not None for event in page.items)
    (event,) = log.events(subject="ppo/bob", offset=0, limit=10).items
    assert (event.user, event.detail) == ("ada", {"role": "student", "number": 1.5})


def test_events_come_in_pages(database: Database) -> None:
    log = Audit(database)
    for number in range(5):
        log.audit("ada", "count", str(number), {})
    pages = [log.events(offset=offset, limit=2) for offset in (0, 2, 4)]
    assert [len(page.items) for page in pages] == [2, 2, 1]
    assert {event.subject for page in pages for event in page.items} == set("01234")
