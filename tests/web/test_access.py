"""Who may do what: every address, every verb, every role, and ids that are not theirs.

The table is compared with the URL table: a new endpoint without a row fails. So does a call with
the ids of another course that is answered otherwise than one with ids that do not exist.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from jupyter_ppo.web.urls import ROUTES

ANYONE = (200,) * 7
SIGNED_IN = (403, 200, 200, 200, 200, 200, 200)
MEMBER = (403, 404, 200, 200, 200, 200, 200)
MEMBER_NEW = (403, 404, 201, 201, 201, 201, 201)
GRADER = (403, 404, 403, 403, 200, 200, 200)
AUTHOR = (403, 404, 403, 403, 403, 200, 200)
AUTHOR_NEW = (403, 404, 403, 403, 403, 201, 201)
AUTHOR_LATER = (403, 404, 403, 403, 403, 202, 202)
ADMIN = (403, 404, 403, 403, 403, 403, 200)
OWNER_ONLY = (403, 404, 404, 200, 404, 404, 404)
OWNER_OR_ADMIN = (403, 404, 404, 200, 404, 404, 200)
OWNER_OR_GRADER = (403, 404, 404, 200, 200, 200, 200)
#: Whoever it is about, and whether there is anybody.
ONLY_ADMIN = (403, 403, 403, 403, 403, 403, 200)
#: Of a submission: its owner knows of it.
ITS_GRADER = (403, 404, 404, 403, 200, 200, 200)
ITS_AUTHOR = (403, 404, 404, 403, 403, 200, 200)
#: Of a batch: students know of none.
STAFF_ONLY = (403, 404, 404, 404, 200, 200, 200)
#: Of what this world has none of; tests/web/test_drafts.py has the rights to one that there is.
NOTHING = (403, 404, 404, 404, 404, 404, 404)
NO_RUBRIC = (403, 404, 403, 403, 409, 409, 409)

_COURSE = "/courses/{course}"
_ASSIGNMENT = "/courses/{course}/assignments/{assignment}"
_ENTRY = "/courses/{course}/entries/{assignment}"
_SUBMISSION = "/submissions/{submission_id}"
_RUN = "/runs/{run_id}"

#: Nobody, an instructor of another course, another student, the student who submitted, a grader,
#: an instructor, an admin.
PEOPLE = (None, "oto", "sue", "sam", "gil", "ines", "ada")
#: The status that each of them gets. They are asked in this order.
EXPECTED: dict[tuple[str, str], tuple[int, ...]] = {
    ("GET", "/health"): ANYONE,
    ("GET", "/me"): SIGNED_IN,
    ("GET", "/me/preferences"): SIGNED_IN,
    ("PUT", "/me/preferences"): SIGNED_IN,
    ("PATCH", "/me/preferences"): SIGNED_IN,
    ("GET", "/me/data"): SIGNED_IN,
    # API tokens: no role has those of others, but instructors end them.
    ("GET", "/me/tokens"): SIGNED_IN,
    ("POST", "/me/tokens"): MEMBER_NEW,
    ("DELETE", "/me/tokens/{token_id}"): OWNER_ONLY,
    ("POST", "/me/tokens/{token_id}/rotate"): (403, 404, 404, 201, 404, 404, 404),
    ("GET", f"{_COURSE}/tokens"): AUTHOR,
    ("DELETE", f"{_COURSE}/tokens/{{token_id}}"): AUTHOR,
    ("GET", f"{_COURSE}/webhooks"): AUTHOR,
    ("POST", f"{_COURSE}/webhooks"): AUTHOR_NEW,
    ("GET", f"{_COURSE}/webhooks/{{webhook_id}}"): AUTHOR,
    ("PATCH", f"{_COURSE}/webhooks/{{webhook_id}}"): AUTHOR,
    ("DELETE", f"{_COURSE}/webhooks/{{webhook_id}}"): AUTHOR,
    ("POST", f"{_COURSE}/webhooks/{{webhook_id}}/rotate"): AUTHOR,
    ("POST", f"{_COURSE}/webhooks/{{webhook_id}}/test"): AUTHOR_LATER,
    ("GET", f"{_COURSE}/webhooks/{{webhook_id}}/deliveries"): AUTHOR,
    ("POST", f"{_COURSE}/webhooks/deliveries/{{delivery_id}}/replay"): AUTHOR_LATER,
    ("GET", "/privacy"): SIGNED_IN,
    ("GET", "/people/{user}/data"): ONLY_ADMIN,
    ("POST", "/people/{user}/erase"): ONLY_ADMIN,
    ("GET", "/openapi.json"): SIGNED_IN,
    ("GET", "/courses"): SIGNED_IN,
    ("POST", "/courses"): (403, 403, 403, 403, 403, 403, 201),
    ("GET", _COURSE): MEMBER,
    ("PATCH", _COURSE): AUTHOR,
    ("DELETE", _COURSE): ADMIN,
    # People and trash.
    ("GET", f"{_COURSE}/members"): GRADER,
    ("POST", f"{_COURSE}/members/import"): AUTHOR,
    ("GET", f"{_COURSE}/members/{{user}}"): GRADER,
    ("PUT", f"{_COURSE}/members/{{user}}"): AUTHOR,
    ("DELETE", f"{_COURSE}/members/{{user}}"): AUTHOR,
    ("GET", f"{_COURSE}/groups"): GRADER,
    ("PUT", f"{_COURSE}/groups/{{group}}"): AUTHOR,
    ("DELETE", f"{_COURSE}/groups/{{group}}"): AUTHOR,
    ("GET", f"{_COURSE}/trash"): AUTHOR,
    ("POST", f"{_COURSE}/trash/{{item_id}}"): AUTHOR,
    ("POST", f"{_COURSE}/restore"): (403, 404, 404, 404, 404, 404, 200),  # it is in the trash
    # Assignments, versions, terms.
    ("GET", f"{_COURSE}/assignments"): MEMBER,
    ("GET", _ASSIGNMENT): MEMBER,
    ("PUT", _ASSIGNMENT): AUTHOR_NEW,
    ("DELETE", _ASSIGNMENT): AUTHOR,
    ("GET", f"{_ASSIGNMENT}/notebook"): MEMBER,
    ("POST", f"{_ASSIGNMENT}/sealing"): AUTHOR,
    ("GET", f"{_ASSIGNMENT}/sealing"): GRADER,
    ("GET", f"{_ASSIGNMENT}/terms"): MEMBER,
    ("PUT", f"{_ASSIGNMENT}/terms"): AUTHOR,
    ("GET", f"{_ASSIGNMENT}/extensions"): GRADER,
    ("POST", f"{_ASSIGNMENT}/extensions"): AUTHOR_NEW,
    ("DELETE", f"{_ASSIGNMENT}/extensions/{{extension_id}}"): AUTHOR,
    ("GET", f"{_ASSIGNMENT}/versions"): GRADER,
    ("POST", f"{_ASSIGNMENT}/versions"): AUTHOR_NEW,
    ("GET", f"{_ASSIGNMENT}/versions/{{number}}/notebook"): AUTHOR,
    # Submissions and grades.
    ("POST", f"{_ASSIGNMENT}/submissions"): MEMBER_NEW,
    ("POST", f"{_COURSE}/submissions"): MEMBER_NEW,
    ("GET", f"{_COURSE}/submissions"): MEMBER,
    ("GET", f"{_COURSE}/grades"): MEMBER,
    ("GET", _SUBMISSION): OWNER_OR_GRADER,
    ("DELETE", _SUBMISSION): ITS_AUTHOR,
    ("GET", f"{_SUBMISSION}/notebook"): OWNER_OR_GRADER,
    ("GET", f"{_SUBMISSION}/grade"): OWNER_OR_GRADER,
    ("POST", f"{_SUBMISSION}/grade"): (403, 404, 404, 403, 202, 202, 202),
    ("GET", f"{_SUBMISSION}/feedback"): OWNER_OR_GRADER,
    # Batches and the queue.
    ("POST", f"{_ASSIGNMENT}/batches"): (403, 404, 403, 403, 202, 202, 202),
    ("GET", f"{_COURSE}/batches"): GRADER,
    ("GET", "/batches/{batch_id}"): STAFF_ONLY,
    ("GET", "/batches/{batch_id}/items"): STAFF_ONLY,
    ("POST", "/batches/{batch_id}/cancel"): STAFF_ONLY,
    ("GET", f"{_COURSE}/queue"): MEMBER,
    ("POST", f"{_SUBMISSION}/cancel"): ITS_GRADER,
    # Marking.
    ("GET", f"{_COURSE}/marking"): GRADER,
    ("GET", f"{_ASSIGNMENT}/marking"): GRADER,
    ("GET", f"{_SUBMISSION}/answers/{{grade_id}}"): ITS_GRADER,
    ("PUT", f"{_SUBMISSION}/marks/{{grade_id}}"): ITS_GRADER,
    ("GET", f"{_SUBMISSION}/history"): OWNER_OR_GRADER,
    ("DELETE", f"{_ASSIGNMENT}/released-grades"): AUTHOR,
    ("PUT", f"{_ASSIGNMENT}/released-grades"): AUTHOR,  # after they were taken back
    # Drafts, on a server without a model: nothing can be drafted, and there is no draft.
    ("POST", f"{_ASSIGNMENT}/drafts/estimate"): (403, 404, 403, 403, 503, 503, 503),
    ("GET", f"{_ASSIGNMENT}/drafts"): GRADER,
    ("POST", f"{_ASSIGNMENT}/drafts/approve"): AUTHOR,
    ("GET", f"{_ASSIGNMENT}/draft-batches"): GRADER,
    ("POST", f"{_ASSIGNMENT}/draft-batches"): (403, 404, 403, 403, 403, 503, 503),
    ("GET", "/draft-batches/{draft_batch_id}"): NOTHING,
    ("POST", "/draft-batches/{draft_batch_id}/{batch_change}"): NOTHING,
    ("GET", "/drafts/{draft_id}"): NOTHING,
    ("POST", "/drafts/{draft_id}/approve"): NOTHING,
    ("POST", "/drafts/{draft_id}/edit"): NOTHING,
    ("POST", "/drafts/{draft_id}/reject"): NOTHING,
    # Calibration of an answer that has no rubric.
    ("GET", f"{_ASSIGNMENT}/calibrations"): GRADER,
    ("GET", f"{_ASSIGNMENT}/calibrations/{{grade_id}}"): NO_RUBRIC,
    ("GET", f"{_ASSIGNMENT}/calibrations/{{grade_id}}/next"): NO_RUBRIC,
    ("PUT", f"{_ASSIGNMENT}/calibrations/{{grade_id}}/answers/{{submission_id}}"): NO_RUBRIC,
    # The gradebook.
    ("GET", f"{_COURSE}/gradebook"): GRADER,
    ("GET", f"{_COURSE}/gradebook/nbgrader"): AUTHOR,
    ("POST", f"{_COURSE}/gradebook/nbgrader"): AUTHOR,
    # Entries and outcomes.
    ("GET", _ENTRY): MEMBER,
    ("PUT", _ENTRY): AUTHOR_NEW,
    ("POST", f"{_ENTRY}/submissions"): MEMBER_NEW,
    ("POST", f"{_ENTRY}/release"): AUTHOR,
    ("GET", f"{_SUBMISSION}/entry"): OWNER_OR_GRADER,
    ("GET", f"{_SUBMISSION}/files/{{name}}"): OWNER_OR_GRADER,
    ("GET", f"{_SUBMISSION}/outcome"): OWNER_OR_GRADER,
    ("PUT", f"{_SUBMISSION}/outcome"): ITS_GRADER,
    ("POST", f"{_SUBMISSION}/outcome/{{change}}"): ITS_GRADER,
    ("GET", f"{_SUBMISSION}/outcome/revisions"): ITS_GRADER,
    # Trials.
    ("POST", f"{_ASSIGNMENT}/validations"): (403, 404, 202, 202, 202, 202, 202),
    ("POST", f"{_COURSE}/checks"): AUTHOR_LATER,
    ("POST", f"{_COURSE}/previews"): AUTHOR,
    ("GET", "/trials/{trial_id}"): OWNER_OR_GRADER,
    # Feedback: what a course wants, self-checks, what a language model was asked.
    ("GET", "/tutor"): SIGNED_IN,
    ("GET", f"{_COURSE}/feedback-settings"): MEMBER,
    ("PUT", f"{_COURSE}/feedback-settings"): AUTHOR,
    ("GET", f"{_ASSIGNMENT}/feedback-settings"): MEMBER,
    ("PUT", f"{_ASSIGNMENT}/feedback-settings"): AUTHOR,
    # The answer in this notebook has no rubric.
    ("GET", f"{_ASSIGNMENT}/self-checks/{{grade_id}}"): (403, 404, 409, 409, 409, 409, 409),
    ("PUT", f"{_ASSIGNMENT}/self-checks/{{grade_id}}"): (403, 404, 409, 409, 409, 409, 409),
    ("GET", f"{_COURSE}/model-calls"): GRADER,
    ("GET", f"{_COURSE}/model-spend"): GRADER,
    # There is none without a model; tests/web/test_model_calls.py has who reads one.
    ("GET", "/model-calls/{call}"): NOTHING,
    # Hints and explanations.
    ("GET", f"{_ASSIGNMENT}/hints/{{grade_id}}"): MEMBER,
    ("POST", f"{_ASSIGNMENT}/hints/{{grade_id}}"): MEMBER_NEW,
    ("POST", f"{_COURSE}/explanations"): MEMBER_NEW,
    # Achievements.
    ("GET", f"{_COURSE}/achievements"): MEMBER,
    ("GET", f"{_COURSE}/achievements/rules"): AUTHOR,
    ("PUT", f"{_COURSE}/achievements/rules"): AUTHOR,
    ("GET", f"{_COURSE}/achievements/students/{{user}}"): GRADER,
    ("GET", "/achievements/keys"): ANYONE,
    ("GET", "/achievements/{award_id}/credential"): OWNER_OR_GRADER,
    # The leaderboard.
    ("GET", f"{_COURSE}/leaderboard"): MEMBER,
    ("PUT", f"{_COURSE}/leaderboard/me"): MEMBER,
    ("DELETE", f"{_COURSE}/leaderboard/me"): MEMBER,
    # Progress.
    ("GET", f"{_COURSE}/progress"): MEMBER,
    ("POST", f"{_COURSE}/progress/events"): MEMBER,
    ("POST", f"{_COURSE}/progress/recompute"): AUTHOR,
    ("GET", f"{_COURSE}/progress/students"): GRADER,
    ("GET", f"{_COURSE}/progress/students/{{user}}"): GRADER,
    # Running code.
    ("POST", "/execute"): SIGNED_IN,
    ("POST", "/execute/tests"): SIGNED_IN,
    ("POST", "/execute/stop"): SIGNED_IN,
    ("GET", "/execute/limits"): SIGNED_IN,
    ("GET", "/execute/health"): ANYONE,
    ("GET", "/execute/history"): SIGNED_IN,
    ("GET", "/execute/history/{execution_id}"): OWNER_ONLY,
    # Training runs.
    ("GET", "/runs"): SIGNED_IN,
    ("POST", "/runs"): (403, 202, 202, 202, 202, 202, 202),
    ("GET", "/runs/usage"): SIGNED_IN,
    ("GET", "/runs/hyperparameters"): SIGNED_IN,
    ("GET", "/runs/charts"): SIGNED_IN,
    ("GET", "/runs/aggregate"): (403, 400, 400, 400, 400, 400, 400),  # asked without ids
    ("GET", _RUN): OWNER_OR_ADMIN,
    ("PATCH", _RUN): OWNER_OR_ADMIN,
    ("DELETE", _RUN): OWNER_OR_ADMIN,
    ("POST", f"{_RUN}/commands"): (403, 404, 404, 202, 404, 404, 202),
    ("GET", f"{_RUN}/metrics"): OWNER_OR_ADMIN,
    ("GET", f"{_RUN}/series"): OWNER_OR_ADMIN,
    ("GET", f"{_RUN}/events"): OWNER_OR_ADMIN,
    ("GET", f"{_RUN}/evaluations"): OWNER_OR_ADMIN,
    ("GET", f"{_RUN}/checkpoints"): OWNER_OR_ADMIN,
    ("GET", f"{_RUN}/checkpoints/{{step}}"): OWNER_OR_ADMIN,
    ("GET", f"{_RUN}/model"): OWNER_OR_ADMIN,
    ("GET", f"{_RUN}/log"): OWNER_OR_ADMIN,
    ("GET", f"{_RUN}/stream"): (403, 404, 404, 400, 404, 404, 400),  # asked without an upgrade
}

#: What makes the thing that its address names: there is no foreign or absent one.
CREATES = {
    ("PUT", _ASSIGNMENT),
    ("PUT", _ENTRY),
    ("PUT", f"{_COURSE}/members/{{user}}"),
    ("PUT", f"{_COURSE}/groups/{{group}}"),
}

ABSENT = {
    "course": "no-course",
    "assignment": "no-assignment",
    "entry": "no-entry",
    "user": "no-user",
    "group": "no-group",
    "number": "4711",
    "grade_id": "no-exercise",
    "name": "no-file.txt",
    "change": "approve",
    "batch_change": "pause",
    "step": "4711",
    **dict.fromkeys(
        (
            "submission_id",
            "entry_id",
            "award_id",
            "item_id",
            "extension_id",
            "batch_id",
            "trial_id",
            "execution_id",
            "run_id",
            "draft_id",
            "draft_batch_id",
            "call",
            "token_id",
            "webhook_id",
            "delivery_id",
        ),
        "0199a5d2-0000-7000-8000-000000000000",
    ),
}

DEFINITION = {
    "title": "An essay",
    "parts": ["text", "files"],
    "rubric": [
        {
            "name": "depth",
            "title": "Depth",
            "levels": [
                {"name": "none", "points": 0, "description": ""},
                {"name": "full", "points": 4, "description": ""},
            ],
        }
    ],
}
ESSAY = {
    "text": "PPO clips.",
    "files": [{"name": "notes.txt", "content_base64": base64.b64encode(b"notes").decode()}],
}
#: A host that no name server knows (RFC 6761), told of what does not happen here.
WEBHOOK = {"name": "LMS", "url": "https://hooks.invalid/", "events": ["batch.finished"]}


@dataclass
class World:
    """One course with everything that an address can name, whose student is ``owner``."""

    api: Any
    course: str
    owner: str
    staff: str
    source: bytes
    answer: bytes
    ids: dict[str, str] = field(default_factory=dict)
    serial: Any = field(default_factory=itertools.count)

    async def build(self) -> None:
        """Fill ``ids``."""
        course, ids = f"/courses/{self.course}", self.ids
        ids |= {"course": self.course, "assignment": f"{self.course}-one", "number": "1"}
        ids |= {"entry": f"{self.course}-essay", "grade_id": "why", "name": "notes.txt"}
        ids |= {
            "change": "approve",
            **{name: ABSENT[name] for name in ("batch_change", "draft_id", "draft_batch_id")},
            "call": ABSENT["call"],
            "user": f"{self.course}-newcomer",
            "group": f"{self.course}-lab",
        }
        await self.put(f"{course}/members/{ids['user']}", {"role": "student"})
        await self.put(f"{course}/groups/{ids['group']}", {"users": [ids["user"]]})
        await self.put(f"{course}/assignments/{ids['assignment']}", self.source)
        await self.put(f"{course}/entries/{ids['entry']}", DEFINITION)
        ids["submission_id"] = await self.submission()
        await self.api.graded(ids["submission_id"])
        ids["award_id"] = await self.award()
        ids["item_id"] = await self.deleted()
        ids["extension_id"] = await self.extension()
        ids["entry_id"] = await self.entry()
        await self.change(ids["entry_id"], "approve")
        await self.change(ids["entry_id"], "release")
        assignment = f"{course}/assignments/{ids['assignment']}"
        ids["batch_id"] = await self.post(f"{assignment}/batches", {"scope": "all"})
        ids["trial_id"] = await self.post(f"{assignment}/validations", self.answer, self.owner)
        ids["execution_id"] = await self.post("/execute", {"code": "x"}, self.owner)
        ids |= {"run_id": await self.run("finished"), "step": "1000"}
        ids |= await self._token()
        ids |= await self._webhook()

    async def post(self, path: str, body: Any, user: str | None = None) -> str:
        """Make something, and return its id."""
        return str((await self.api.ok(user or self.staff, "POST", path, body))["id"])

    async def put(self, path: str, body: Any) -> None:
        await self.api.ok(self.staff, "PUT", path, body)

    async def run(self, state: str, *tags: str) -> str:
        """Return the id of a run, once it is in a state."""
        made = await self.api.ok(self.owner, "POST", "/runs", {"tags": tags})
        run = str(made["items"][0]["id"])
        if state == "stopped":
            await self.api.ok(self.owner, "POST", f"/runs/{run}/commands", {"command": "stop"})
        deadline = time.monotonic() + 60
        while state and (await self.api.ok(self.owner, "GET", f"/runs/{run}"))["state"] != state:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        return run

    def event(self) -> dict[str, Any]:
        """Return what a student's page may report now."""
        now = datetime.now(UTC).isoformat()
        made = {"key": f"k{next(self.serial)}", "kind": "opened", "occurred_at": now}
        return made | {"assignment": self.ids["assignment"]}

    async def award(self) -> str:
        """Return the id of the owner's achievement; staff get none, so they are no staff then."""
        course = f"/courses/{self.course}"
        member = f"{course}/members/{self.owner}"
        role = (await self.api.ok("ada", "GET", member))["role"]
        await self.api.ok("ada", "PUT", member, {"role": "student"})
        await self.api.ok("ada", "PUT", f"{course}/achievements/rules", self.rules())
        found = await self.api.ok("ada", "GET", f"{course}/achievements/students/{self.owner}")
        await self.api.ok("ada", "PUT", member, {"role": role})
        return str(found["items"][0]["award_id"])

    def rules(self) -> dict[str, Any]:
        """Return rules of achievements: one, which whoever passes the tests has met."""
        data = {"assignment": self.ids["assignment"], "grade_ids": ["double-tests"]}
        rule = {"id": "double", "title": "Doubled", "description": "It doubles."}
        return {"rules": [rule | {"criteria": [{"kind": "checks", "data": data}]}]}

    async def submission(self) -> str:
        path = "/courses/{course}/assignments/{assignment}/submissions".format(**self.ids)
        return await self.post(path, self.answer, self.owner)

    async def deleted(self) -> str:
        """Return the id of a submission in the trash."""
        submission = await self.submission()
        await self.api.ok(self.staff, "DELETE", f"/submissions/{submission}")
        return submission

    async def extension(self) -> str:
        path = "/courses/{course}/assignments/{assignment}/extensions".format(**self.ids)
        return await self.post(path, {"user": self.ids["user"], "seconds": 60})

    async def entry(self) -> str:
        """Return the id of an entry with an outcome in draft."""
        path = "/courses/{course}/entries/{entry}/submissions".format(**self.ids)
        made = await self.post(path, ESSAY | {"title": str(next(self.serial))}, self.owner)
        body = {"results": [{"criterion": "depth", "level": "full"}], "revision": 0}
        await self.put(f"/submissions/{made}/outcome", body)
        return made

    async def change(self, entry: str, change: str) -> None:
        path = f"/submissions/{entry}/outcome"
        revision = (await self.api.ok(self.staff, "GET", path))["revision"]
        await self.api.ok(self.staff, "POST", f"{path}/{change}", {"revision": revision})

    async def people(self, course: str) -> str:
        """Make one more course with everybody of ``PEOPLE`` but the outsider in it."""
        await self.api.ok("ada", "POST", "/courses", {"name": course})
        for user, role in (("ines", "instructor"), ("gil", "grader"), ("sam", "student")):
            await self.api.ok("ada", "PUT", f"/courses/{course}/members/{user}", {"role": role})
        await self.api.ok("ada", "PUT", f"/courses/{course}/members/sue", {"role": "student"})
        return course

    # -- what has to be there anew for each call -----------------------------------------------

    async def fresh(self, verb: str, path: str) -> dict[str, str]:
        """Make what this call uses up; return the ids of it."""
        made: dict[tuple[str, str], Callable[[], Awaitable[dict[str, str]]]] = {
            ("DELETE", _COURSE): self._course,
            ("POST", f"{_COURSE}/restore"): self._deleted_course,
            ("DELETE", f"{_COURSE}/members/{{user}}"): self._member,
            ("POST", "/people/{user}/erase"): self._member,
            ("DELETE", f"{_COURSE}/groups/{{group}}"): self._group,
            ("POST", f"{_COURSE}/trash/{{item_id}}"): self._item,
            ("DELETE", _ASSIGNMENT): self._assignment,
            ("DELETE", f"{_ASSIGNMENT}/extensions/{{extension_id}}"): self._extension,
            ("DELETE", _SUBMISSION): self._submission,
            ("POST", f"{_SUBMISSION}/grade"): self._graded,
            ("PUT", f"{_SUBMISSION}/outcome"): self._entry,
            ("POST", f"{_SUBMISSION}/outcome/{{change}}"): self._entry,
            ("POST", f"{_RUN}/commands"): self._run,
            ("DELETE", _RUN): self._ended_run,
            ("DELETE", "/me/tokens/{token_id}"): self._token,
            ("POST", "/me/tokens/{token_id}/rotate"): self._token,
            ("DELETE", f"{_COURSE}/tokens/{{token_id}}"): self._token,
            ("DELETE", f"{_COURSE}/webhooks/{{webhook_id}}"): self._webhook,
        }
        make = made.get((verb, path))
        return self.ids | (await make() if make else {})

    async def _course(self) -> dict[str, str]:
        return {"course": await self.people(f"short-{next(self.serial)}")}

    async def _deleted_course(self) -> dict[str, str]:
        course = await self.people(f"gone-{next(self.serial)}")
        await self.api.ok("ada", "DELETE", f"/courses/{course}")
        return {"course": course}

    async def _member(self) -> dict[str, str]:
        await self.put(f"/courses/{self.course}/members/brief", {"role": "student"})
        return {"user": "brief"}

    async def _group(self) -> dict[str, str]:
        await self.put(f"/courses/{self.course}/groups/brief", {"users": []})
        return {"group": "brief"}

    async def _item(self) -> dict[str, str]:
        return {"item_id": await self.deleted()}

    async def _assignment(self) -> dict[str, str]:
        name = f"short-{next(self.serial)}"
        await self.put(f"/courses/{self.course}/entries/{name}", DEFINITION)
        return {"assignment": name}

    async def _extension(self) -> dict[str, str]:
        return {"extension_id": await self.extension()}

    async def _submission(self) -> dict[str, str]:
        return {"submission_id": await self.submission()}

    async def _graded(self) -> dict[str, str]:
        await self.api.graded(self.ids["submission_id"])  # only that can be graded again
        return {}

    async def _entry(self) -> dict[str, str]:
        return {"entry_id": await self.entry()}

    async def _run(self) -> dict[str, str]:
        return {"run_id": await self.run("", "wait")}

    async def _token(self) -> dict[str, str]:
        body = {"course": self.course, "name": "of a script"}
        made = await self.api.ok(self.owner, "POST", "/me/tokens", body)
        return {"token_id": made["token"]["id"]}

    async def _webhook(self) -> dict[str, str]:
        """Make one that is stopped, so that its message waits."""
        webhooks = f"/courses/{self.course}/webhooks"
        made = await self.api.ok(self.staff, "POST", webhooks, WEBHOOK)
        webhook = f"{webhooks}/{made['webhook']['id']}"
        await self.api.ok(self.staff, "PATCH", webhook, {"is_active": False})
        return {
            "webhook_id": made["webhook"]["id"],
            "delivery_id": await self.post(f"{webhook}/test", None),
        }

    async def _ended_run(self) -> dict[str, str]:
        return {"run_id": await self.run("stopped", "wait")}

    async def body(self, verb: str, path: str, person: str | None, ids: dict[str, str]) -> Any:
        """Return what is right to send; revisions are those of this world."""
        course = f"/courses/{self.course}"
        if (verb, path) == ("PUT", f"{_ASSIGNMENT}/terms"):
            terms = f"{course}/assignments/{self.ids['assignment']}/terms"
            seen = await self.api.ok(self.staff, "GET", terms)
            return {name: value for name, value in seen.items() if name != "own"}
        if (verb, path) == ("PUT", f"{_SUBMISSION}/marks/{{grade_id}}"):
            grade = await self.api.ok(
                self.staff, "GET", f"/submissions/{self.ids['submission_id']}/grade"
            )
            [mark] = [each["mark"] for each in grade["exercises"] if each["grade_id"] == "why"]
            return {"points": 1, "revision": mark["revision"] if mark else 0}
        if (verb, path) == ("POST", f"{_COURSE}/gradebook/nbgrader"):
            exported = await self.api(self.staff, "GET", f"{course}/gradebook/nbgrader")
            return exported.body
        bodies: dict[tuple[str, str], Any] = {
            ("POST", "/courses"): {"name": f"by-{person}"},
            ("PUT", "/me/preferences"): {"mode": "standard"},
            ("PATCH", "/me/preferences"): {"mode": "expert"},
            ("POST", "/me/tokens"): {"course": self.course, "name": "of a script"},
            ("POST", "/me/tokens/{token_id}/rotate"): {},
            ("POST", f"{_COURSE}/webhooks"): WEBHOOK,
            ("PATCH", f"{_COURSE}/webhooks/{{webhook_id}}"): {"name": "renamed"},
            ("POST", f"{_COURSE}/webhooks/{{webhook_id}}/rotate"): {},
            ("POST", "/people/{user}/erase"): {"confirm": ids["user"]},
            ("PATCH", _COURSE): {"title": "Learn PPO"},
            ("POST", f"{_COURSE}/members/import"): b"user,role\nimported,student\n",
            ("PUT", f"{_COURSE}/members/{{user}}"): {"role": "student"},
            ("PUT", f"{_COURSE}/groups/{{group}}"): {"users": []},
            ("PUT", _ASSIGNMENT): self.source,
            ("POST", f"{_ASSIGNMENT}/extensions"): {"user": self.ids["user"], "seconds": 60},
            ("POST", f"{_ASSIGNMENT}/versions"): {"number": 1},
            ("POST", f"{_ASSIGNMENT}/submissions"): self.answer,
            ("POST", f"{_COURSE}/submissions"): self.answer,
            ("POST", f"{_ASSIGNMENT}/batches"): {"scope": "all"},
            ("DELETE", f"{_ASSIGNMENT}/released-grades"): {},
            ("PUT", f"{_ASSIGNMENT}/released-grades"): {},
            ("PUT", _ENTRY): DEFINITION,
            ("POST", f"{_ENTRY}/submissions"): ESSAY,
            ("PUT", f"{_SUBMISSION}/outcome"): {
                "results": [{"criterion": "depth", "level": "none"}],
                "revision": 1,
            },
            ("POST", f"{_SUBMISSION}/outcome/{{change}}"): {"revision": 1},
            ("POST", f"{_ASSIGNMENT}/validations"): self.answer,
            ("POST", f"{_COURSE}/checks"): self.source,
            ("POST", f"{_COURSE}/previews"): self.source,
            ("PUT", f"{_COURSE}/achievements/rules"): self.rules(),
            ("PUT", f"{_COURSE}/leaderboard/me"): {"pseudonym": f"fox of {person}"},
            ("POST", f"{_COURSE}/progress/events"): {"events": [self.event()]},
            ("POST", f"{_ASSIGNMENT}/hints/{{grade_id}}"): {"answer": "x = 1"},
            ("POST", f"{_COURSE}/explanations"): {"kind": "cell", "code": "x = 1"},
            ("PUT", f"{_COURSE}/feedback-settings"): {"samples": 3},
            ("PUT", f"{_ASSIGNMENT}/feedback-settings"): {"samples": 3},
            ("PUT", f"{_ASSIGNMENT}/self-checks/{{grade_id}}"): {"levels": {}},
            ("POST", f"{_ASSIGNMENT}/drafts/estimate"): {},
            ("POST", f"{_ASSIGNMENT}/drafts/approve"): {"threshold": 1},
            ("POST", f"{_ASSIGNMENT}/draft-batches"): {},
            ("POST", "/drafts/{draft_id}/approve"): {"revision": 0},
            ("POST", "/drafts/{draft_id}/edit"): {"revision": 0, "results": []},
            ("POST", "/drafts/{draft_id}/reject"): {},
            ("PUT", f"{_ASSIGNMENT}/calibrations/{{grade_id}}/answers/{{submission_id}}"): {
                "levels": {}
            },
            ("POST", "/runs"): {},
            ("PATCH", _RUN): {"name": "renamed"},
            ("POST", f"{_RUN}/commands"): {"command": "stop"},
            ("POST", "/execute"): {"code": "x"},
            ("POST", "/execute/tests"): {"code": "x", "cases": [{"stdin": "", "expected": "x"}]},
        }
        return bodies.get((verb, path))


