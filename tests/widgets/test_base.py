"""The loader that every widget saves, in a real page; and what its kernel answers."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from playwright.sync_api import Page, expect

from jupyter_ppo import widgets
from jupyter_ppo.domain.errors import UnavailableError
from jupyter_ppo.widgets import base
from jupyter_ppo.widgets.base import PPOWidget

LOADER = (Path(base.__file__).parent / "loader.js").read_text("utf-8")
CODE = """
globalThis.loaded = (globalThis.loaded ?? 0) + 1;
export const views = {
  one: (model, element) => {
    element.insertAdjacentHTML('beforeend', '<p class=one>live</p>');
    return () => element.replaceChildren();
  },
};
"""
STYLE = ".one { color: rgb(1, 2, 3); }"
PICTURE = (
    "<svg xmlns='http://www.w3.org/2000/svg' width='50' height='20'><script>bad()</script></svg>"
)
PAGE = """async ([source, code, style]) => {
  const bytes = (text) => new DataView(new TextEncoder().encode(text).buffer);
  const load = (text) =>
    import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));
  const loader = await load(source);
  const again = await load(source + ' ');
  window.asked = [];
  window.waiting = [];
  window.put = (id, traits, inShadow) => {
    const host = document.createElement('div');
    host.id = id;
    const root = inShadow ? host.attachShadow({ mode: 'open' }) : host;
    const el = document.createElement('div');
    let listeners = [];
    const model = {
      get: (name) => ({ _kind: 'one', _code: 'h1', picture: '', ...traits })[name],
      on: (event, one) => listeners.push(one),
      off: (event, one) => { listeners = listeners.filter((other) => other !== one); },
      send: (content) => window.asked.push({ ...content, id }),
    };
    window.waiting.push((hash) => {
      for (const one of [...listeners]) one({ type: 'code', hash }, [bytes(code), bytes(style)]);
    });
    // Every widget brings a module of its own with the same text.
    const close = (window.waiting.length % 2 ? again : loader).default.render({ model, el });
    root.append(el); // as JupyterLab does: after it was rendered
    document.body.append(host);
    return { close: (window[id] = close) && true };
  };
  window.answer = (number, hash) => window.waiting[number](hash);
}"""


@pytest.fixture
def loader(empty_page: Page) -> Page:
    """A page whose kernel answers when it is told to."""
    empty_page.evaluate(PAGE, [LOADER, CODE, STYLE])
    return empty_page


def put(page: Page, name: str, *, shadow: bool = False, **traits: Any) -> None:
    page.evaluate(
        "([id, traits, shadow]) => window.put(id, traits, shadow)", [name, traits, shadow]
    )


@pytest.mark.browser
def test_ten_widgets_load_the_code_once_and_it_is_styled(loader: Page) -> None:
    for number in range(10):
        put(loader, f"w{number}", picture="")
    expect(loader.locator("#w3")).to_have_text("Waiting for the kernel …")
    asked = loader.evaluate("window.asked")
    assert len(asked) == 1
    assert asked[0]["type"] == "code"
    assert asked[0]["hash"] == "h1"
    assert re.fullmatch(r"\d+-\d+", asked[0]["from"])
    loader.evaluate("window.answer(0, 'h1')")
    expect(loader.locator(".one")).to_have_count(10)
    expect(loader.get_by_text("Waiting")).to_have_count(0)
    put(loader, "late")
    expect(loader.locator("#late")).to_have_text("live")
    assert loader.evaluate("window.loaded") == 1
    assert len(loader.evaluate("window.asked")) == 1
    assert loader.locator("style").count() == 1
    assert loader.locator(".one").first.evaluate("p => getComputedStyle(p).color") == "rgb(1, 2, 3)"
    loader.evaluate("window.w3()")
    expect(loader.locator("#w3")).to_have_text("")


@pytest.mark.browser
def test_a_view_in_a_shadow_root_is_styled_too(loader: Page) -> None:
    put(loader, "hidden", shadow=True)
    loader.evaluate("window.answer(0, 'h1')")
    inside = loader.locator("#hidden .one")
    expect(inside).to_have_css("color", "rgb(1, 2, 3)")


@pytest.mark.browser
def test_the_saved_picture_is_seen_until_the_code_comes_and_for_ever_without_a_kernel(
    loader: Page,
) -> None:
    put(loader, "w", picture=PICTURE)
    picture = loader.locator("#w img")
    expect(picture).to_have_js_property("naturalWidth", 50)
    expect(picture).to_have_attribute("alt", "Saved picture")
    loader.evaluate("window.answer(0, 'another')")
    expect(picture).to_be_visible()
    loader.evaluate("window.answer(0, 'h1')")
    expect(picture).to_have_count(0)
    expect(loader.locator("#w")).to_have_text("live")


@pytest.mark.browser
def test_a_request_that_got_lost_is_repeated_also_through_another_widget(loader: Page) -> None:
    put(loader, "dead")
    put(loader, "alive")
    loader.wait_for_function("window.asked.length >= 2", timeout=20_000)
    loader.evaluate("window.answer(1, 'h1')")
    expect(loader.locator(".one")).to_have_count(2)


@pytest.mark.browser
def test_a_widget_that_was_closed_before_the_code_came_stays_closed(loader: Page) -> None:
    put(loader, "w")
    loader.evaluate("window.w()")
    put(loader, "other")
    loader.wait_for_function("window.asked.length >= 2", timeout=20_000)
    loader.evaluate("window.answer(1, 'h1')")
    expect(loader.locator("#other")).to_have_text("live")
    expect(loader.locator("#w .one")).to_have_count(0)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What widgets send; no page has been given code yet."""
    found: list[Any] = []
    monkeypatch.setattr(PPOWidget, "send", lambda _self, *message: found.append(message))
    monkeypatch.setattr(PPOWidget, "_given", {})
    return found


