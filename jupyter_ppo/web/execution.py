"""Running code on request, its history, and whether it works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import ClassVar

from jupyter_server.auth.decorator import allow_unauthenticated
from pydantic import BaseModel
from tornado import web

from jupyter_ppo.domain.execution import CaseVerdict, Execution, ExecutionRequest, Outcome
from jupyter_ppo.domain.sandbox import PoolStatus
from jupyter_ppo.services.execution import ExecutionService
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.execution_answers import (
    ExecuteHealth,
    ExecuteLimits,
    ExecutionPage,
    ExecutionRecord,
    ExecutionResult,
    ExecutionSummary,
    StopResult,
    TestsResult,
)
from jupyter_ppo.web.execution_requests import ExecuteBody, ExecuteQuery, ExecuteTestsBody
from jupyter_ppo.web.models import PageQuery, page_numbers
from jupyter_ppo.web.operations import Action, answers, permitted

#: The status of each outcome that is not 200. An error that the program raised is its result.
OUTCOME_STATUS: dict[Outcome, HTTPStatus] = {
    Outcome.SYNTAX_ERROR: HTTPStatus.BAD_REQUEST,
    Outcome.TIMEOUT: HTTPStatus.REQUEST_TIMEOUT,
    Outcome.MEMORY: HTTPStatus.INSUFFICIENT_STORAGE,
}


class ExecutionHandler(PPOHandler):
    """What the addresses below ``/execute`` share."""

    max_json_bytes: ClassVar[int] = 2 * 2**20

    @property
    def executions(self) -> ExecutionService:
        """The use cases."""
        return self.use_cases.executions

    async def run(self, request: ExecutionRequest) -> Execution:
        """Run a request to its end, without holding a thread meanwhile.

        A client that hangs up changes nothing: the request is run and recorded all the same.
        """
        future = await self.ask(self.executions.submit, request)
        return await asyncio.shield(asyncio.wrap_future(future))

    async def reply_with(
        self, make: Callable[[], BaseModel], status: HTTPStatus = HTTPStatus.OK
    ) -> None:
        """Make an answer and send it; it may be megabytes, so it is made in a thread.

        Not in one of the context's: those end while what ran is still answered.
        """
        text = await asyncio.to_thread(lambda: make().model_dump_json())
        self.set_status(status)
        self.finish(text)


class ExecuteHandler(ExecutionHandler):
    """``/execute``: one program."""

    @web.authenticated
    @permitted(Action.EXECUTE)
    @answers(
        ExecutionResult, body=ExecuteBody, query=ExecuteQuery, same=tuple(OUTCOME_STATUS.values())
    )
    async def post(self) -> None:
        """Run code in a container of its own; 400, 408 and 507 bring the same body as 200."""
        query = self.query(ExecuteQuery)
        body = self.json_body(ExecuteBody)
        done = await self.run(body.request(self.executions.bounds))
        assert done.run is not None  # noqa: S101 - it is DONE and has no cases
        status = OUTCOME_STATUS.get(done.run.outcome, HTTPStatus.OK)
        answer = partial(ExecutionResult.of, done.run, id=done.id)
        await self.reply_with(answer, HTTPStatus.OK if query.always_ok else status)


class ExecuteTestsHandler(ExecutionHandler):
    """``/execute/tests``: code and test cases."""

    @web.authenticated
    @permitted(Action.EXECUTE)
    @answers(TestsResult, body=ExecuteTestsBody, query=ExecuteQuery, same=(HTTPStatus.BAD_REQUEST,))
    async def post(self) -> None:
        """Run code once for each case and give a verdict on each; 400 brings the same body."""
        query = self.query(ExecuteQuery)
        body = self.json_body(ExecuteTestsBody)
        done = await self.run(body.request(self.executions.bounds))
        compiles = all(case.verdict is not CaseVerdict.SYNTAX_ERROR for case in done.cases)
        status = HTTPStatus.OK if compiles or query.always_ok else HTTPStatus.BAD_REQUEST
        await self.reply_with(partial(TestsResult.of, done), status)


class ExecuteStopHandler(ExecutionHandler):
    """``/execute/stop``: the end of what the caller runs."""

    @web.authenticated
    @permitted(Action.EXECUTE)
    @answers(StopResult)
    async def post(self) -> None:
        """Stop every program of the caller that runs or waits on this server; takes no body.

        Each ends with the outcome `stopped`, which its own request is answered with.
        """
        self.reply(StopResult(stopped=await self.ask(self.executions.stop_own)))


class ExecuteLimitsHandler(ExecutionHandler):
    """``/execute/limits``: what a request may ask for, and what is left of the quota."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(ExecuteLimits)
    async def get(self) -> None:
        """Say what a request may ask for, what a container has, and what the caller may use."""
        service = self.executions
        left = await self.ask(service.left)
        self.reply(ExecuteLimits.of(service.bounds, service.limits, service.quota, left))


class ExecuteHealthHandler(ExecutionHandler):
    """``/execute/health``: says nothing about people or this machine."""

    @allow_unauthenticated
    @answers(ExecuteHealth)
    async def get(self) -> None:
        """Say whether an engine answers, whether the image is built, what is kept ready."""
        if self.context.problem is not None:
            self.reply(ExecuteHealth.of(engine=False, image=False, pool=PoolStatus(0, 0)))
            return
        sandbox = await self.context.recent_sandbox_status()
        pool = self.executions.pool
        engine = sandbox.engine is not None
        self.reply(ExecuteHealth.of(engine=engine, image=sandbox.available, pool=pool))


class ExecutionsHandler(ExecutionHandler):
    """``/execute/history``: what the caller ran."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(ExecutionPage, query=PageQuery)
    async def get(self) -> None:
        """List the caller's own executions, newest first."""
        query = self.query(PageQuery)
        page = await self.ask(self.executions.history, offset=query.offset, limit=query.limit)
        items = [ExecutionSummary.of(each) for each in page.items]
        self.reply(ExecutionPage(items=items, **page_numbers(page)))


class OneExecutionHandler(ExecutionHandler):
    """``/execute/history/{execution_id}``: one execution."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(ExecutionRecord)
    async def get(self, execution_id: str) -> None:
        """Return one of the caller's own executions with its code and what came of it."""
        found = await self.ask(
            self.executions.execution, self.identifier(execution_id, "execution")
        )
        await self.reply_with(partial(ExecutionRecord.of, found))


handlers = [
    ("/execute", ExecuteHandler),
    ("/execute/tests", ExecuteTestsHandler),
    ("/execute/stop", ExecuteStopHandler),
    ("/execute/limits", ExecuteLimitsHandler),
    ("/execute/health", ExecuteHealthHandler),
    ("/execute/history", ExecutionsHandler),
    ("/execute/history/{execution_id}", OneExecutionHandler),
]
