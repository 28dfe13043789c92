"""``jupyter ppo drafts``: feedback that a language model drafts and people approve."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from uuid import UUID

from tqdm import tqdm

from jupyter_ppo.cli.app import Commands, Context
from jupyter_ppo.cli.terminal import visible
from jupyter_ppo.domain.draft_records import DraftBatch
from jupyter_ppo.domain.errors import NotFoundError
from jupyter_ppo.domain.tutoring import BatchState, ItemState
from jupyter_ppo.services.draft_queue import LEASE_SECONDS
from jupyter_ppo.services.drafting import BatchView, DraftEstimate
from jupyter_ppo.services.paging import every_page

_PAGE = 200
_OPEN = (BatchState.RUNNING, BatchState.PAUSED, BatchState.STOPPED)


def add_commands(commands: Commands) -> None:
    """Add this module's commands to the parser."""
    drafts = commands.add_parser("drafts", help="feedback that a language model drafts")
    verbs = drafts.add_subparsers(metavar="verb", required=True)

    estimate = verbs.add_parser("estimate", help="say what drafting would take; sends nothing")
    _add_names(estimate)
    _add_answers(estimate)
    estimate.set_defaults(run=_estimate)

    start = verbs.add_parser("start", help="draft answers here, and wait for them")
    _add_names(start)
    _add_answers(start)
    start.set_defaults(run=_start)

    status = verbs.add_parser("status", help="list batches of drafts, newest first")
    _add_names(status)
    status.set_defaults(run=_status)

    pause = verbs.add_parser("pause", help="let a batch wait")
    _add_names(pause)
    _add_batch(pause)
    pause.set_defaults(run=_pause)

    resume = verbs.add_parser("resume", help="go on with a batch here, and with what failed in it")
    _add_names(resume)
    _add_batch(resume)
    resume.set_defaults(run=_resume)

    cancel = verbs.add_parser("cancel", help="end a batch; the drafts that there are stay")
    _add_names(cancel)
    _add_batch(cancel)
    cancel.set_defaults(run=_cancel)


def _add_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("course", help="the course's name, as 'jupyter ppo course list' shows it")
    parser.add_argument("assignment", help="the assignment's name")


def _add_answers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--grade-id", help="only answers to this question; default: every one")
    parser.add_argument(
        "--user", action="append", help="only this student's; may be given more than once"
    )
    parser.add_argument(
        "--for-calibration", action="store_true", help="only those that people marked to compare"
    )


def _add_batch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--batch", type=UUID, metavar="ID", help="which batch; default: the newest that is open"
    )


# -- commands ------------------------------------------------------------------------------------


def _estimate(arguments: argparse.Namespace, context: Context) -> int:
    drafting = context.service.use_cases.drafting
    found = drafting.estimate(
        context.caller,
        arguments.course,
        arguments.assignment,
        grade_id=arguments.grade_id,
        submissions=_listed(arguments, context),
        for_calibration=arguments.for_calibration,
    )
    print(_estimate_text(found, drafting.currency))
    if not context.service.gate.has_price:
        print("no price: llm_prices has none for this model, so no cap holds for it")
    if found.reason:
        print(f"not to be started: {found.reason}")
    return 0


def _start(arguments: argparse.Namespace, context: Context) -> int:
    view = context.service.use_cases.drafting.start(
        context.caller,
        arguments.course,
        arguments.assignment,
        grade_id=arguments.grade_id,
        submissions=_listed(arguments, context),
        for_calibration=arguments.for_calibration,
    )
    return _draft_here(view.batch, context)


def _status(arguments: argparse.Namespace, context: Context) -> int:
    views = _batches(arguments, context)
    for view in views:
        print(_batch_text(view, context))
    if not views:
        print(f"nothing of {arguments.assignment} was drafted yet")
    return 0


def _pause(arguments: argparse.Namespace, context: Context) -> int:
    batch = _chosen(arguments, context, BatchState.RUNNING)
    print(_batch_text(context.service.use_cases.drafting.pause(context.caller, batch.id), context))
    return 0


def _resume(arguments: argparse.Namespace, context: Context) -> int:
    # A running one too: who drafted it may have been killed, and no server may be there.
    batch = _chosen(arguments, context, *_OPEN)
    view = context.service.use_cases.drafting.resume(context.caller, batch.id)
    return _draft_here(view.batch, context)


