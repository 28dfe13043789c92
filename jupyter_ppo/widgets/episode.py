"""The policy of a checkpoint plays an episode, to be looked at step by step."""

from __future__ import annotations

import base64
import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any, Final

import traitlets

from jupyter_ppo.domain.errors import NotFoundError, PPOError
from jupyter_ppo.training.exports.episode import (
    Episode,
    EpisodeInfo,
    EpisodeRequest,
    Moment,
    checked_request,
)
from jupyter_ppo.training.exports.opened import AnyRun, opened
from jupyter_ppo.widgets.base import PPOWidget
from jupyter_ppo.widgets.control_style import reason

#: What has come is sent so often; with the messages around it at most ten times a second.
_FLUSH_SECONDS: Final = 0.15
#: A view that asks for everything again is answered at most so often.
_AGAIN_SECONDS: Final = 0.9
_MESSAGE_BYTES: Final = 4 * 1024**2
#: A picture in a saved notebook must stay small.
_PICTURE_BYTES: Final = 20_000


class EpisodeViewer(PPOWidget):
    """Plays episodes of a run's checkpoints, with probabilities, values and rewards beside them.

    ``run`` is a run, its folder, or what shows it. The episode is played in a process of its own;
    the kernel stays free. ``episode`` is the last one that was played to its end. Raises
    ``NotFoundError`` or ``InvalidInputError`` for what is no run.
    """

    _kind = traitlets.Unicode("episode").tag(sync=True)
    checkpoints = traitlets.List(traitlets.Int()).tag(sync=True)  # steps, oldest first
    seed = traitlets.Int().tag(sync=True)  # of the run's own evaluations
    note = traitlets.Unicode().tag(sync=True)  # why there is nothing to play

    def __init__(self, run: AnyRun) -> None:
        self._run = opened(run)
        self._lock = threading.RLock()
        self._number = 0
        self._is_cancelled = threading.Event()
        self._is_playing = False
        self._opening: dict[str, Any] = {}  # the first message of the newest episode
        self._begin: dict[str, Any] = {}
        self._end: dict[str, Any] = {}
        self._moments: list[Moment] = []
        self._sent = 0
        self._sent_at = 0.0
        self._told_again: dict[str, float] = {}  # when a view was last told everything
        self._thread: threading.Thread | None = None
        self.episode: Episode | None = None
        super().__init__(seed=self._run.spec.eval_seed, picture=_picture(self._run.spec.env_id))
        self.refresh()

    @property
    def directory(self) -> Path:
        """The run's folder."""
        return self._run.directory

    @property
    def is_playing(self) -> bool:
        """Whether an episode is being played by its process."""
        return self._is_playing

    def refresh(self) -> None:
        """Look again which checkpoints there are."""
        try:
            steps = [info.step for info in self._run.checkpoints()]
            note = "" if steps else self._why_nothing()
        except (PPOError, OSError) as error:
            steps, note = [], str(error)
        if steps != self.checkpoints:
            self.checkpoints = steps
        if note != self.note:
            self.note = note

    def play(
        self,
        step: int | None = None,
        seed: int | None = None,
        deterministic: bool = True,
        max_steps: int = 1000,
    ) -> None:
        """Play an episode and return at once; one that is being played ends.

        The arguments are those of ``record_episode``. Raises ``InvalidInputError`` naming one that
        cannot be used; what goes wrong later is said in the view.
        """
        asked = checked_request(self._run.spec.eval_seed, step, seed, deterministic, max_steps)
        with self._lock:
            self._is_cancelled.set()
            self._is_cancelled = cancelled = threading.Event()
            self._number += 1
            self._is_playing = True
            self._begin, self._end, self._moments, self._sent = {}, {}, [], 0
            self._opening = {"type": "loading", "episode": self._number, "step": step}
            self.send(self._opening)
            number = self._number
        self._thread = threading.Thread(
            target=self._record,
            args=(number, asked, cancelled),
            name="jupyter-ppo-episode",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """End the episode that is being played; what came of it stays in the view."""
        self._is_cancelled.set()

    def wait(self, timeout: float | None = None) -> Episode | None:
        """Wait until the episode has been played, or ``timeout`` seconds; return it."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return self.episode

    def close(self) -> None:
        """Remove the view, and end what is being played."""
        self._is_cancelled.set()
        super().close()

    def answer(self, content: Mapping[str, Any], buffers: Sequence[memoryview]) -> None:
        """Answer a view."""
        try:
            match content.get("type"):
                case "play":
                    self.play(
                        content.get("step"), content.get("seed"), content.get("deterministic", True)
                    )
                case "stop":
                    self.stop()
                case "checkpoints":
                    self.refresh()
                case "again":
                    self._send_again(str(content.get("from", ""))[:100])
                case "gif":
                    self._send_gif()
        except PPOError as error:
            self.send({"type": "refused", "message": error.message})

    def _record(self, number: int, asked: EpisodeRequest, cancelled: threading.Event) -> None:
        """Play in a process and tell the views. Runs in a thread."""
        from jupyter_ppo.training.exports.episode_process import (
            CancelledError,
            EpisodeListener,
            play_episode,
        )

        def begin(info: EpisodeInfo) -> None:
            self._now(number, lambda: self._begin_anew(info))

        def moment(one: Moment) -> None:
            self._now(number, lambda: self._add(one))

        end: dict[str, Any] = {"type": "end", "episode": number}
        try:
            listener = EpisodeListener(begin, moment, cancelled.is_set)
            episode = play_episode(self._run, asked, listener)
            self._now(number, lambda: self._keep(episode))
            end |= {"ending": episode.ending, "warnings": list(episode.warnings)}
        except CancelledError:
            end |= {"ending": "stopped", "warnings": []}
        except Exception as error:  # such as a record that is damaged: the views must not wait
            end |= {"ending": "failed", "warnings": [reason(error)]}
        self._now(number, lambda: self._finish(end))

    def _now(self, number: int, do: Callable[[], None]) -> None:
        """Do something for an episode unless a newer one has begun."""
        with self._lock:
            if number == self._number:
                do()

    def _begin_anew(self, info: EpisodeInfo) -> None:
        self._moments, self._sent = [], 0
        self._begin = {"type": "begin", "episode": self._number, "info": asdict(info)}
        self.send(self._begin)
        self._sent_at = time.monotonic()

    def _add(self, moment: Moment) -> None:
        self._moments.append(moment)
        if time.monotonic() - self._sent_at >= _FLUSH_SECONDS:
            self._flush()

    def _flush(self) -> None:
        self._send_moments(self._sent)
        self._sent = len(self._moments)
        self._sent_at = time.monotonic()

    def _keep(self, episode: Episode) -> None:
        self.episode = episode
        self.picture = _picture(self._run.spec.env_id, episode)

    def _finish(self, end: dict[str, Any]) -> None:
        self._flush()
        self._end = end
        self._is_playing = False
        self.send(end)
        self.refresh()

    def _send_moments(self, first: int, to: str = "") -> None:
        """Send the moments from ``first`` on, in messages that are not too large."""
        while first < len(self._moments):
            last, size = first, 0
            while last < len(self._moments) and (last == first or size < _MESSAGE_BYTES):
                size += len(self._moments[last].picture)
                last += 1
            part = self._moments[first:last]
            message = {
                "type": "moments",
                "episode": self._number,
                "first": first,
                "moments": [_plain(one) for one in part],
            }
            if to:
                message["to"] = to
            self.send(message, [b"".join(one.picture for one in part)])
            first = last

    def _send_again(self, to: str) -> None:
        """Send all that there is to a view that is new, or has missed something."""
        with self._lock:
            # Requests that waited while the kernel was busy are one request.
            now = time.monotonic()
            if now - self._told_again.get(to, -_AGAIN_SECONDS) < _AGAIN_SECONDS:
                return
            self._told_again[to] = now
            for message in (self._opening, self._begin):
                if message:
                    self.send({**message, "to": to})
            if self._begin:
                self._send_moments(0, to)
            if self._end:
                self.send({**self._end, "to": to})

    def _send_gif(self) -> None:
        episode = self.episode
        if episode is None or self._end.get("ending") in {None, "stopped", "failed"}:
            msg = "episode: play one to its end first."
            raise NotFoundError(msg, field="episode")
        threading.Thread(
            target=self._make_gif, args=(episode,), name="jupyter-ppo-gif", daemon=True
        ).start()

    def _make_gif(self, episode: Episode) -> None:
        from jupyter_ppo.training.exports.gif import gif_bytes

        info = episode.info
        name = f"{info.env_id.rpartition(':')[2]}-step-{info.step}-seed-{info.seed}.gif"
        try:
            self.send({"type": "gif", "name": name}, [gif_bytes(episode)])
        except Exception as error:  # else the button would say for ever that it is being made
            self.send({"type": "refused", "message": reason(error)})

    def _why_nothing(self) -> str:
        if self._run.files.is_own_loop():
            return "This run is a loop of your own: it has no checkpoints to play."
        if self._run.state().has_ended:
            return "This run ended before its first checkpoint, so there is no policy to play."
        return "There is no checkpoint yet. The first is written within seconds of training."


def _plain(moment: Moment) -> dict[str, Any]:
    """Return a moment for JSON; what is not finite is None."""
    found = {name: _finite(value) for name, value in asdict(moment).items() if name != "picture"}
    return {**found, "bytes": len(moment.picture)}


def _finite(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value if value is None or math.isfinite(value) else None


def _picture(env_id: str, episode: Episode | None = None) -> str:
    """Return what a saved notebook shows: what was played, and how it looked in the middle."""
    words, image, height = f"Episodes of PPO on {env_id}", "", 28
    if episode is not None:
        info = episode.info
        words = (
            f"{env_id}, checkpoint of step {info.step:,}, seed {info.seed}: return "
            f"{episode.return_:g} in {episode.length} steps"
        )
        data = episode.moments[len(episode.moments) // 2].picture
        if 0 < len(data) <= _PICTURE_BYTES:
            height = 28 + 200
            text = base64.b64encode(data).decode()
            image = (
                '<image x="0" y="28" width="300" height="200" preserveAspectRatio="xMinYMin meet" '
                f'href="data:image/png;base64,{text}"/>'
            )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {height}" width="640" '
        f'height="{height}" role="img"><rect width="640" height="{height}" fill="#ffffff"/>'
        f'<text x="4" y="19" font-family="sans-serif" font-size="13" fill="#333333">'
        f"{escape(words)}</text>{image}</svg>"
    )
