"""A real page with the views of the widgets, and a model that answers as a kernel's does."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

import jupyter_ppo.widgets

STATIC = Path(jupyter_ppo.widgets.__file__).parent / "static"
DARK = {
    "--jp-layout-color0": "#111111",
    "--jp-layout-color1": "#212121",
    "--jp-layout-color2": "#424242",
    "--jp-ui-font-color0": "#ffffff",
    "--jp-ui-font-color1": "#ffffff",
    "--jp-ui-font-color2": "rgba(255, 255, 255, 0.7)",
    "--jp-border-color1": "#616161",
    "--jp-border-color2": "#424242",
}
MODEL = """async (source) => {
  const listeners = new Map();
  const traits = {};
  const copy = (value) => (value === undefined ? undefined : structuredClone(value));
  const tell = (event, ...values) => {
    for (const one of [...(listeners.get(event) ?? [])]) one(...values);
  };
  const model = {
    get: (name) => traits[name],
    set: (name, value) => { traits[name] = value; window.kernel.unsaved[name] = copy(value); },
    save_changes: () => {
      Object.assign(window.kernel.saved, window.kernel.unsaved);
      window.kernel.unsaved = {};
    },
    on: (event, one) => listeners.set(event, [...(listeners.get(event) ?? []), one]),
    off: (event, one) =>
      listeners.set(event, (listeners.get(event) ?? []).filter((other) => other !== one)),
    send: (content) => { window.kernel.sent.push(copy(content)); },
  };
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const bundle = await import(url);
  const { views } = bundle;
  window.kernel = {
    bundle, sent: [], saved: {}, unsaved: {},
    show: (kind, values) => {
      Object.assign(traits, values);
      window.kernel.dispose = views[kind](model, document.getElementById('view'));
    },
    change: (values) => {
      Object.assign(traits, values);
      for (const name of Object.keys(values)) tell(`change:${name}`);
    },
    message: (content, texts) => {
      // As Jupyter does: parts of one larger buffer, at any place.
      const buffers = texts.map((text) => {
        const part = bytes(text);
        const whole = new Uint8Array(part.length + 3);
        whole.set(part, 3);
        return new DataView(whole.buffer, 3, part.length);
      });
      tell('msg:custom', content, buffers);
    },
    listeners: () => [...listeners.values()].reduce((count, some) => count + some.length, 0),
  };
}"""


class Widget:
    """A view in a page, from its kernel's side."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def show(self, kind: str, /, **traits: Any) -> None:
        """Show the view of a kind of widget whose traits have these values."""
        self.page.evaluate(
            "([kind, traits]) => window.kernel.show(kind, traits)",
            [kind, {"picture": "", **traits}],
        )

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The messages of the view so far."""
        sent: list[dict[str, Any]] = self.page.evaluate("window.kernel.sent")
        return sent

    @property
    def saved(self) -> dict[str, Any]:
        """The traits that the view has changed and saved."""
        saved: dict[str, Any] = self.page.evaluate("window.kernel.saved")
        return saved

    def message(self, content: dict[str, Any], *buffers: bytes) -> None:
        """Send the view a message of the kernel."""
        texts = [base64.b64encode(buffer).decode() for buffer in buffers]
        self.page.evaluate(
            "([content, texts]) => window.kernel.message(content, texts)", [content, texts]
        )

    def change(self, **traits: Any) -> None:
        """Change traits, as the kernel does."""
        self.page.evaluate("(traits) => window.kernel.change(traits)", traits)

    def dispose(self) -> None:
        """Close the view."""
        self.page.evaluate("window.kernel.dispose()")

    @property
    def listeners(self) -> int:
        """How many listeners the model has."""
        count: int = self.page.evaluate("window.kernel.listeners()")
        return count

    def dark(self) -> None:
        """Switch to JupyterLab's dark theme."""
        self.page.evaluate(
            """(variables) => {
              document.body.dataset.jpThemeLight = 'false';
              document.body.style.background = '#111111';
              for (const [name, value] of Object.entries(variables)) {
                document.documentElement.style.setProperty(name, value);
              }
            }""",
            DARK,
        )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser, for one file of tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def empty_page(chromium: Browser) -> Iterator[Page]:
    """An empty page. The test fails when anything in it does."""
    page = chromium.new_page(viewport={"width": 1000, "height": 1000})
    page.set_default_timeout(60_000)
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            problems.append(message.text)

    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", note)
    page.set_content("<!doctype html><html lang='en'><title>Notebook</title><body></body></html>")
    yield page
    page.close()
    assert problems == []


@pytest.fixture
def page(empty_page: Page) -> Page:
    """A page with the code and the style of all views, and a place for one."""
    built = [STATIC / name for name in ("live.js", "live.css")]
    missing = [path.name for path in built if not path.exists()]
    assert not missing, f"{missing} not built: run `jlpm build:widgets` in labextension"
    source, style = (path.read_text("utf-8") for path in built)
    empty_page.add_style_tag(content=style)
    empty_page.evaluate("document.body.innerHTML = '<main id=view></main>'")
    empty_page.evaluate(MODEL, source)
    return empty_page


@pytest.fixture
def widget(page: Page) -> Widget:
    """The kernel's side of the view in the page."""
    return Widget(page)