def test_the_code_is_given_once_to_each_page_whichever_widget_it_asks(sent: list[Any]) -> None:
    widgets = [PPOWidget(), PPOWidget()]
    for page in ("p1", "p1", "p2"):
        for widget in widgets:
            widget._receive(widget, {"type": "code", "from": page, "hash": "old"}, [])
    assert [content for content, _ in sent] == 2 * [{"type": "code", "hash": widgets[0]._code}]
    built = Path(base.__file__).parent / "static"
    assert [bytes(part) for part in sent[0][1]] == [
        (built / name).read_bytes() for name in ("live.js", "live.css")
    ]


@pytest.mark.parametrize("content", [None, "code", 7, {}, {"type": ["code"]}, {"type": "other"}])
def test_messages_that_make_no_sense_are_ignored(sent: list[Any], content: Any) -> None:
    widget = PPOWidget()
    widget._receive(widget, content, [])
    assert sent == []


def test_other_messages_reach_the_widget(sent: list[Any]) -> None:
    got: list[Any] = []

    class Asked(PPOWidget):
        def answer(self, content: Any, buffers: Any) -> None:
            got.append((content, buffers))

    widget = Asked()
    widget._receive(widget, {"type": "history"}, [memoryview(b"x")])
    assert got == [({"type": "history"}, [memoryview(b"x")])]
    assert sent == []


def test_what_is_not_built_says_how_to_build_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "_STATIC", tmp_path)
    with pytest.raises(UnavailableError, match="jlpm build:widgets"):
        PPOWidget()


def test_a_widget_is_small_and_its_bundle_not_too_large() -> None:
    state = PPOWidget(picture="").get_state()
    assert len(repr(state)) < 6_000
    digest, parts = base._bundle(base._STATIC)
    assert state["_code"] == digest
    assert sum(len(part) for part in parts) < 200_000
    assert b"http://" not in parts[0].replace(b"http://www.w3.org/", b""), "nothing from elsewhere"


def test_no_widget_hides_what_ipywidgets_calls() -> None:
    """A method named as one of ipywidgets' own, such as ``_send``, is called in its place."""
    meant = {"close", "_repr_mimebundle_"}
    checked = set()
    for module in pkgutil.iter_modules(widgets.__path__, "jupyter_ppo.widgets."):
        for found in vars(importlib.import_module(module.name)).values():
            if not (isinstance(found, type) and issubclass(found, ipywidgets.Widget)):
                continue
            theirs = [one for one in found.__mro__ if not one.__module__.startswith("jupyter_ppo.")]
            names = {name for one in theirs for name in vars(one) if callable(vars(one)[name])}
            for ours in set(found.__mro__) - set(theirs):
                checked.add(ours)
                methods = {name for name in vars(ours) if inspect.isfunction(vars(ours)[name])}
                hidden = {name for name in methods & names if not name.startswith("__")}
                assert hidden <= meant, ours
    assert len(checked) > 8


def test_the_widget_side_is_imported_quickly_and_alone() -> None:
    heavy = ["torch", "numpy", "pandas", "plotly", "sqlalchemy", "jupyter_server", "tornado.web"]
    code = (
        "import sys, time, anywidget, ipywidgets\n"
        "before = set(sys.modules)\n"
        "import jupyter_ppo.widgets.curves, jupyter_ppo.widgets.following\n"
        f"print(sorted(set({heavy}) & (set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["[]"]
