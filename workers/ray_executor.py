"""The executor on Ray: as many actors as asked for, each with a `FrameWorker`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugin.errors import DeviceError
from plugin.framerange import FrameRange
from plugin.types import FrameResult
from workers.cluster import Cluster, connected, device_settled, room_in
from workers.watching import Watch

if TYPE_CHECKING:
    from workers.ray_pool import Pool

_CHUNK = 4
"""Frames a worker takes at once of those that GPUs left."""


class RayExecutor:
    """Runs frames on Ray's workers.

    Args:
        cluster: which one, how many workers, on what.
        retries: tries a frame beyond the first, when its worker dies or stumbles.
        actor: another class than `FrameActor`, with the same methods.
        say: is told what a person should know.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        retries: int,
        actor: Callable[..., Any] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._cluster, self._say = cluster, say
        self._retries = retries
        self._actor = actor
        self._stopped = False
        self.pool: Pool | None = None
        """Of the run that goes on, or of the last one."""

    def stop(self) -> None:
        """See `plugin.types.Executor`."""
        self._stopped = True
        if self.pool is not None:
            self.pool.stop()

    def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
        """See `plugin.types.Executor`.

        Raises:
            ClusterError: Ray cannot be reached or lost its workers for good.
            DeviceError: no device is left that works.
            SurroundingsError: a worker's disk failed.
        """
        with connected(self._cluster) as watch:
            cluster = device_settled(self._cluster, watch.there)
            try:
                yield from self._results(job, cluster, tasks, watch)
            except DeviceError as error:
                on_cpu = cluster.without_gpus()
                if on_cpu is None or self.pool is None:
                    raise
                left = self.pool.left()
                self._say(f"{error.what}: frames {left.brief} are computed on the CPU")
                yield from self._results(job, on_cpu, left.chunks(_CHUNK), watch)

    def _results(
        self, job: Path, cluster: Cluster, tasks: Iterable[FrameRange], watch: Watch
    ) -> Iterator[FrameResult]:
        from workers.ray_pool import Pool  # Ray is imported after its environment is set

        self.pool = Pool(
            self._maker(job, cluster),
            cluster.workers or room_in(cluster, watch.there),
            tasks,
            retries=self._retries,
            beside=self._beside(),
            room=lambda: 0 if cluster.workers else room_in(cluster, watch.there),
            why_dead=watch.why_dead,
        )
        if self._stopped:
            self.pool.stop()
        yield from self.pool.results()

    def _beside(self) -> int:
        """Frames that an actor works on at once."""
        from workers.actor import FrameActor

        return int(getattr(self._actor or FrameActor, "beside", 1))

    def _maker(self, job: Path, cluster: Cluster) -> Callable[[], Any]:
        import ray
        from ray import cloudpickle

        from workers import actor

        by_code: Any = cloudpickle.register_pickle_by_value
        by_code(actor)
        gpus = cluster.gpus_per_worker if cluster.device == "cuda" else 0.0
        remote: Any = ray.remote(self._actor or actor.FrameActor).options(
            max_concurrency=self._beside(),
            num_cpus=1,  # on a GPU too: other jobs' workers would take all cores beside it
            num_gpus=gpus,
            max_restarts=-1,
            max_task_retries=0,
        )

        def make() -> Any:  # noqa: ANN401  Ray's handles have no type
            return remote.remote(str(job), cluster.device)

        return make
