"""Training runs: made, listed, commanded, read and taken home."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from pydantic import BaseModel
from tornado import web
from tornado.iostream import StreamClosedError

from jupyter_ppo.domain.errors import ConflictError, InvalidInputError, NotFoundError
from jupyter_ppo.services.training import TrainingService
from jupyter_ppo.services.training_comparing import TrainingComparing
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.execution_answers import json_data
from jupyter_ppo.web.models import page_numbers
from jupyter_ppo.web.operations import Action, MediaType, answers, permitted
from jupyter_ppo.web.training_measures import (
    CheckpointAnswer,
    CheckpointsAnswer,
    EvaluationAnswer,
    EvaluationsAnswer,
    EventsAnswer,
    LogAnswer,
    MetricsAnswer,
    SeriesAnswer,
)
from jupyter_ppo.web.training_models import (
    CommandTaken,
    HyperparametersAnswer,
    ListedRun,
    NewRunsAnswer,
    TrainingRunAnswer,
    TrainingRunDetail,
    TrainingRunPage,
    UsageAnswer,
)
from jupyter_ppo.web.training_requests import (
    ChangedRun,
    EventsQuery,
    HyperparametersQuery,
    MetricsQuery,
    NewCommand,
    NewRuns,
    RunsQuery,
    SeriesQuery,
    below,
)

_PIECE_BYTES = 256 * 2**10


class TrainingHandler(PPOHandler):
    """What the addresses below ``/runs`` share."""

    @property
    def training(self) -> TrainingService:
        """The use cases."""
        return self.use_cases.training

    @property
    def comparing(self) -> TrainingComparing:
        """The use cases over several runs."""
        return TrainingComparing(self.training)

    def run_id(self, text: str) -> UUID:
        """Return the id of a run from the address; raise ``NotFoundError``."""
        return self.identifier(text, "run")

    async def reply_made(self, make: Callable[[], BaseModel]) -> None:
        """Make an answer and send it; it may be megabytes, so it is made in a thread."""
        self.finish(await asyncio.to_thread(lambda: make().model_dump_json()))

    async def reply_file(self, path: Path, media_type: MediaType, filename: str) -> None:
        """Send a file piece by piece, as fast as it is taken; a browser saves it.

        Raises ``NotFoundError`` when it is gone.
        """
        try:
            file = await asyncio.to_thread(path.open, "rb")
        except OSError as error:
            msg = f"{filename} is not there any more. List again what there is."
            raise NotFoundError(msg, field="run") from error
        try:
            await self._send_pieces(file, media_type, filename)
        except StreamClosedError:
            self.log.debug("The download of %s was broken off.", filename)
        finally:
            file.close()

    async def _send_pieces(self, file: BinaryIO, media_type: MediaType, filename: str) -> None:
        self.set_attachment_header(filename)
        self.set_header("Content-Type", media_type.value)
        left = os.fstat(file.fileno()).st_size
        self.set_header("Content-Length", str(left))
        while left and (piece := await asyncio.to_thread(file.read, min(left, _PIECE_BYTES))):
            left -= len(piece)
            self.write(piece)
            await self.flush()
        self.finish(set_content_type=media_type.value)


class RunsHandler(TrainingHandler):
    """``/runs``: training runs."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(TrainingRunPage, query=RunsQuery)
    async def get(self) -> None:
        """List runs, newest first (one's own; an admin sees everybody's)."""
        query = self.query(RunsQuery)
        page = await self.ask(self.training.runs, **query.model_dump())
        latest = await self.ask(self.comparing.latest, page.items)
        items = [ListedRun.listed(*each) for each in zip(page.items, latest, strict=True)]
        self.reply(TrainingRunPage(items=items, **page_numbers(page)))

    @web.authenticated
    @permitted(Action.EXECUTE)
    @answers(NewRunsAnswer, HTTPStatus.ACCEPTED, body=NewRuns, same=(HTTPStatus.OK,), has_key=True)
    async def post(self) -> None:
        """Queue a run, or one for each seed; `warnings` are choices that are probably not meant.

        The same body with the same `Idempotency-Key` is answered with 200 and the first runs.
        """
        body = self.json_body(NewRuns)
        try:
            made = await self.ask(
                self.training.create,
                body.specs(),
                name=body.name,
                tags=body.tags,
                request_key=self.idempotency_key(),
            )
        except InvalidInputError as error:
            raise (below(error, "spec") if error.field == "env_id" else error) from error
        except ConflictError as error:
            if error.field != "request_key":
                raise
            msg = "Idempotency-Key: you sent it with another request before. Use a new one."
            raise ConflictError(msg, field="Idempotency-Key") from error
        status = HTTPStatus.OK if made.is_repeat else HTTPStatus.ACCEPTED
        self.reply(NewRunsAnswer.of(made.runs), status, location=f"/runs/{made.runs[0].id}")


