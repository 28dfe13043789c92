"""``jupyter ppo regrade | queue``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from uuid import UUID

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.working import check_sandbox, grade_here
from jupyter_ppo.domain.batches import Batch, BatchItem, BatchItemState, BatchScope, Snapshot
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.services.paging import every_page

_PAGE = 200


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    regrade = commands.add_parser(
        "regrade", help="grade submissions again and show what changed; marks are kept"
    )
    regrade.add_argument("course")
    regrade.add_argument("assignment")
    which = regrade.add_mutually_exclusive_group()
    which.add_argument("--failed", action="store_true", help="only those whose grading failed")
    which.add_argument("--ungraded", action="store_true", help="only those never graded")
    which.add_argument(
        "--user", action="append", help="only this student's; may be given more than once"
    )
    regrade.add_argument(
        "--newest-version",
        action="store_true",
        help="put them on the assignment's newest version",
    )
    regrade.add_argument("--reason", default="", help="why, for the batch's record")
    regrade.set_defaults(run=_regrade)

    queue = commands.add_parser("queue", help="show what waits to be graded, or cancel it")
    queue.add_argument("course")
    queue.add_argument("--cancel", metavar="ID", help="a batch or a submission to cancel")
    queue.set_defaults(run=_queue)


def _regrade(arguments: argparse.Namespace, context: Context) -> int:
    check_sandbox(context)
    batches = context.service.use_cases.batches
    batch = batches.create(
        context.caller,
        arguments.course,
        arguments.assignment,
        scope=_scope(arguments),
        submissions=_listed(arguments, context) if arguments.user else (),
        newest_version=arguments.newest_version,
        reason=arguments.reason,
    )
    waiting = [
        item.submission_id
        for item in _items(context, batch.id)
        if item.state in {BatchItemState.WAITING, BatchItemState.GRADING}
    ]
    if not grade_here(context, waiting, "regrade"):
        return 130
    changed = list(_items(context, batch.id, changed=True))
    print("\n".join(_table(changed)) if changed else "no points changed")
    ended = batches.batch(context.caller, batch.id)
    print(f"batch {batch.id}: {_counts(ended)}; {len(changed)} of {ended.total} changed")
    failed = [item for item in _items(context, batch.id) if item.state is BatchItemState.FAILED]
    for item in failed:
        print(f"  {item.user} attempt {item.attempt}: {item.error}", file=sys.stderr)
    return 1 if failed else 0


def _scope(arguments: argparse.Namespace) -> BatchScope:
    if arguments.failed:
        return BatchScope.FAILED
    if arguments.ungraded:
        return BatchScope.UNGRADED
    return BatchScope.LISTED if arguments.user else BatchScope.ALL


def _listed(arguments: argparse.Namespace, context: Context) -> Sequence[UUID]:
    """Return the attempts that count of the students that were named."""
    rows = context.service.assessment.every_latest(
        context.caller, arguments.course, arguments.assignment
    )
    found = {row.user: row.id for row in rows}
    for user in arguments.user:
        if user not in found:
            msg = f"user: {user!r} has handed in nothing for {arguments.assignment!r}."
            raise NotFoundError(msg, field="user")
    return [found[user] for user in dict.fromkeys(arguments.user)]


def _items(context: Context, batch_id: UUID, *, changed: bool = False) -> Iterable[BatchItem]:
    return every_page(
        lambda offset: context.service.use_cases.batches.items(
            context.caller, batch_id, changed=changed, offset=offset, limit=_PAGE
        )
    )


def _table(items: Sequence[BatchItem]) -> Iterable[str]:
    width = max(len("student"), *(len(item.user) for item in items))
    yield f"{'student':<{width}}  attempt  {'before':<16}  {'after':<16}  exercises"
    for item in items:
        before, after = _points(item.before), _points(item.after)
        exercises = ", ".join(_exercises(item.before, item.after))
        yield f"{item.user:<{width}}  {item.attempt:>7}  {before:<16}  {after:<16}  {exercises}"


def _points(snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return "not graded"
    return f"{snapshot.points:g} / {snapshot.max_points:g} (v{snapshot.version_number})"


def _exercises(before: Snapshot | None, after: Snapshot | None) -> Iterable[str]:
    """Yield each exercise whose points differ; a dash stands for one that a version lacks."""
    old = before.exercises if before else {}
    new = after.exercises if after else {}
    for grade_id in dict.fromkeys((*new, *old)):
        if old.get(grade_id) != new.get(grade_id):
            was, now = (
                f"{points[grade_id]:g}" if grade_id in points else "-" for points in (old, new)
            )
            yield f"{grade_id} {was} -> {now}"


def _queue(arguments: argparse.Namespace, context: Context) -> int:
    batches, caller, course = context.service.use_cases.batches, context.caller, arguments.course
    if arguments.cancel is not None:
        print(_cancel(arguments.cancel, context))
    queue = batches.queue(caller, course)
    print(f"{course}: {queue.waiting} wait, {queue.grading} are being graded")
    for batch in every_page(
        lambda offset: batches.batches(caller, course, offset=offset, limit=_PAGE)
    ):
        if not batch.is_over:
            print(f"batch {batch.id}  {batch.assignment_name}  {_counts(batch)}  {batch.reason}")
    return 0


def _cancel(text: str, context: Context) -> str:
    batches = context.service.use_cases.batches
    try:
        wanted = UUID(text)
    except ValueError:
        msg = f"cancel: {text[:80]!r} is not the id of a batch or a submission."
        raise InvalidInputError(msg, field="cancel") from None
    try:
        batch = batches.cancel(context.caller, wanted)
    except NotFoundError:
        submission = batches.cancel_submission(context.caller, wanted)
        return f"submission {wanted} of {submission.user} is {submission.state} now"
    return f"batch {wanted}: {_counts(batch)}"


def _counts(batch: Batch) -> str:
    named = [f"{count} {state}" for state, count in batch.counts.items() if count]
    return ", ".join(named) or "empty"
