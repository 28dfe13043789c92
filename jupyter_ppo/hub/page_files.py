"""The script and the style sheet of the page: two files by name, and nothing else of the disk."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import NoReturn

from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError, authenticated

#: Written by ``jlpm build:widgets``; in every wheel.
FOLDER = Path(__file__).parent / "static"
#: The names that are answered, with their media types.
FILES = {
    "staff.css": "text/css; charset=utf-8",
    "staff.js": "text/javascript; charset=utf-8",
}
_YEAR_SECONDS = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file of the page; ``digest`` is of its contents."""

    name: str
    content: bytes
    digest: str


@functools.cache
def page_file(name: str) -> PageFile | None:
    """Return one of ``FILES``, read once; None when it is not built or is no such name."""
    if name not in FILES:
        return None
    try:
        content = (FOLDER / name).read_bytes()
    except FileNotFoundError:
        return None
    return PageFile(name, content, hashlib.sha256(content).hexdigest()[:20])


class PageFileHandler(JupyterHandler):
    """Answers one of the two files to whoever is signed in."""

    def get_login_url(self) -> NoReturn:
        """Refuse: a script that comes from a sign-in page would be none."""
        raise HTTPError(HTTPStatus.FORBIDDEN)

    @authenticated
    def get(self, name: str) -> None:
        """Answer the file; with its digest in the address it may be kept for good."""
        found = page_file(name)
        if found is None:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        is_exact = self.get_query_argument("v", "") == found.digest
        keep = f"private, max-age={_YEAR_SECONDS}, immutable" if is_exact else "no-cache"
        self.set_header("Cache-Control", keep)
        self.set_header("Content-Type", FILES[name])
        self.finish(found.content)

    def write_error(self, status_code: int, **details: object) -> None:
        """Answer an error without a page."""
        self.finish()
