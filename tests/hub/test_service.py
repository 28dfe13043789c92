"""Who may do what at the service of a real hub: by sign-in, by token, by nobody."""

from __future__ import annotations

import httpx
import pytest
from hub import API, GRADER, INSTRUCTOR, OTHER, OUTSIDER, STUDENT, Hub

PAGE = "/services/ppo/jupyter-ppo"
ROSTER = f"/services/ppo/{API}/courses/rl101/members"


@pytest.fixture(scope="module", autouse=True)
def course(hub: Hub) -> None:
    """Let the instructor come once: a course that only its groups knew is made then."""
    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        assert api.get("courses/rl101").json()["role"] == "instructor"


def test_nobody_is_sent_to_the_hub_by_the_page_and_refused_by_the_api(hub: Hub) -> None:
    page = httpx.get(hub.url + PAGE)
    assert page.status_code == 302
    assert page.headers["Location"].startswith("/hub/api/oauth2/authorize")
    assert httpx.get(hub.url + ROSTER).status_code == 403
    assert httpx.get(f"{hub.service_url}/{API}/health").status_code == 200
    assert "process_cpu" not in httpx.get(f"{hub.service_url}/metrics").text
    wrong = httpx.get(hub.url + ROSTER, headers={"Authorization": "token 0123456789abcdef"})
    assert wrong.status_code == 403


def test_a_student_signs_in_without_being_asked_and_is_a_student(hub: Hub) -> None:
    browser = hub.sign_in(STUDENT)
    page = browser.get(PAGE)
    assert page.status_code == 200
    assert len(page.history) == 3
    assert "<strong>stu</strong>" in page.text
    assert "<td>student</td>" in page.text
    assert _get(browser, f"/services/ppo/{API}/courses/rl101").json()["role"] == "student"
    assert _get(browser, ROSTER).status_code == 403


def test_staff_who_sign_in_at_the_service_have_their_role_in_their_course_only(hub: Hub) -> None:
    browser = hub.browser(INSTRUCTOR)
    members = _get(browser, ROSTER).json()["items"]
    assert {member["user"]: member["role"] for member in members}[INSTRUCTOR] == "instructor"
    assert _get(browser, f"/services/ppo/{API}/courses/rl202").status_code == 404
    grader = hub.browser(GRADER)
    assert _get(grader, f"/services/ppo/{API}/courses/rl101").json()["role"] == "grader"


def test_who_is_in_no_course_is_told_so_by_the_page_and_by_the_api(hub: Hub) -> None:
    browser = hub.sign_in(OUTSIDER)
    page = browser.get(PAGE)
    assert page.status_code == 403
    assert "You are in no course of this service" in page.text
    answer = _get(browser, f"/services/ppo/{API}/courses")
    assert answer.status_code == 403
    assert "groups in JupyterHub" in answer.json()["message"]


def test_what_runs_in_a_persons_own_server_acts_as_a_student_whoever_it_is(hub: Hub) -> None:
    with hub.api(hub.server_token_of(STUDENT)) as api:
        assert api.get("courses/rl101").json()["role"] == "student"
        assert api.get("courses/rl101/members").status_code == 403
        # No XSRF token is asked of what sends a token of its own.
        assert api.patch("me/preferences", json={"theme": "x"}).status_code == 400
    with hub.api(hub.server_token_of(INSTRUCTOR)) as api:
        assert api.get("courses/rl101").json()["role"] == "student"
        assert api.get("courses/rl101/members").status_code == 403


def test_a_token_without_access_to_the_service_opens_nothing(hub: Hub) -> None:
    default = [f"users:activity!user={STUDENT}", f"access:servers!server={STUDENT}/"]
    with hub.api(hub.token_of(STUDENT, default)) as api:
        assert api.get("courses").status_code == 403
        assert api.get("me").status_code == 403


def test_one_person_has_several_courses(hub: Hub) -> None:
    with hub.api(hub.token_of(OTHER)) as api:
        assert [each["name"] for each in api.get("courses").json()["items"]] == ["rl101"]
    hub.join(INSTRUCTOR, "course-rl202:instructor")
    # The hub is believed for a minute; a new token is asked about anew.
    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        assert api.get("courses/rl202").json()["role"] == "instructor"
    with hub.api(hub.token_of(OTHER)) as api:
        assert [each["name"] for each in api.get("courses").json()["items"]] == ["rl101", "rl202"]
    hub.leave(INSTRUCTOR, "course-rl202:instructor")


