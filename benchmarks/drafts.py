"""What drafting a batch takes, that its accounts are exact, and that a killed one loses nothing.

``python benchmarks/drafts.py [--drafts 1000] [--latency 0.3] [--concurrency 4 16 64]
[--repeats 3] [--kills 2] [--killed-repeats 5]`` has a class of a passed calibration drafted by a
process of its own, which asks a real HTTP server on this machine. Then the same while the process
is ended by SIGKILL at random moments and another one takes over. Ends with 1 when a token, a cent
or a draft is missing or there twice.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from drafts_child import PRICE, gate_of, model_at, opened
from drafts_class import CURRENCY, INES, Given, Ledger, fill, parts_of, serving
from harness import environment, spread, table
from llm_server import LlmServer
from sqlalchemy import func, select

from jupyter_ppo.domain.tutoring import PICO, BatchState, CallState, ItemState
from jupyter_ppo.storage.database import Database
from jupyter_ppo.storage.model_calls import ModelCallLog
from jupyter_ppo.storage.tables import DraftRow, ModelCallRow

CHILD = Path(__file__).with_name("drafts_child.py")
PROVIDERS = ("openai", "anthropic")
#: What was asked for before the batch: the calibration's calls.
BEFORE = "before.json"
#: How long an answer is held without a sign of life: the service's own, and that of killed ones.
LEASE, SHORT_LEASE = 90.0, 20.0


@dataclass(frozen=True)
class Course:
    """A class with a batch that nobody has begun, to be copied; ``before`` is what it took."""

    folder: Path
    batch: UUID
    provider: str
    before: tuple[Given, ...]


@dataclass
class Found:
    """What a batch left behind; ``wrong`` says what does not add up."""

    calls: int = 0
    tokens: tuple[int, int, int] = (0, 0, 0)
    cost: Decimal = Decimal(0)
    in_flight: int = 0
    again: int = 0
    doubled: int = 0
    lost: int = 0
    wrong: list[str] = field(default_factory=list)

    def same(self, what: str, *values: object) -> None:
        """Note that these are not all the same."""
        if len(set(values)) > 1:
            self.wrong.append(f"{what}: {', '.join(map(str, values))}")


def cost_of(given: list[Given]) -> Decimal:
    """Return what these cost by the price table, computed here and in decimals."""
    read, written, cached = (
        Decimal(str(each)) for each in (PRICE.input, PRICE.output, PRICE.cached_input)
    )
    total = sum(
        (one.read - one.cached) * read + one.cached * cached + one.written * written
        for one in given
    )
    return Decimal(total) / 10**6


def tokens_of(given: list[Given]) -> tuple[int, int, int]:
    """Return how many tokens were read, written, and read from the model's cache."""
    return (
        sum(one.read for one in given),
        sum(one.written for one in given),
        sum(one.cached for one in given),
    )


def examine(course: Course, folder: Path, ledger: Ledger, drafts: int) -> Found:
    """Compare the server's ledger with the database and with what people are shown."""
    found, database = Found(), opened(folder)
    gate = gate_of(database, model_at(course.provider, "http://127.0.0.1:9/v1", 1))
    try:
        with database.session() as session:
            rows = session.scalars(select(ModelCallRow)).all()
            made = session.execute(
                select(DraftRow.submission_id, func.count(), func.max(DraftRow.number))
                .where(DraftRow.batch_id == course.batch)
                .group_by(DraftRow.submission_id)
            ).all()
        view = parts_of(database, folder, gate).drafting.batch(INES, course.batch)
        found.doubled = sum(count > 1 or number > 1 for _, count, number in made)
        found.lost = drafts - len(made)
        found.same("batch", view.batch.state, BatchState.SUCCEEDED)
        found.same("answers done", view.batch.counts.get(ItemState.DONE, 0), view.batch.total)
        before = {one.call for one in course.before}
        by_id = {str(row.id): row for row in rows if str(row.id) not in before}
        asked = [one.call for one in ledger.given]
        found.same("requests, each once", len(asked), len(set(asked)))
        found.same("requests that nobody wrote down", 0, len(set(asked) - set(by_id)))
        paid = [row for row in by_id.values() if row.state is CallState.SUCCEEDED]
        found.in_flight = len(by_id) - len(paid)
        open_rows = {key: row for key, row in by_id.items() if row.state is CallState.RESERVED}
        found.same("calls with another end", len(open_rows), found.in_flight)
        answered = [one for one in ledger.given if one.call not in open_rows]
        found.calls, found.tokens, found.cost = len(paid), tokens_of(answered), cost_of(answered)
        found.same(
            "tokens",
            found.tokens,
            (
                sum(row.input_tokens or 0 for row in paid),
                sum(row.output_tokens or 0 for row in paid),
                sum(row.cached_tokens or 0 for row in paid),
            ),
        )
        keys = collections.Counter(row.cache_key for row in by_id.values())
        found.again = sum(count - 1 for count in keys.values())
        found.same("asked again, in flight", found.again, found.in_flight)
        _compare_money(found, course, database, view.spent, [*open_rows.values()], ledger)
    finally:
        gate.close()
        database.close()
    return found


