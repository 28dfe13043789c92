"""What runs are drawn with: the charts, and runs of one setting as one line with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field
from tornado import web

from jupyter_ppo.domain.charts import CHARTS, Chart, Mark
from jupyter_ppo.domain.errors import InvalidInputError, NotFoundError
from jupyter_ppo.domain.statistics import Statistic
from jupyter_ppo.domain.training import Metric
from jupyter_ppo.services.training_comparing import MAX_RUNS, SettingBand
from jupyter_ppo.web.base import PPOHandler
from jupyter_ppo.web.execution_answers import json_data
from jupyter_ppo.web.models import Answer, Query
from jupyter_ppo.web.operations import Action, answers, permitted
from jupyter_ppo.web.training import TrainingHandler
from jupyter_ppo.web.training_measures import number_or_null

_ID_CHARACTERS = 40


class ChartSeries(Answer):
    """One series of a chart; ``label`` is what the legend says."""

    metric: str
    label: str
    mark: Mark


class ChartAnswer(Answer):
    """A chart; ``low`` and ``high`` bound what its values can be, null where nothing does."""

    key: str
    title: str
    unit: str
    meaning: str
    low: float | None
    high: float | None
    series: list[ChartSeries]

    @classmethod
    def of(cls, chart: Chart) -> ChartAnswer:
        """Make the body from the domain's object."""
        return cls.model_validate(chart.to_dict())


class ChartsAnswer(Answer):
    """The charts in the order in which they are shown; the first is wide.

    ``without_chart`` are metrics of workers that none of them shows; every other metric that a run
    has is one of its own loop.
    """

    items: list[ChartAnswer]
    without_chart: list[str]


class AggregateQuery(Query):
    """Which runs and metrics, each with commas between, and how their curves are put together."""

    ids: Annotated[str, Field(max_length=MAX_RUNS * _ID_CHARACTERS)]
    metric: Annotated[str, Field(max_length=1400)]
    statistic: Statistic = Statistic.MEDIAN_IQR
    points: Annotated[int, Field(ge=10, le=2000)] = 300

    def run_ids(self) -> tuple[UUID, ...]:
        """Return the ids of the runs; raise ``InvalidInputError``."""
        return tuple(_uuid(text) for text in self.ids.split(",") if text)

    def metrics(self) -> tuple[str, ...]:
        """Return the names of the metrics, each once."""
        return tuple(dict.fromkeys(name for name in self.metric.split(",") if name))


class BandAnswer(Answer):
    """One metric of runs that differ in their seed alone, over common steps.

    ``settings`` are the values in which the compared settings differ. ``low`` and ``high`` are the
    interval; without a second run there is none and they are equal to ``centre``.
    """

    ids: list[UUID]
    env_id: str
    settings: dict[str, Any]
    metric: str
    steps: list[float]
    centre: list[float | None]
    low: list[float | None]
    high: list[float | None]

    @classmethod
    def of(cls, found: SettingBand) -> BandAnswer:
        """Make the body from the service's object."""
        band = found.band
        return cls(
            ids=list(found.run_ids),
            env_id=found.env_id,
            settings=json_data(found.settings),
            metric=found.metric,
            steps=[float(step) for step in band.steps],
            centre=_numbers(band.centre),
            low=_numbers(band.low),
            high=_numbers(band.high),
        )


class AggregateAnswer(Answer):
    """Bands by setting and metric, and how they were made."""

    statistic: Statistic
    items: list[BandAnswer]


class ChartsHandler(TrainingHandler):
    """``/runs/charts``: what is drawn of a run."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(ChartsAnswer)
    async def get(self) -> None:
        """List the charts of a run, with their series, units and meaning."""
        shown = {metric for chart in CHARTS for metric in chart.metrics}
        left = [metric.value for metric in Metric if metric not in shown]
        items = [ChartAnswer.of(chart) for chart in CHARTS]
        self.reply(ChartsAnswer(items=items, without_chart=left))


class AggregateHandler(TrainingHandler):
    """``/runs/aggregate``: seeds as bands."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(AggregateAnswer, query=AggregateQuery)
    async def get(self) -> None:
        """Return runs that differ in their seed alone as one line with an interval (own runs).

        Curves are put on common steps by their last value, where all of a setting's runs have any.
        """
        query = self.query(AggregateQuery)
        try:
            found = await self.ask(
                self.comparing.bands,
                query.run_ids(),
                query.metrics(),
                query.statistic,
                points=query.points,
            )
        except NotFoundError as error:
            msg = f"ids: {error.message}"
            raise InvalidInputError(msg, field="ids") from error
        await self.reply_made(
            lambda: AggregateAnswer(
                statistic=query.statistic, items=[BandAnswer.of(each) for each in found]
            )
        )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        msg = f"ids: {text[:80]!r} is not the id of a run. GET /runs lists them."
        raise InvalidInputError(msg, field="ids") from None


def _numbers(values: Sequence[float]) -> list[float | None]:
    return [number_or_null(float(value)) for value in values]


handlers: list[tuple[str, type[PPOHandler]]] = [
    ("/runs/charts", ChartsHandler),
    ("/runs/aggregate", AggregateHandler),
]