def test_a_new_course_needs_a_group_and_no_restart(hub: Hub) -> None:
    hub.join(INSTRUCTOR, "course-new-2027:instructor")
    hub.join(STUDENT, "course-new-2027:student")
    with hub.api(hub.token_of(STUDENT)) as api:
        assert api.get("courses/new-2027").status_code == 404  # students make none
    with hub.api(hub.token_of(INSTRUCTOR)) as api:
        assert api.get("courses/new-2027").json()["role"] == "instructor"
    with hub.api(hub.token_of(STUDENT)) as api:
        assert api.get("courses/new-2027").json()["role"] == "student"


def test_a_signed_in_browser_needs_the_xsrf_token_of_the_service(hub: Hub) -> None:
    browser = hub.browser(STUDENT)
    address = f"/services/ppo/{API}/me/preferences"
    fetch = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
    assert browser.get(address, headers=fetch).status_code == 403
    assert browser.patch(address, json={}, headers=fetch).status_code == 403
    own = _xsrf(browser, "/services/ppo/")
    assert browser.get(address, headers={**fetch, "X-XSRFToken": own}).status_code == 200
    hubs = _xsrf(browser, "/hub/")
    assert browser.get(address, headers={**fetch, "X-XSRFToken": hubs}).status_code == 403


def test_every_response_forbids_frames_and_guessing_of_types(hub: Hub) -> None:
    browser = hub.browser(STUDENT)
    for path in (
        PAGE,
        f"/services/ppo/{API}/health",
        ROSTER,
        "/services/ppo/nowhere",
        "/services/ppo/",
    ):
        answer = browser.get(path, follow_redirects=False)
        policy = answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy or "sandbox" in policy, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path


@pytest.mark.parametrize(
    "path",
    ["api/contents", "files/hub.sqlite", "api/kernels", "api/sessions", "api/terminals", "tree",
     "api/status", "api/me", "static/favicon.ico", "view/x", "nbconvert/html/x", "api/shutdown"],
)  # fmt: skip
def test_nothing_of_a_jupyter_server_is_left(hub: Hub, path: str) -> None:
    browser = hub.browser(INSTRUCTOR)
    for answer in (browser.get(f"/services/ppo/{path}"), browser.post(f"/services/ppo/{path}")):
        assert answer.status_code in {403, 404}
        assert hub.environment["JUPYTER_PPO_COOKIE_SECRET"] not in answer.text


def test_no_page_holds_a_token(hub: Hub) -> None:
    environment = hub.environment_of_the_service()
    tokens = [environment[name] for name in ("JUPYTERHUB_API_TOKEN", "JUPYTER_PPO_COOKIE_SECRET")]
    browser = hub.browser(STUDENT)
    for path in (PAGE, "/services/ppo/nowhere", f"/services/ppo/{API}/nowhere"):
        text = browser.get(path).text
        assert not any(token in text for token in tokens), path
        assert "data-jupyter-api-token" not in text or 'data-jupyter-api-token=""' in text, path


def test_a_notebook_of_twenty_megabytes_comes_through_the_proxy(hub: Hub) -> None:
    with hub.api(hub.token_of(STUDENT)) as api:
        answer = api.post(
            "courses/rl101/assignments/none/submissions",
            content=b"x" * (20 * 2**20),
            headers={"Content-Type": "application/x-ipynb+json"},
        )
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")  # it was read, whole


def test_refused_requests_leave_no_broken_connection_to_the_proxy(hub: Hub) -> None:
    with hub.api("0123456789abcdef") as api:
        assert {api.get("me").status_code for _ in range(60)} == {403}


def test_a_large_body_of_nobody_is_refused_before_it_is_held(hub: Hub) -> None:
    process = hub.pid_of_the_service()
    before = _peak(process)
    piece = b"x" * 2**20

    for path in (f"{API}/courses/rl101/assignments/x/submissions", "nowhere"):
        try:
            answer = httpx.post(
                f"http://127.0.0.1:{hub.ports['service']}/services/ppo/{path}",
                content=(piece for _ in range(100)),
                headers={"Content-Length": str(100 * len(piece))},
                timeout=60,
            )
        except httpx.TransportError:
            continue  # it hung up while the body was on its way
        assert answer.status_code in {400, 403, 404, 413}
    assert _peak(process) - before < 40 * 2**10  # KiB


def _get(browser: httpx.Client, path: str) -> httpx.Response:
    """Ask as a page of the service does: with its XSRF token."""
    return browser.get(path, headers={"X-XSRFToken": _xsrf(browser, "/services/ppo/")})


def _xsrf(browser: httpx.Client, path: str) -> str:
    found = [c.value for c in browser.cookies.jar if c.name == "_xsrf" and c.path == path]
    assert found, path
    return str(found[0])


def _peak(pid: int) -> int:
    """Return the most memory that a process ever held, in KiB."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
