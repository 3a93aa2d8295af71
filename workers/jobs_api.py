"""Ray's Jobs API for the command line: the hosts' client, its refusals told as errors of ours."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from nuke_bridge.core.errors import BridgeError
from nuke_bridge.core.ray_jobs import RayJobs, RefusedError
from plugin.errors import ClusterError, ShotError, told_as

_TOKEN = "set RAY_AUTH_TOKEN_PATH to the file with this cluster's token"  # noqa: S105  no token


@contextmanager
def told() -> Iterator[None]:
    """Around a block, or as a decorator: what the hosts' client raises is a `ClusterError`."""
    with told_as(ClusterError, of=BridgeError):
        try:
            yield
        except RefusedError as error:
            if error.code not in (401, 403):
                raise
            what = "the cluster does not accept the token"
            raise ClusterError(what, where=error.where, fix=_TOKEN) from error


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
    with told_as(ClusterError, of=BridgeError):
        try:
            RayJobs(url).jobs()
        except BridgeError as error:
            if must_answer and not (isinstance(error, RefusedError) and error.code in (401, 403)):
                raise
            return
    raise ClusterError(
        "anybody can use this cluster: it asks for no token",
        where=url,
        fix="start it with RAY_AUTH_MODE=token in its environment",
    )
