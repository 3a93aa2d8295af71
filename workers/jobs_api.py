"""Ray's Jobs API for the command line: the hosts' client, its refusals told as errors of ours."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nuke_bridge.core.errors import BridgeError
from nuke_bridge.core.ray_jobs import RayJobs, RefusedError
from plugin.errors import ClusterError, RequestError, ShotError

_TOKEN = "set RAY_AUTH_TOKEN_PATH to the file with this cluster's token"  # noqa: S105  no token
_THAT_ID = "give the id that `adamatte submit` printed, and the address of that cluster"


@contextmanager
def _told() -> Iterator[None]:
    """Within, what the client raises is a `ClusterError`."""
    try:
        yield
    except BridgeError as error:
        if isinstance(error, RefusedError) and error.code in (401, 403):
            what = "the cluster does not accept the token"
            raise ClusterError(what, where=error.where, fix=_TOKEN) from error
        raise ClusterError(error.what, where=error.where, fix=error.fix) from error


def jobs_url(address: str | None) -> str:
    """`http://head:8265` from `--address`, or from the variables that Ray's own client reads.

    Raises:
        ShotError: none is given, or it is not one of the Jobs API.
    """
    given = address or os.environ.get("RAY_API_SERVER_ADDRESS") or os.environ.get("RAY_ADDRESS")
    if not given:
        fix = "add --address http://HEAD:8265, or set RAY_API_SERVER_ADDRESS"
        raise ShotError("no cluster is named", where="--address", fix=fix)
    try:
        return RayJobs(given).address
    except BridgeError as error:
        fix = "give that of the dashboard: http://HEAD:8265"
        raise ShotError("not an address of Ray's Jobs API", where=given, fix=fix) from error


def refuse_open(url: str, *, must_answer: bool = True) -> None:
    """Refuse a cluster that shows its jobs to who has no token.

    Args:
        url: of its dashboard.
        must_answer: whether one that does not answer is refused as well.

    Raises:
        ClusterError: it is open, or cannot be reached.
    """
    try:
        RayJobs(url).jobs()
    except BridgeError as error:
        if must_answer and not (isinstance(error, RefusedError) and error.code in (401, 403)):
            raise ClusterError(error.what, where=error.where, fix=error.fix) from error
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

        Raises:
            ClusterError: the cluster refuses or cannot be reached.
        """
        with _told():
            self._jobs.submit(submission, entrypoint, dict(variables), dict(metadata))

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs that the cluster remembers."""
        with _told():
            return self._jobs.jobs()

    def job(self, submission: str) -> dict[str, Any]:
        """One job.

        Raises:
            RequestError: the cluster knows none of that id.
            ClusterError: the cluster refuses or cannot be reached.
        """
        with _told():
            found = self._jobs.job(submission)
        if found is None:
            raise RequestError("the cluster knows no such job", where=submission, fix=_THAT_ID)
        return found

    def log(self, submission: str) -> str:
        """What the job has printed. Raises as `job`."""
        self.job(submission)
        with _told():
            return self._jobs.log(submission)

    def stop(self, submission: str) -> bool:
        """Ask a job to end; False where it had ended before. Raises as `job`."""
        self.job(submission)
        with _told():
            return self._jobs.stop(submission)

    @property
    def _jobs(self) -> RayJobs:
        return RayJobs(self.url, self.token)