def filled(path: str, ids: dict[str, str]) -> str:
    """Return the address; entries have assignments and submissions of their own."""
    if path.startswith(_ENTRY):
        ids = ids | {"assignment": ids["entry"]}
    if re.match(r"/submissions/{submission_id}/(entry|files|outcome)", path):
        ids = ids | {"submission_id": ids["entry_id"]}
    if "/hints/" in path and ids["grade_id"] == "why":  # an answer in words has none
        ids = ids | {"grade_id": "double"}
    return path.format(**ids)


async def own_world(api: Any, source: bytes, answer: bytes) -> World:
    world = World(api, "ppo", "sam", "ines", source, answer)
    await world.people("ppo")
    await world.build()
    return world


def endpoints() -> list[tuple[str, str]]:
    return [
        (verb, path)
        for path, handler in ROUTES
        for verb in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if verb.lower() in vars(handler)
    ]


def test_every_endpoint_says_who_may_use_it() -> None:
    assert sorted(endpoints()) == sorted(EXPECTED)


async def test_each_role_may_do_what_the_table_says(api: Any, source: bytes, answer: bytes) -> None:
    world = await own_world(api, source, answer)
    await api.ok("ada", "POST", "/courses", {"name": "other"})
    await api.ok("ada", "PUT", "/courses/other/members/oto", {"role": "instructor"})
    wrong: dict[tuple[str, str], tuple[int, ...]] = {}
    for (verb, path), expected in EXPECTED.items():
        codes = []
        for person in PEOPLE:
            ids = await world.fresh(verb, path)
            body = await world.body(verb, path, person, ids)
            response = await api(person, verb, filled(path, ids), body)
            codes.append(response.code)
        if tuple(codes) != expected:
            wrong[verb, path] = tuple(codes)
    assert not wrong, "\n".join(f"{each}: {wrong[each]}, not {EXPECTED[each]}" for each in wrong)


