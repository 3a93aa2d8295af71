"""Ray's Jobs API for the command line: the hosts' client, its refusals told as errors of ours.

No Ray cluster but a private one is used without a token. Ray looks for it in this order:
`RAY_AUTH_TOKEN`, the file that `RAY_AUTH_TOKEN_PATH` names, `~/.ray/auth_token`. Whoever has it may
run anything on the cluster, so its file is for its owner alone.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from nuke_bridge.core import jobs_client as bridge
from nuke_bridge.core.errors import BridgeError
from nuke_bridge.core.jobs_client import RayJobs, RefusedError
from plugin.errors import ClusterError, ShotError, told_as

_HOW = "put the cluster's token into a file of mode 0600 and name it with RAY_AUTH_TOKEN_PATH"


def require_token(where: str) -> str:
    """The token, and Ray told to use it; call it before `ray` is imported.

    Args:
        where: the cluster's address, for the refusal.

    Raises:
        ClusterError: there is none, others may read it, or the environment turns tokens off.
    """
    mode = os.environ.setdefault("RAY_AUTH_MODE", "token")
    if mode.lower() != "token":
        raise ClusterError(
            f"RAY_AUTH_MODE is {mode}: a cluster without a token is open to anyone who reaches it",
            where=where,
            fix="start the cluster with RAY_AUTH_MODE=token and set the same here",
        )
    return find_token(where)


def find_token(where: str) -> str:
    """The token as Ray would find it.

    Raises:
        ClusterError: there is none, or others may read it.
    """
    token = ""
    try:
        token = bridge.find_token()
    except bridge.ReadableError as error:
        fix = f"{error.fix}, and have the cluster's token changed if others were on here"
        raise ClusterError(error.what, where=error.where, fix=fix) from error
    except BridgeError:  # what it names cannot be read
        pass
    if not token:
        raise ClusterError("there is no token for this cluster", where=where, fix=_HOW)
    return token


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
