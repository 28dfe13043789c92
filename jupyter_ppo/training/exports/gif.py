"""An episode as an animated GIF, which every browser, notebook and slide shows."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_ppo.domain.errors import InvalidInputError, UnavailableError
from jupyter_ppo.training.lines import replacing

if TYPE_CHECKING:
    from jupyter_ppo.training.exports.episode import Episode

#: GIF counts in hundredths of a second; browsers take one hundredth for ten.
_SHORTEST: Final = 2
_LAST_STANDS_MS: Final = 1000
#: Of so many colours so many are as they are in the pictures.
_COLOURS, _EXACT = 128, 32
#: The palette is made from about so many pictures.
_SAMPLED: Final = 8
_ROUGH: Final = 8


def export_gif(episode: Episode, path: Path | str, *, fps: float | None = None) -> Path:
    """Write the pictures of an episode as a GIF that repeats, and return its path.

    ``fps``: environment steps per second, by default the environment's own speed. GIF has at most
    50 frames per second; above that steps are left out, so that it is as fast as it should be. The
    last picture stands for a second. Raises ``InvalidInputError`` for an episode without pictures,
    saying why it has none, and for a speed that is not positive; ``UnavailableError`` when the file
    cannot be written.
    """
    data = gif_bytes(episode, fps)
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(data)
    except OSError as error:
        msg = f"path: {path} cannot be written ({error.strerror or error}). Choose another path."
        raise UnavailableError(msg, field="path") from error
    return path


def gif_bytes(episode: Episode, fps: float | None = None) -> bytes:
    """Return the GIF itself; raises as ``export_gif``."""
    from PIL import Image

    shown = [one.picture for one in episode.moments if one.picture]
    if not shown:
        msg = f"episode: it has no pictures. {episode.info.why_no_pictures}".strip()
        raise InvalidInputError(msg, field="episode")
    speed = episode.info.frames_per_second if fps is None else fps
    is_number = isinstance(speed, int | float) and not isinstance(speed, bool)
    if not is_number or not 0 < speed <= 1000:
        msg = f"fps: {str(speed)[:80]!r} is no speed. Give steps per second, more than 0."
        raise InvalidInputError(msg, field="fps")
    times = _durations(len(shown), speed)
    pictures = [Image.open(io.BytesIO(shown[index])).convert("RGB") for index in times]
    palette = _palette(pictures)
    frames = [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures]
    file = io.BytesIO()
    frames[0].save(
        file,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=list(times.values()),
        loop=0,
        optimize=False,
    )
    return file.getvalue()


def _durations(count: int, speed: float) -> dict[int, int]:
    """Return the pictures that are shown, and for how many milliseconds each.

    A picture's time begins at the hundredth of a second that is nearest to its own, so that the
    whole is as long as it should be, whatever ``speed`` is.
    """
    starts: dict[int, int] = {}
    last = -_SHORTEST
    for index in range(count - 1):
        at = round(index * 100 / speed)
        if at - last >= _SHORTEST:
            starts[index] = last = at
    end = max(round((count - 1) * 100 / speed), last + _SHORTEST)
    ends = [*list(starts.values())[1:], end]
    found = {index: (b - a) * 10 for (index, a), b in zip(starts.items(), ends, strict=False)}
    return {**found, count - 1: _LAST_STANDS_MS}


def _palette(pictures: list[Any]) -> Any:
    """Return one palette for all: colours must not flicker.

    It has the commonest colours as they are, such as a white background, and the others near.
    """
    from PIL import Image

    some = pictures[:: max(len(pictures) // _SAMPLED, 1)]
    width, height = some[0].size
    sheet = Image.new("RGB", (width, height * len(some)))
    for index, one in enumerate(some):
        sheet.paste(one, (0, height * index))
    counted: list[Any] = sheet.getcolors(width * height * len(some)) or []
    counted.sort(reverse=True)
    mixed = sheet.quantize(_COLOURS - _EXACT, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    levels = (mixed.getpalette() or [])[: 3 * (_COLOURS - _EXACT)]
    near = zip(levels[::3], levels[1::3], levels[2::3], strict=True)
    kept: list[Any] = []
    # Pillow looks colours up roughly: one beside an exact one could be taken for it.
    for colour in [*(colour for _, colour in counted[:_EXACT]), *near]:
        if all(_apart(colour, one) > _ROUGH for one in kept):
            kept.append(colour)
    palette = Image.new("P", (1, 1))
    palette.putpalette([level for colour in kept for level in colour])
    return palette


def _apart(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))