class RunHandler(TrainingHandler):
    """``/runs/{run_id}``: one run."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(TrainingRunDetail)
    async def get(self, run_id: str) -> None:
        """Return a run and how far it is (its owner, admins)."""
        run, status = await self.ask(self.training.status, self.run_id(run_id))
        [latest] = await self.ask(self.comparing.latest, [run])
        self.reply(TrainingRunDetail.seen(run, status, latest))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(TrainingRunAnswer, body=ChangedRun)
    async def patch(self, run_id: str) -> None:
        """Give a run another name or other tags (its owner, admins)."""
        body = self.json_body(ChangedRun)
        changed = await self.ask(
            self.training.rename, self.run_id(run_id), name=body.name, tags=body.tags
        )
        self.reply(TrainingRunAnswer.of(changed))

    @web.authenticated
    @permitted(Action.WRITE)
    @answers(TrainingRunAnswer)
    async def delete(self, run_id: str) -> None:
        """Delete a run with all its files, for good; 409 while it trains (its owner, admins)."""
        deleted = await self.ask(self.training.delete, self.run_id(run_id))
        self.reply(TrainingRunAnswer.of(deleted))


class RunCommandsHandler(TrainingHandler):
    """``/runs/{run_id}/commands``: what is asked of a run."""

    @web.authenticated
    @permitted(Action.EXECUTE)
    @answers(CommandTaken, HTTPStatus.ACCEPTED, body=NewCommand)
    async def post(self, run_id: str) -> None:
        """Pause, resume, stop or extend a run, or set what may change meanwhile (owner, admins).

        It takes effect within one update. A run that has ended is queued again by `resume` and
        `extend`, and goes on from its newest checkpoint.
        """
        asked = self.json_body(NewCommand).asked()
        try:
            taken = await self.ask(self.training.command, self.run_id(run_id), asked)
        except InvalidInputError as error:
            raise below(error, "values") from error
        plain = asked.to_dict()
        self.reply(
            CommandTaken(id=taken, command=asked.command, values=plain["values"]),
            HTTPStatus.ACCEPTED,
        )


class RunMetricsHandler(TrainingHandler):
    """``/runs/{run_id}/metrics``: every point."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MetricsAnswer, query=MetricsQuery)
    async def get(self, run_id: str) -> None:
        """Return what was measured after a cursor, in the order it was written (owner, admins)."""
        query = self.query(MetricsQuery)
        found = await self.ask(
            self.training.metrics, self.run_id(run_id), since=query.since, limit=query.limit
        )
        await self.reply_made(lambda: MetricsAnswer.of(found.items, found.cursor))


class RunSeriesHandler(TrainingHandler):
    """``/runs/{run_id}/series``: curves to draw."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(SeriesAnswer, query=SeriesQuery)
    async def get(self, run_id: str) -> None:
        """Return metrics as curves of at most so many points each (owner, admins)."""
        query = self.query(SeriesQuery)
        names = None if query.names is None else query.names.split(",")
        found = await self.ask(
            self.training.series, self.run_id(run_id), names=names, points=query.points
        )
        await self.reply_made(lambda: SeriesAnswer.of(found.columns, found.cursor))


class RunEventsHandler(TrainingHandler):
    """``/runs/{run_id}/events``: what happened."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(EventsAnswer, query=EventsQuery)
    async def get(self, run_id: str) -> None:
        """Return events after a cursor, such as when a command took effect (owner, admins)."""
        query = self.query(EventsQuery)
        found = await self.ask(
            self.training.events, self.run_id(run_id), since=query.since, limit=query.limit
        )
        self.reply(EventsAnswer.of(found.items, found.cursor))


