"""The page of the service: who is signed in, their courses, and the panels for staff."""

from __future__ import annotations

import functools
import json
from html import escape
from http import HTTPStatus
from typing import Any

from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated

from jupyter_ppo.domain.errors import PPOError
from jupyter_ppo.hub.page_files import FILES, PageFile, PageFileHandler, page_file
from jupyter_ppo.services.assessment import CourseView
from jupyter_ppo.services.paging import every_page
from jupyter_ppo.web.context import SETTING, WebContext
from jupyter_ppo.web.errors import retry_after, status_of

#: Below the address of the service.
PAGE = "jupyter-ppo"
_PER_PAGE = 200
#: Of the page as it is without its script, and of errors. The script takes the class away.
_STYLE = """
.ppo-plain { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto;
  padding: 0 1rem; }
.ppo-plain table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
.ppo-plain :is(th, td) { text-align: left; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid #8886; }
@media (prefers-color-scheme: dark) {
  .ppo-plain { background: #16181d; color: #e6e6e6; }
  .ppo-plain a { color: #8ab4f8; }
}
"""
#: Students' work is shown in frames without scripts: they inherit this policy, have style sheets
#: of their own (hence 'unsafe-inline') and keep their links in themselves (hence about:).
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-src 'self'; frame-ancestors 'none'; "
    "base-uri about:; form-action 'none'"
)


class PageHandler(JupyterHandler):
    """Says who is signed in and in which courses; with its script, the panels for staff."""

    @property
    def content_security_policy(self) -> str:
        """No script but the page's own file, and no frame around it."""
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
            raise HTTPError(status_of(error), error.message) from error
        self.set_header("Cache-Control", "no-store")
        # The script sends it with every request; making it sets its cookie.
        _ = self.xsrf_token
        body = _courses(caller.user, courses)
        self.finish(self._page("Courses", body, self._script(caller.user)))

    def write_error(self, status_code: int, **details: Any) -> None:
        """Answer an error as a page that says what to do, and nothing of our own mistakes."""
        error = details.get("exc_info", (None, None))[1]
        seconds = retry_after(None if error is None else error.__cause__)
        if seconds is not None:
            self.set_header("Retry-After", str(seconds))
        said = error.log_message if isinstance(error, HTTPError) and error.log_message else None
        text = said or "This page cannot be shown. The log of the service says why."
        self.finish(self._page("This did not work", f"<p>{escape(text)}</p>"))

    def _addresses(self) -> dict[str, str]:
        provider: Any = self.identity_provider
        hub = provider.hub_auth
        return {
            "hubHome": hub.hub_host + url_path_join(hub.hub_prefix, "home"),
            "signOut": url_path_join(self.base_url, "logout"),
        }

    def _script(self, user: str) -> str:
        """Return what makes the page more than a list: nothing secret is in it."""
        files = {name: page_file(name) for name in FILES}
        if any(found is None for found in files.values()):
            self.log.warning("The page for staff is not built. Run .ci/setup.sh front-end.")
            return ""
        config = {
            "baseUrl": self.base_url,
            "appUrl": f"/{PAGE}",
            "user": user,
            "page": url_path_join(self.base_url, PAGE),
            **self._addresses(),
        }
        # A name may hold what ends a script element.
        text = json.dumps(config).replace("<", "\\u003c")
        at = {name: escape(self._address_of(found)) for name, found in files.items() if found}
        return (
            f'<link rel="stylesheet" href="{at["staff.css"]}">'
            f'<script id="jupyter-config-data" type="application/json">{text}</script>'
            f'<script src="{at["staff.js"]}" defer></script>'
        )

    def _address_of(self, found: PageFile) -> str:
        return url_path_join(self.base_url, PAGE, f"{found.name}?v={found.digest}")

    def _page(self, title: str, body: str, head: str = "") -> str:
        addresses = self._addresses()
        home, leave = escape(addresses["hubHome"]), escape(addresses["signOut"])
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<meta name="color-scheme" content="light dark">'
            f"<title>{escape(title)} · jupyter_ppo</title><style>{_STYLE}</style>{head}</head>"
            f'<body class="ppo-plain"><main><h1>{escape(title)}</h1>{body}</main>'
            f'<p><a href="{home}">Home of the hub</a> · <a href="{leave}">Sign out</a></p>'
            "</body></html>"
        )


def page_rules() -> list[tuple[str, type[JupyterHandler]]]:
    """Return the addresses of the page and of its two files; nothing else is below it."""
    names = "|".join(name.replace(".", r"\.") for name in FILES)
    return [(rf"/{PAGE}/?", PageHandler), (rf"/{PAGE}/({names})", PageFileHandler)]


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
