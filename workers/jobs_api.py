"""Ray's Jobs API over HTTP, with the standard library: submit, look, stop.

https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html. Nothing is sent
but an entrypoint, environment variables and a few words of metadata.
"""

from __future__ import annotations

import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import quote, urlsplit

from plugin.errors import ClusterError, RequestError, ShotError

__all__ = ["JobsClient", "jobs_url", "refuse_open"]

_TIMEOUT_S = 30.0
_WHOLE_S = 120.0
_MOST_BYTES = 64 << 20
_SUBMISSION = re.compile(r"[\w.-]{1,200}", re.ASCII)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token to another host."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401  urllib's own signature
        return None


_OPENER = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))


def jobs_url(address: str | None) -> str:
    """`http://head:8265` from `--address`, or from the variables that Ray's own client reads.

    Raises:
        ShotError: none is given, or it is not one of the Jobs API.
    """
    given = address or os.environ.get("RAY_API_SERVER_ADDRESS") or os.environ.get("RAY_ADDRESS")
    if not given:
        fix = "add --address http://HEAD:8265, or set RAY_API_SERVER_ADDRESS"
        raise ShotError("no cluster is named", where="--address", fix=fix)
    url = given if "://" in given else f"http://{given}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        fix = "give that of the dashboard: http://HEAD:8265"
        raise ShotError("not an address of Ray's Jobs API", where=given, fix=fix)
    return f"{parts.scheme}://{parts.netloc}"


def refuse_open(url: str, *, must_answer: bool = True) -> None:
    """Refuse a cluster that shows its jobs to who has no token.

    Args:
        url: of its dashboard.
        must_answer: whether one that does not answer is refused as well.

    Raises:
        ClusterError: it is open, or cannot be reached.
    """
    try:
        with _OPENER.open(f"{url}/api/jobs/", timeout=_TIMEOUT_S):
            pass
    except urllib.error.HTTPError as error:
        if error.code in (401, 403):
            return
        if must_answer:
            raise _unexpected(error.code, "", url) from error
        return
    except (OSError, HTTPException) as error:
        if must_answer:
            raise _unreachable(error, url) from error
        return
    raise ClusterError(
        "anybody can use this cluster: it asks for no token",
        where=url,
        fix="start it with RAY_AUTH_MODE=token in its environment",
    )


@dataclass(frozen=True, slots=True)
class JobsClient:
    """A cluster's Jobs API.

    Attributes:
        url: of its dashboard.
        token: of the cluster.
    """

    url: str
    token: str

    def submit(
        self,
        submission: str,
        entrypoint: str,
        *,
        metadata: Mapping[str, str],
        variables: Mapping[str, str],
    ) -> None:
        """Start a job.

        Args:
            submission: its id, a new one.
            entrypoint: a line for a shell.
            metadata: kept with the job.
            variables: of its environment.

        Raises:
            ClusterError: the cluster refuses or cannot be reached.
        """
        body = {
            "submission_id": submission,
            "entrypoint": entrypoint,
            "metadata": dict(metadata),
            "runtime_env": {"env_vars": dict(variables)},
        }
        self._ask("POST", "/api/jobs/", body)

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs that the cluster remembers."""
        found = self._ask("GET", "/api/jobs/")
        return [job for job in found if isinstance(job, dict)] if isinstance(found, list) else []

    def job(self, submission: str) -> dict[str, Any]:
        """One job.

        Raises:
            RequestError: the cluster knows none of that id.
            ClusterError: the cluster refuses or cannot be reached.
        """
        found = self._ask("GET", f"/api/jobs/{_checked(submission)}")
        return found if isinstance(found, dict) else {}

    def log(self, submission: str) -> str:
        """What the job has printed."""
        found = self._ask("GET", f"/api/jobs/{_checked(submission)}/logs")
        return str(found.get("logs", "")) if isinstance(found, dict) else ""

    def stop(self, submission: str) -> bool:
        """Ask a job to end; False where it had ended before."""
        found = self._ask("POST", f"/api/jobs/{_checked(submission)}/stop", {})
        return bool(found.get("stopped")) if isinstance(found, dict) else False

    def _ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  JSON
        request = urllib.request.Request(  # noqa: S310  `jobs_url` lets http and https through
            self.url + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )
        try:
            with _OPENER.open(request, timeout=_TIMEOUT_S) as answer:
                return json.loads(_body(answer))
        except urllib.error.HTTPError as error:
            said = error.read(500).decode(errors="replace")
            raise _refusal(error.code, said, self.url, path) from error
        except (OSError, HTTPException, ValueError) as error:
            raise _unreachable(error, self.url) from error


def _body(answer: HTTPResponse) -> bytes:
    """All of an answer, unless it comes in drops: each would be within the time for one."""
    deadline = time.monotonic() + _WHOLE_S
    body = bytearray()
    while piece := answer.read1(1 << 16):
        body += piece
        if len(body) > _MOST_BYTES or time.monotonic() > deadline:
            raise OSError("its answer has no end")
    return bytes(body)


def _checked(submission: str) -> str:
    if not _SUBMISSION.fullmatch(submission):
        fix = "give the id that `adamatte submit` printed"
        raise RequestError("not the id of a job", where=submission, fix=fix)
    return quote(submission)


def _refusal(code: int, said: str, url: str, path: str) -> Exception:
    if code == 404 and "/api/jobs/" in path:
        fix = "give the id that `adamatte submit` printed, and the address of that cluster"
        return RequestError("the cluster knows no such job", where=path.split("/")[3], fix=fix)
    if code in (401, 403):
        fix = "set RAY_AUTH_TOKEN_PATH to the file with this cluster's token"
        return ClusterError("the cluster does not accept the token", where=url, fix=fix)
    return _unexpected(code, said, url)


def _unexpected(code: int, said: str, url: str) -> ClusterError:
    text = " ".join(said.split())[:200]
    what = f"the cluster answers {code}" + (f": {text}" if text else "")
    return ClusterError(what, where=url, fix="see the log of Ray's dashboard")


def _unreachable(error: Exception, url: str) -> ClusterError:
    reason = getattr(error, "reason", None) or error
    return ClusterError(
        f"the cluster cannot be reached: {' '.join(str(reason).split())[:200]}",
        where=url,
        fix="check --address (that of the dashboard, http://HEAD:8265) and that it runs",
    )