class RunEvaluationsHandler(TrainingHandler):
    """``/runs/{run_id}/evaluations``: episodes on held-out seeds."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(EvaluationsAnswer)
    async def get(self, run_id: str) -> None:
        """Return every evaluation, episode by episode (owner, admins)."""
        found = await self.ask(self.training.evaluations, self.run_id(run_id))
        await self.reply_made(
            lambda: EvaluationsAnswer(items=[EvaluationAnswer.of(each) for each in found])
        )


class RunCheckpointsHandler(TrainingHandler):
    """``/runs/{run_id}/checkpoints``: where a run can go on from."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(CheckpointsAnswer)
    async def get(self, run_id: str) -> None:
        """List the checkpoints that are kept, oldest first (owner, admins)."""
        found = await self.ask(self.training.checkpoints, self.run_id(run_id))
        self.reply(CheckpointsAnswer(items=[CheckpointAnswer.of(each) for each in found]))


class RunCheckpointHandler(TrainingHandler):
    """``/runs/{run_id}/checkpoints/{step}``: one checkpoint."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MediaType.BYTES)
    async def get(self, run_id: str, step: str) -> None:
        """Download a checkpoint as it is in the run's folder (owner, admins)."""
        run = self.run_id(run_id)
        # int() takes digits of every script, and refuses thousands of them.
        if not (step.isascii() and step.isdecimal() and len(step) < 16):
            await self.ask(self.training.run, run)
            msg = f"There is no checkpoint {step[:80]!r}. GET /runs/{run}/checkpoints lists them."
            raise NotFoundError(msg, field="step")
        path = await self.ask(self.training.checkpoint_file, run, int(step))
        await self.reply_file(path, MediaType.BYTES, f"{run}-{int(step)}.ckpt")


class RunModelHandler(TrainingHandler):
    """``/runs/{run_id}/model``: what a run has learned."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MediaType.ZIP)
    async def get(self, run_id: str) -> None:
        """Download the model of an ended run, for `PPO.load` of Stable-Baselines3 (owner, admins).

        404 until there is one.
        """
        run = self.run_id(run_id)
        path = await self.ask(self.training.model_file, run)
        await self.reply_file(path, MediaType.ZIP, f"{run}.zip")


class RunLogHandler(TrainingHandler):
    """``/runs/{run_id}/log``: what the worker printed."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(LogAnswer)
    async def get(self, run_id: str) -> None:
        """Return the last lines that the worker, its environment and libraries printed (owner)."""
        text = await self.ask(self.training.log_tail, self.run_id(run_id))
        self.reply(LogAnswer(text=json_data(text)))


class RunUsageHandler(TrainingHandler):
    """``/runs/usage``: the quota."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(UsageAnswer)
    async def get(self) -> None:
        """Say what the caller may use for training, and uses now."""
        self.reply(UsageAnswer.of(*await self.ask(self.training.usage)))


class HyperparametersHandler(TrainingHandler):
    """``/runs/hyperparameters``: what forms are made of."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(HyperparametersAnswer, query=HyperparametersQuery)
    async def get(self) -> None:
        """List every setting of a run with its bounds, and the presets for an environment."""
        self.reply(HyperparametersAnswer.of(self.query(HyperparametersQuery).env_id))


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/runs", RunsHandler),
    ("/runs/usage", RunUsageHandler),
    ("/runs/hyperparameters", HyperparametersHandler),
    ("/runs/{run_id}", RunHandler),
    ("/runs/{run_id}/commands", RunCommandsHandler),
    ("/runs/{run_id}/metrics", RunMetricsHandler),
    ("/runs/{run_id}/series", RunSeriesHandler),
    ("/runs/{run_id}/events", RunEventsHandler),
    ("/runs/{run_id}/evaluations", RunEvaluationsHandler),
    ("/runs/{run_id}/checkpoints", RunCheckpointsHandler),
    ("/runs/{run_id}/checkpoints/{step}", RunCheckpointHandler),
    ("/runs/{run_id}/model", RunModelHandler),
    ("/runs/{run_id}/log", RunLogHandler),
]
