"""What a screen reader is told of our ipywidgets controls, in a real page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from jupyter_ppo.widgets.control_style import ControlStyle, Kit, alert, close_all, faint, reason

pytestmark = pytest.mark.browser

#: As ipywidgets makes it.
CONTROLS = """
<div class="ppo-controls">
  <div id="view"></div>
  <div class="ppo-setting">
    <div class="widget-text"><label>batch size</label><input></div>
    <div class="widget-slider"><label></label><div role="slider" tabindex="0">o</div></div>
  </div>
  <div class="ppo-flow ppo-alert"><div class="widget-html-content">wrong</div></div>
  <div class="ppo-flow ppo-status"><div class="widget-html-content">Running</div></div>
  <div class="ppo-group ppo-group-More-about-this-run">
    <button class="ppo-section-button"><i class="fa fa-caret-right"></i>All settings</button>
  </div>
</div>
"""
MOUNT = """async (source) => {
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
  const { default: style } = await import(url);
  const el = document.createElement('div');
  window.dispose = style.render({ el });
  document.querySelector('#view').append(el);  // made first, put into the page later
}"""


@pytest.fixture
def controls(empty_page: Page) -> Page:
    page = empty_page
    page.set_content(CONTROLS)
    page.evaluate(MOUNT, ControlStyle._esm)
    page.get_by_role("slider", name="batch size slider").wait_for()
    return page


def test_sliders_messages_states_and_groups_have_roles_and_names(controls: Page) -> None:
    assert controls.get_by_role("alert").inner_text() == "wrong"
    assert controls.get_by_role("status").inner_text() == "Running"
    group = controls.get_by_role("group", name="More about this run")
    assert group.get_by_role("button", name="All settings", exact=True, expanded=False).count() == 1


def test_what_is_opened_later_gets_them_too(controls: Page) -> None:
    controls.evaluate(
        """() => {
          document.querySelector('.ppo-section-button').classList.add('mod-active');
          const copy = document.querySelector('.ppo-setting').cloneNode(true);
          copy.querySelector('label').textContent = 'n envs';
          document.querySelector('.ppo-controls').append(copy);
        }"""
    )
    controls.get_by_role("slider", name="n envs slider").wait_for()
    controls.get_by_role("button", name="All settings", expanded=True).wait_for()


def test_a_view_that_is_gone_looks_no_more(controls: Page) -> None:
    controls.evaluate("() => window.dispose()")
    controls.evaluate(
        "() => document.querySelector('.ppo-section-button').classList.add('mod-active')"
    )
    controls.wait_for_timeout(50)
    assert controls.get_by_role("button", name="All settings", expanded=False).count() == 1


def test_controls_share_their_layouts_and_styles() -> None:
    kit = Kit()
    one, two = kit.text(value="a"), kit.text(value="b")
    assert one.layout is two.layout
    assert one.style is two.style
    box = kit.column([kit.row([one]), two])
    close_all(box)
    assert one.comm is None
    assert two.comm is None


def test_words_of_others_are_no_html() -> None:
    assert alert("<b>") == '<span class="ppo-wrong">&lt;b&gt;</span>'
    assert faint("<b>") == '<span class="ppo-faint">&lt;b&gt;</span>'
    assert alert("") == faint("") == ""
    assert reason(OSError("no room")) == "OSError: no room"
