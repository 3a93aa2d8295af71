"""The token without which no Ray cluster but a private one is used.

Ray looks for it in this order: `RAY_AUTH_TOKEN`, the file that `RAY_AUTH_TOKEN_PATH` names,
`~/.ray/auth_token`. Whoever has it may run anything on the cluster, so its file is for its owner
alone.
"""

import os

from nuke_bridge.core import ray_jobs as bridge
from nuke_bridge.core.errors import BridgeError
from plugin.errors import ClusterError

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