async def test_ids_of_another_course_are_answered_like_ids_of_nothing(
    api: Any, source: bytes, answer: bytes
) -> None:
    """Every address with the ids of a course that the caller is not in, and with ids of nothing."""
    world = await own_world(api, source, answer)
    await api.ok("ada", "POST", "/courses", {"name": "foreign"})
    await api.ok("ada", "PUT", "/courses/foreign/members/oto", {"role": "instructor"})
    foreign = World(api, "foreign", "oto", "oto", source, answer)
    await foreign.build()
    for (verb, path), statuses in EXPECTED.items():
        if "{" not in path or statuses is ONLY_ADMIN:
            continue
        for person in (None, "sue", "sam", "gil", "ines"):
            body = await world.body(verb, path, person, world.ids)
            theirs = await api(person, verb, filled(path, foreign.ids), body)
            nothing = await api(person, verb, filled(path, ABSENT), body)
            expected = 403 if person is None else 404
            assert (theirs.code, nothing.code) == (expected,) * 2, (verb, path, person)
            assert said(theirs, foreign.ids) == said(nothing, ABSENT), (verb, path, person)


async def test_in_ones_own_course_foreign_and_absent_things_are_the_same(
    api: Any, source: bytes, answer: bytes
) -> None:
    """The caller's own course with what is of another one, and with nothing, one after another."""
    world = await own_world(api, source, answer)
    await api.ok("ada", "POST", "/courses", {"name": "foreign"})
    await api.ok("ada", "PUT", "/courses/foreign/members/oto", {"role": "instructor"})
    foreign = World(api, "foreign", "oto", "oto", source, answer)
    await foreign.build()
    for (verb, path), statuses in EXPECTED.items():
        names = re.findall(r"\{(\w+)\}", path)
        inner = [name for name in names if name != "course"]
        if not inner or (verb, path) in CREATES or statuses is ONLY_ADMIN:
            continue
        keys = {*inner, "entry", "entry_id"} if inner[0] != inner[-1] or "course" in names else ()
        wholly = [{key: each[key] for key in keys} for each in (foreign.ids, ABSENT)]
        last = [{inner[-1]: each[inner[-1]]} for each in (foreign.ids, ABSENT)]
        if inner[-1] in {"grade_id", "name", "number", "change", "step"}:
            last = last[1:] * 2  # the other course has them, too
        if inner[-1] in {"assignment", "submission_id"}:
            last = wholly
        if inner[-1] == "change":
            last = [{"change": "no-change"}] * 2
        for person, right in zip(PEOPLE[2:], statuses[2:], strict=True):
            body = await world.body(verb, path, person, world.ids)
            for theirs, nothing in (wholly, last):
                if not theirs:
                    continue
                one = await api(person, verb, filled(path, world.ids | theirs), body)
                two = await api(person, verb, filled(path, world.ids | nothing), body)
                case = (verb, path, person, one.body, two.body)
                if person == "ada" and "course" not in names:
                    assert two.code == 404, case  # an admin may read the other course
                    continue
                assert one.code == two.code, case
                assert one.code in ({403, 404} if right >= 400 else {404}), case
                assert said(one, world.ids | theirs) == said(two, world.ids | nothing), case


def said(response: Any, ids: dict[str, str]) -> str:
    """Return an answer without the ids that were asked for."""
    text = response.body.decode()
    for value in sorted(ids.values(), key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w-])", "?", text)
    return text
