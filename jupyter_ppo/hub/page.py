"""The page of the service: who is signed in, and their courses."""

from __future__ import annotations

import functools
from html import escape
from http import HTTPStatus
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated

from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.services.assessment import CourseView
from jupyter_ppo.services.paging import every_page
from jupyter_ppo.web.context import SETTING, WebContext
from jupyter_ppo.web.errors import status_of

#: Below the address of the service.
PAGE = "jupyter-ppo"
_PER_PAGE = 200
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8886; }
@media (prefers-color-scheme: dark) {
  body { background: #16181d; color: #e6e6e6; }
  a { color: #8ab4f8; }
}
"""
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)


class PageHandler(JupyterHandler):
    """Says who is signed in and in which courses; the way in for a browser."""

    @property
    def content_security_policy(self) -> str:
        """No script at all."""
        return _POLICY

    @authenticated
    async def get(self) -> None:
        """Answer the page; whoever is not signed in is sent to the hub first."""
        context: WebContext = self.settings[SETTING]
        if context.problem is not None:
            raise HTTPError(HTTPStatus.SERVICE_UNAVAILABLE, context.problem.message)
        try:
            caller = await context.caller(self.current_user)
            assessment = context.use_cases.assessment
            pages = functools.partial(assessment.courses, caller, limit=_PER_PAGE)
            courses = await context.in_thread(
                lambda: list(every_page(lambda offset: pages(offset=offset)))
            )
        except PPOError as error:
            raise HTTPError(status_of(error), error.message) from None
        self.set_header("Cache-Control", "no-store")
        self.finish(self._page("Courses", _courses(caller.user, courses)))

    def write_error(self, status_code: int, **details: Any) -> None:
        """Answer an error as a page that says what to do, and nothing of our own mistakes."""
        error = details.get("exc_info", (None, None))[1]
        said = error.log_message if isinstance(error, HTTPError) and error.log_message else None
        text = said or "This page cannot be shown. The log of the service says why."
        self.finish(self._page("This did not work", f"<p>{escape(text)}</p>"))

    def _page(self, title: str, body: str) -> str:
        provider: Any = self.identity_provider
        hub = provider.hub_auth
        home = escape(hub.hub_host + url_path_join(hub.hub_prefix, "home"))
        leave = escape(url_path_join(self.base_url, "logout"))
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f"<title>{escape(title)} · jupyter_ppo</title><style>{_STYLE}</style></head>"
            f"<body><main><h1>{escape(title)}</h1>{body}</main>"
            f'<p><a href="{home}">Home of the hub</a> · <a href="{leave}">Sign out</a></p>'
            "</body></html>"
        )


def page_rules() -> list[tuple[str, type[JupyterHandler]]]:
    """Return the address of the page."""
    return [(rf"/{PAGE}/?", PageHandler)]


def _courses(user: str, courses: list[CourseView]) -> str:
    rows = "".join(
        f"<tr><td>{escape(view.course.title)}</td><td>{escape(view.course.name)}</td>"
        f"<td>{escape(view.role)}</td></tr>"
        for view in courses
    )
    table = f"<table><tr><th>Course</th><th>Name</th><th>Your role</th></tr>{rows}</table>"
    return (
        f"<p>You are signed in as <strong>{escape(user)}</strong>.</p>{table}"
        "<p>Open your own JupyterLab from the hub's home page to work on a course.</p>"
    )
