"""A static picture of one minibatch, kept in the notebook for when no kernel is there."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

from jupyter_ppo.domain.training import Minibatch

_WIDTH, _HEIGHT = 720, 300
#: Left, top, width and height of a panel in units of the picture; the second is to its right.
_LEFT, _TOP, _PANEL_WIDTH, _PANEL_HEIGHT, _NEXT = 50, 70, 290, 170, 360
#: Colours that readers who are colour-blind tell apart (Okabe and Ito 2008), each with a shape.
_FREE, _CLIPPED, _LINE = "#0072B2", "#D55E00", "#333"
_REACH: Final = 0.99  # the share of samples that the axes hold


def minibatch_svg(title: str, minibatch: Minibatch) -> str:
    """Return an SVG picture, below 40 kB, of the clipped objective for the samples.

    As figure 1 of Schulman et al. 2017, "Proximal Policy Optimization Algorithms", moved so that
    all samples begin at 0: on the left those with a positive advantage, on the right the others.
    """
    facts = (
        f"update {minibatch.update:,}, step {minibatch.step:,}: clip fraction "
        f"{100 * minibatch.clip_fraction:.3g} %, mean KL {minibatch.mean_kl:.3g} nats"
    )
    heading = f"Inside {title}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" role="img" font-family="sans-serif" '
        'font-size="11" fill="#333">',
        f"<title>{escape(heading)}, {facts}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="10" y="20" font-size="13" font-weight="bold">{escape(heading)}</text>',
        f'<text x="10" y="38">{facts}</text>',
        *_panel(minibatch, 1, _LEFT),
        *_panel(minibatch, -1, _LEFT + _NEXT),
        f'<text x="{_WIDTH / 2:.0f}" y="{_HEIGHT - 10}" text-anchor="middle">'
        "gain of the clipped objective over the ratio new policy / old policy; "
        f'<tspan fill="{_FREE}">dots: samples</tspan>, '
        f'<tspan fill="{_CLIPPED}">crosses: clipped, no gradient</tspan></text></svg>',
    ]
    return "".join(parts)


def _panel(minibatch: Minibatch, sign: int, left: int) -> list[str]:
    """Draw the samples whose advantage has a sign: the gain of the objective over the ratio."""
    epsilon = minibatch.clip_range
    samples = [
        (ratio, advantage)
        for ratio, advantage in zip(minibatch.ratios, minibatch.advantages, strict=True)
        if (advantage > 0) == (sign > 0)
    ]
    reach = max(2.5 * epsilon, 1.1 * _quantile([abs(ratio - 1) for ratio, _ in samples]))
    low, high = max(1 - reach, 0.0), 1 + reach
    edge = 1 + sign * epsilon
    mean = sum(a for _, a in samples) / len(samples) if samples else float(sign)
    gains = [_gain(ratio, advantage, epsilon) for ratio, advantage in samples]
    top = 1.05 * max(_quantile([abs(one) for one in gains]), abs(mean) * reach, 1e-9)

    def place(ratio: float, gain: float) -> str:
        x = left + _PANEL_WIDTH * (min(max(ratio, low), high) - low) / (high - low)
        y = _TOP + _PANEL_HEIGHT * (1 - min(max(gain / top, -1.0), 1.0)) / 2
        return f"{x:.1f} {y:.1f}"

    dots = ["", ""]
    for (ratio, advantage), gain in zip(samples, gains, strict=True):
        is_clipped = (ratio > edge) if sign > 0 else (ratio < edge and advantage < 0)
        at = place(ratio, gain)
        dots[is_clipped] += f"M{at}m-2-2l4 4m-4 0l4-4" if is_clipped else f"M{at}h0"
    line = "L".join(place(one, _gain(one, mean, epsilon)) for one in (low, edge, high))
    from_x, to_x = (place(r, 0).split()[0] for r in ((edge, high) if sign > 0 else (low, edge)))
    bottom = _TOP + _PANEL_HEIGHT
    words = "Advantage above 0" if sign > 0 else "Advantage of 0 or below"
    middle = _TOP + _PANEL_HEIGHT / 2
    return [
        f'<text x="{left}" y="{_TOP - 10}" font-weight="bold">{words}: {len(samples)} of '
        f"{len(minibatch.ratios)} samples</text>",
        f'<rect x="{from_x}" y="{_TOP}" width="{float(to_x) - float(from_x):.1f}" '
        f'height="{_PANEL_HEIGHT}" fill="{_CLIPPED}" opacity="0.12"/>',
        f'<path d="M{left} {_TOP}v{_PANEL_HEIGHT}h{_PANEL_WIDTH}" fill="none" stroke="#999"/>',
        f'<path d="M{line}" fill="none" stroke="{_LINE}" stroke-width="2"/>',
        f'<path d="{dots[0]}" fill="none" stroke="{_FREE}" stroke-width="4" '
        'stroke-linecap="round" opacity="0.6"/>',
        f'<path d="{dots[1]}" fill="none" stroke="{_CLIPPED}" stroke-width="1.3"/>',
        *(
            f'<text x="{left - 4}" y="{y:.0f}" text-anchor="end">{value:.2g}</text>'
            for y, value in ((_TOP + 9, top), (middle + 4, 0.0), (bottom, -top))
        ),
        f'<path d="M{left} {middle}h{_PANEL_WIDTH}" stroke="#ddd"/>',
        *(
            f'<text x="{place(ratio, 0).split()[0]}" y="{bottom + 14}" '
            f'text-anchor="middle">{ratio:.3g}</text>'
            for ratio in (1 - epsilon, 1, 1 + epsilon)
        ),
    ]


def _gain(ratio: float, advantage: float, epsilon: float) -> float:
    """Return min(r A, clip(r) A) - A: what the update has added to the objective of a sample."""
    clipped = min(max(ratio, 1 - epsilon), 1 + epsilon)
    return min(ratio * advantage, clipped * advantage) - advantage


def _quantile(values: list[float]) -> float:
    return sorted(values)[int(_REACH * (len(values) - 1))] if values else 0.0
