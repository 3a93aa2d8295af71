"""Ray's Jobs API over plain HTTP: submit, look, stop. Nothing of Ray is needed; hosts and `submit`.

https://docs.ray.io/en/latest/cluster/running-applications/job-submission/rest.html. Nothing is sent
but an entrypoint, environment variables and a few words of metadata. Every call may take seconds;
in a host it is made from threads of the bridge only. The token goes to the cluster's own address
and nowhere else: redirects are refused, proxies are not used.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from .errors import BridgeError
from .files import regular

# A busy head node answers a submission only when it has begun to start the job.
_TIMEOUT_S, _SUBMIT_TIMEOUT_S, _WHOLE_S = 15.0, 60.0, 120.0
# A cluster that has just begun takes questions before it takes jobs.
_NO_AGENT, _AGENTS_WITHIN_S = "No available agent", 60.0
_JOBS = "/api/jobs/"
_ID = re.compile(r"\w[\w.-]{0,199}\Z", re.ASCII)
_MOST = 64 << 20
_MOST_TOKEN = 4096
_FIX_AUTH = "set $RAY_AUTH_TOKEN, or $RAY_AUTH_TOKEN_PATH to the token's file"
_FIX_ADDRESS = "check address: http://head-node:8265"


class ReadableError(BridgeError):
    """Others may read the token's file."""


class RefusedError(BridgeError):
    """The cluster answered with an error."""

    def __init__(self, what: str, where: object, fix: str, code: int) -> None:
        super().__init__(what, where, fix)
        self.code = code


class UnreachableError(RefusedError):
    """The cluster does not answer (code 0), or not now: worth another try."""


class JobInfo(NamedTuple):
    """How the cluster says that a job stands.

    Attributes:
        status: `PENDING`, `RUNNING`, `STOPPED`, `SUCCEEDED` or `FAILED`.
        message: the cluster's own words.
    """

    status: str
    message: str