def _compare_money(
    found: Found,
    course: Course,
    database: Database,
    shown: float,
    unknown: list[ModelCallRow],
    ledger: Ledger,
) -> None:
    log = ModelCallLog(database)
    with database.session() as session:
        course_id = session.scalars(select(ModelCallRow.course_id).limit(1)).one()
        stored = session.scalar(
            select(func.sum(ModelCallRow.cost)).where(ModelCallRow.state == CallState.SUCCEEDED)
        )
    earlier = cost_of([*course.before])
    reserved = Decimal(sum(row.reserved for row in unknown)) / PICO
    found.same("cost of the calls", Decimal(stored or 0) / PICO, found.cost + earlier)
    found.same("cost on the batch", round(Decimal(shown), 12), round(found.cost, 12))
    since = datetime.now(UTC) - timedelta(days=2)
    whole = found.cost + earlier + reserved

    def spent() -> tuple[Decimal, Decimal]:
        rows = log.spend(course_id, since)
        total = log.spent(course_id, None, INES.user).course
        return Decimal(sum(row.cost for row in rows)) / PICO, Decimal(total) / PICO

    found.same("spend", whole, *spent())
    read = sum(row.input_tokens for row in log.spend(course_id, since))
    found.same("tokens on the spend", read, found.tokens[0] + tokens_of([*course.before])[0])
    # What the killed ones had asked for, once it is known that nobody waits for it any more.
    log.lose_reserved(datetime.now(UTC) + timedelta(seconds=1))
    found.same("spend with what is lost", whole, *spent())
    ids = {str(row.id) for row in unknown}
    if cost_of([one for one in ledger.given if one.call in ids]) > reserved:
        found.wrong.append("calls in flight cost more than was reserved for them")


class Drafter:
    """A process that drafts what waits in a folder."""

    def __init__(
        self, course: Course, folder: Path, server: LlmServer, workers: int, lease: float
    ) -> None:
        urls = {"openai": server.openai_url, "anthropic": server.anthropic_url}
        words = [str(folder), course.provider, urls[course.provider], str(workers), str(lease)]
        self._process = subprocess.Popen(
            [sys.executable, str(CHILD), *words], stdout=subprocess.PIPE, text=True
        )

    @property
    def is_running(self) -> bool:
        """Whether it still drafts."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it as a machine that loses its power."""
        self._process.kill()
        self._process.communicate()

    def result(self) -> tuple[float, float]:
        """Wait for its end; return its seconds on the clock and of processor time."""
        out, _ = self._process.communicate()
        if self._process.returncode:
            sys.exit(f"A process that drafts ended with {self._process.returncode}.")
        found = json.loads(out)
        return found["wall"], found["cpu"]


@dataclass(frozen=True)
class Measured:
    """What the repeats of one number of requests at once came to."""

    rates: list[float]
    cpu: list[float]
    found: list[Found]


