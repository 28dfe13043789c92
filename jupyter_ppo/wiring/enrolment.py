"""The service's database becomes what keeps memberships as a hub's groups are."""

from __future__ import annotations

from jupyter_ppo.services.enrolment import EnrolmentService
from jupyter_ppo.storage.audit import Audit
from jupyter_ppo.storage.courses import Courses
from jupyter_ppo.storage.rosters import Rosters
from jupyter_ppo.wiring.service import Service


def build_enrolment(service: Service) -> EnrolmentService:
    """Return it on the database of ``service``."""
    database = service.database
    return EnrolmentService(
        courses=Courses(database), rosters=Rosters(database), audit=Audit(database)
    )