class RayJobs:
    """The Jobs API of one cluster.

    Args:
        address: `http://head:8265`, or `head:8265`; `$RAY_API_SERVER_ADDRESS` when empty.
        token: empty for a cluster without one.

    Raises:
        BridgeError: there is no address, or it is none.
    """

    def __init__(self, address: str, token: str = "") -> None:
        text = (address or os.environ.get("RAY_API_SERVER_ADDRESS", "")).strip()
        if not text:
            raise BridgeError("no cluster", "address", "name the head node: http://head:8265")
        text = text if "://" in text else "http://" + text
        parts = urllib.parse.urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise BridgeError("not a cluster's address", text, _FIX_ADDRESS)
        self.address = f"{parts.scheme}://{parts.netloc}"
        self._token = token
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    def submit(
        self,
        job_id: str,
        entrypoint: str,
        environment: dict[str, str],
        told: dict[str, str] | None = None,
    ) -> None:
        """Start a job under a name of ours, once: a name that is there already is not sent again.

        Args:
            job_id: the name.
            entrypoint: a shell line.
            environment: variables for it.
            told: what the cluster is to remember of it; `adamatte status` shows it.

        Raises:
            BridgeError: the cluster refuses, or does not answer.
        """
        body = {
            "submission_id": job_id,
            "entrypoint": entrypoint,
            "runtime_env": {"env_vars": environment},
            "metadata": told or {},
        }
        end = time.monotonic() + _AGENTS_WITHIN_S
        while self.info(job_id) is None:
            try:
                self._call("POST", _JOBS, body)
                return
            except UnreachableError as error:
                patient = _NO_AGENT in error.what and time.monotonic() < end
                if not patient and self.info(job_id) is None:  # it may have arrived all the same
                    raise
            time.sleep(0.5)

    def info(self, job_id: str) -> JobInfo | None:
        """How a job stands; None where the cluster knows no such job.

        Raises:
            BridgeError: the cluster refuses, does not answer, or answers what makes no sense.
        """
        answer = self.job(job_id)
        if answer is None:
            return None
        status = answer.get("status")
        if not isinstance(status, str):
            raise self._nonsense("no status")
        message = answer.get("message")
        return JobInfo(status, message if isinstance(message, str) else "")

    def job(self, job_id: str) -> dict[str, Any] | None:
        """All that the cluster tells of a job; None where it knows no such job.

        Raises:
            BridgeError: as `info`.
        """
        return self._call("GET", self._path(job_id), missing=True)

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs that the cluster remembers.

        Raises:
            BridgeError: as `info`.
        """
        found = self._answer("GET", _JOBS)
        return [job for job in found if isinstance(job, dict)] if isinstance(found, list) else []

    def stop(self, job_id: str) -> bool:
        """Stop a job; False for one that is over or unknown, which is left alone.

        Raises:
            BridgeError: the cluster refuses or does not answer.
        """
        answer = self._call("POST", self._path(job_id) + "/stop", {}, missing=True) or {}
        return bool(answer.get("stopped"))

    def log(self, job_id: str) -> str:
        """What a job has printed; empty for one that is unknown.

        Raises:
            BridgeError: the cluster refuses or does not answer.
        """
        answer = self._call("GET", self._path(job_id) + "/logs", missing=True) or {}
        return str(answer.get("logs", ""))

    def last_error(self, job_id: str) -> str:
        """The program's own line of what went wrong, from the job's log; may be empty."""
        try:
            lines = self.log(job_id).splitlines()
        except BridgeError:
            return ""
        mark = "adamatte: error: "
        told = [line[line.index(mark) + len(mark) :] for line in lines if mark in line]
        return told[-1][:500] if told else ""

    def _path(self, job_id: str) -> str:
        if _ID.match(job_id) is None:  # dots alone would lead elsewhere
            raise BridgeError("not the id of a job", job_id[:80], "give it as it was printed")
        return _JOBS + urllib.parse.quote(job_id, safe="")

    def _call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        missing: bool = False,
    ) -> dict[str, Any] | None:
        """The JSON object that the cluster answers; None where there is no such thing."""
        try:
            found = self._answer(method, path, body)
        except RefusedError as error:
            if error.code == 404 and missing:
                return None
            raise
        if not isinstance(found, dict):
            raise self._nonsense("no JSON object")
        return found

    def _answer(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = "Bearer " + self._token
        call = urllib.request.Request(self.address + path, data, headers, method=method)
        try:
            seconds = _TIMEOUT_S if path != _JOBS else _SUBMIT_TIMEOUT_S
            with self._opener.open(call, timeout=seconds) as answer:
                content = _body(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise self._refused(error) from error
        except (OSError, ValueError, urllib.error.URLError) as error:
            reason = getattr(error, "reason", None) or error
            what = f"the cluster does not answer: {reason}"
            raise UnreachableError(what[:200], self.address, _FIX_ADDRESS, 0) from error
        except Exception as error:  # http.client's own kinds, of an answer that is no HTTP
            raise self._nonsense(type(error).__name__) from error
        try:
            return json.loads(content.decode("utf-8")) if len(content) <= _MOST else None
        except (ValueError, RecursionError):
            return None

    def _refused(self, error: urllib.error.HTTPError) -> RefusedError:
        code = error.code
        if code in (401, 403):
            what = "the cluster refuses the token" if self._token else "the cluster wants a token"
            return RefusedError(what, self.address, _FIX_AUTH, code)
        if 300 <= code < 400:
            what = "the cluster sends us elsewhere"
            return RefusedError(what, self.address, _FIX_ADDRESS, code)
        told = error.read(2000).decode("utf-8", "replace").strip().splitlines()
        what = "the cluster answers {}: {}".format(code, told[-1][:200] if told else "")
        kind = UnreachableError if code >= 500 else RefusedError
        return kind(what, self.address, "see the cluster's dashboard", code)

    def _nonsense(self, why: str) -> BridgeError:
        what = f"the answer is not one of Ray's Jobs API ({why})"
        return BridgeError(what, self.address, _FIX_ADDRESS)


def _body(answer: Any) -> bytes:
    """All of an answer, unless it comes in drops: each would be within the time for one."""
    end = time.monotonic() + _WHOLE_S
    body = bytearray()
    while len(body) <= _MOST:
        piece = answer.read1(1 << 16)
        if not piece:
            break
        body += piece
        if time.monotonic() > end:
            raise OSError("its answer has no end")
    return bytes(body)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the token along."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        return None


def find_token() -> str:
    """The cluster's token where Ray itself looks for it; never kept in a script.

    Raises:
        BridgeError: `$RAY_AUTH_TOKEN_PATH` cannot be read, or others may read the token's file.
    """
    token = os.environ.get("RAY_AUTH_TOKEN", "").strip()
    if token:
        return token
    named = os.environ.get("RAY_AUTH_TOKEN_PATH", "")
    path = Path(named) if named else Path.home() / ".ray" / "auth_token"
    try:
        with regular(path) as file:
            mode = os.fstat(file.fileno()).st_mode
            found = file.read(_MOST_TOKEN).decode("ascii").strip()
    except (OSError, ValueError) as error:
        if named:
            raise BridgeError("no token there", path, _FIX_AUTH) from error
        return ""
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        what = "the token's file can be read by others"
        raise ReadableError(what, path, "chmod 600 " + str(path))
    return found