def copied(course: Course, to: Path) -> Path:
    """Return a copy of a course, to be drafted."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(course.folder, to)
    return to


def throughput(
    courses: list[Course],
    serve: tuple[LlmServer, Ledger],
    options: argparse.Namespace,
    folder: Path,
) -> bool:
    """Draft the batch with each number of requests at once, in turns; whether all adds up."""
    server, ledger = serve
    settings: dict[int, Measured] = {n: Measured([], [], []) for n in options.concurrency}
    for repeat in range(options.repeats):
        for workers, made in settings.items():
            course = courses[repeat % len(courses)]
            here = copied(course, folder / "run")
            ledger.given.clear()
            server.received.clear()
            wall, cpu = Drafter(course, here, server, workers, LEASE).result()
            made.rates.append(options.drafts / wall)
            made.cpu.append(1000 * cpu / options.drafts)
            made.found.append(examine(course, here, ledger, options.drafts))
            print(f"{workers} at once: {options.drafts / wall:.1f} drafts/s", file=sys.stderr)
    rows = [
        [
            str(workers),
            spread(made.rates, 1),
            f"{workers / options.latency / (made.found[0].calls / options.drafts):.1f}",
            spread(made.cpu, 1),
        ]
        for workers, made in settings.items()
    ]
    head = ["requests at once", "drafts per second", "if all else took no time", "CPU, ms a draft"]
    print(table(head, rows))
    every = [found for made in settings.values() for found in made.found]
    print("\nAccounts, of the last repeat with each wire format:\n")
    told = [
        [
            courses[repeat % len(courses)].provider,
            f"{found.calls:,}",
            *(f"{each:,}" for each in found.tokens),
            f"{found.cost} {CURRENCY}",
        ]
        for repeat, found in list(enumerate(every[: options.repeats]))[-len(courses) :]
    ]
    head = ["wire", "calls", "tokens read", "written", "from the model's cache", "cost"]
    print(table(head, told))
    return _add_up(every)


def killed(
    courses: list[Course],
    serve: tuple[LlmServer, Ledger],
    options: argparse.Namespace,
    folder: Path,
) -> bool:
    """Kill who drafts at random moments, let another go on; whether nothing is lost."""
    server, ledger = serve
    chance = random.Random(options.seed)  # noqa: S311 - not for secrets
    rows, every = [], []
    for repeat in range(options.killed_repeats):
        course = courses[repeat % len(courses)]
        here = copied(course, folder / "run")
        ledger.given.clear()
        server.received.clear()
        least = 3 * options.drafts
        moments = sorted(chance.uniform(0.05, 0.95) for _ in range(options.kills))
        for moment in moments:
            drafter = Drafter(course, here, server, options.killed_concurrency, SHORT_LEASE)
            while drafter.is_running and len(server.received) < moment * least:
                time.sleep(0.01)
            time.sleep(chance.uniform(0, options.latency))
            drafter.kill()
        last = Drafter(course, here, server, options.killed_concurrency, SHORT_LEASE)
        last.result()
        found = examine(course, here, ledger, options.drafts)
        every.append(found)
        when = ", ".join(f"{moment:.0%}" for moment in moments)
        counts = (found.lost, found.doubled, found.calls, found.in_flight, found.again)
        rows.append([course.provider, when, *(f"{count:,}" for count in counts)])
        print(f"killed at {when}: {found.in_flight} calls in flight", file=sys.stderr)
    head = ["wire", "killed at", "lost", "twice", "calls", "in flight when killed", "asked again"]
    print(f"\n{options.killed_concurrency} requests at once, killed {options.kills} times:\n")
    print(table(head, rows))
    flying = [found.in_flight / max(1, options.kills) for found in every]
    if flying:
        print(f"\nin flight per kill: {statistics.median(flying):g} ({min(flying):g} to ", end="")
        print(f"{max(flying):g}), at most {options.killed_concurrency} can be")
    return _add_up(every)


def _add_up(every: list[Found]) -> bool:
    wrong = [each for found in every for each in found.wrong]
    wrong += [f"{found.lost} drafts are lost" for found in every if found.lost]
    wrong += [f"{found.doubled} answers have two drafts" for found in every if found.doubled]
    for each in wrong:
        print(f"WRONG: {each}")
    return not wrong


def main() -> int:
    """Fill, measure, kill, and say whether everything adds up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drafts", type=int, default=1000)
    parser.add_argument("--latency", type=float, default=0.3, help="seconds of an answer")
    parser.add_argument("--concurrency", type=int, nargs="*", default=[4, 16, 64])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--killed-repeats", type=int, default=5)
    parser.add_argument("--killed-concurrency", type=int, default=16)
    parser.add_argument("--seed", type=int, default=7, help="of the moments of the kills")
    parser.add_argument("--folder", type=Path, help="keeps the class there, or takes that one")
    options = parser.parse_args()
    print(f"{environment()}; {options.drafts:,} drafts, {options.latency:g} s an answer\n")
    with tempfile.TemporaryDirectory() as made, serving(0.0) as serve:
        folder, (server, ledger) = Path(made), serve
        urls = {"openai": server.openai_url, "anthropic": server.anthropic_url}
        kept = options.folder or folder / "class"
        if not (kept / BEFORE).exists():
            began = time.perf_counter()
            batch = fill(kept, options.drafts, PROVIDERS[0], urls[PROVIDERS[0]])
            taken = [dataclasses.asdict(each) for each in ledger.given]
            (kept / BEFORE).write_text(json.dumps({"batch": str(batch), "given": taken}))
            print(f"filled in {time.perf_counter() - began:.0f} s", file=sys.stderr)
        told = json.loads((kept / BEFORE).read_text())
        before = tuple(Given(**each) for each in told["given"])
        courses = [Course(kept, UUID(told["batch"]), each, before) for each in PROVIDERS]
        server.latency = options.latency
        is_right = throughput(courses, serve, options, folder) if options.repeats else True
        if options.killed_repeats:
            is_right = killed(courses, serve, options, folder) and is_right
        return 0 if is_right else 1


if __name__ == "__main__":
    sys.exit(main())