def _cancel(arguments: argparse.Namespace, context: Context) -> int:
    batch = _chosen(arguments, context, *_OPEN)
    print(_batch_text(context.service.use_cases.drafting.cancel(context.caller, batch.id), context))
    return 0


# -- parts ---------------------------------------------------------------------------------------


def _draft_here(batch: DraftBatch, context: Context) -> int:
    """Draft in this process until nothing of the batch waits; a server may help meanwhile."""
    drafting = context.service.use_cases.drafting
    waiting = batch.counts.get(ItemState.WAITING, 0)
    with tqdm(total=waiting, desc="drafts", unit="answer", disable=None) as bar:

        def advance() -> None:
            bar.update(1)

        try:
            context.service.drafts.work_off(batch.id, advance)
        except KeyboardInterrupt:
            bar.close()
            drafting.pause(context.caller, batch.id)
            print(
                f"interrupted: the batch {batch.id} is paused; 'jupyter ppo drafts resume' goes "
                "on with the rest, and nothing is asked twice.",
                file=sys.stderr,
            )
            return 130
    view = drafting.batch(context.caller, batch.id)
    print(_batch_text(view, context))
    if view.batch.state is BatchState.RUNNING:
        print(
            "the rest is being drafted by a server, or was by a process that was killed; look "
            f"again with 'status', and after {LEASE_SECONDS:.0f} seconds 'resume' takes it up"
        )
    failed = view.batch.counts.get(ItemState.FAILED, 0)
    return 1 if failed or view.batch.state is BatchState.STOPPED else 0


def _listed(arguments: argparse.Namespace, context: Context) -> Collection[UUID] | None:
    """Return the attempts that count of the students that were named, None for everybody's."""
    if not arguments.user:
        return None
    rows = context.service.assessment.every_latest(
        context.caller, arguments.course, arguments.assignment
    )
    found = {row.user: row.id for row in rows}
    for user in arguments.user:
        if user not in found:
            msg = f"user: {user!r} has handed in nothing for {arguments.assignment!r}."
            raise NotFoundError(msg, field="user")
    return [found[user] for user in dict.fromkeys(arguments.user)]


def _batches(arguments: argparse.Namespace, context: Context) -> list[BatchView]:
    drafting = context.service.use_cases.drafting
    return list(
        every_page(
            lambda offset: drafting.batches(
                context.caller,
                arguments.course,
                arguments.assignment,
                offset=offset,
                limit=_PAGE,
            )
        )
    )


def _chosen(arguments: argparse.Namespace, context: Context, *states: BatchState) -> DraftBatch:
    """Return the batch that was named, of this assignment, or the newest in one of ``states``."""
    for view in _batches(arguments, context):
        batch = view.batch
        if batch.id == arguments.batch or (arguments.batch is None and batch.state in states):
            return batch
    wanted = " or ".join(states) if arguments.batch is None else str(arguments.batch)
    msg = (
        f"batch: {arguments.assignment!r} has no batch of drafts that is {wanted}. "
        "'jupyter ppo drafts status' lists them."
    )
    raise NotFoundError(msg, field="batch")


def _estimate_text(found: DraftEstimate, currency: str) -> str:
    lines = (
        f"answers: {found.answers}, of which {found.skipped} are left out "
        "(judged by a person, empty, too long)",
        f"calls: {found.calls}, and {found.cached_calls} that were answered before at no cost",
        f"tokens: about {found.input_tokens} read, {found.output_tokens} written",
        f"cost: about {found.cost:.6f} {currency}; the caps leave {found.left_assignment:.6f} for "
        f"the assignment and {found.left_course:.6f} for the course",
        f"calibrated: {'yes' if found.calibrated else 'no'}",
    )
    return "\n".join(lines)


def _batch_text(view: BatchView, context: Context) -> str:
    batch = view.batch
    counts = ", ".join(f"{count} {state}" for state, count in batch.counts.items() if count)
    currency = context.service.use_cases.drafting.currency
    which = visible(batch.grade_id) if batch.grade_id else "every question"
    kind = "  for calibration" if batch.for_calibration else ""
    line = (
        f"batch {batch.id}  {batch.state}  {which}{kind}  {counts or 'empty'}  "
        f"{view.spent:.6f} {currency}"
    )
    return f"{line}\n  {visible(batch.message)}" if batch.message else line
