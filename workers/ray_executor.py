"""The executor on Ray: as many actors as asked for, each with a `FrameWorker`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugin.framerange import FrameRange
from plugin.types import FrameResult
from workers.cluster import Cluster, connected, device_settled, room_in

if TYPE_CHECKING:
    from workers.ray_pool import Pool

__all__ = ["RayExecutor"]


class RayExecutor:
    """Runs frames on Ray's workers.

    Args:
        cluster: which one, how many workers, on what.
        retries: tries a frame beyond the first, when its worker dies or stumbles.
        actor: another class than `FrameActor`, with the same methods.
    """

    def __init__(
        self, cluster: Cluster, *, retries: int, actor: Callable[[str], Any] | None = None
    ) -> None:
        self._cluster = cluster
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
            SurroundingsError: a worker's disk or device failed.
        """
        with connected(self._cluster) as watch:
            cluster = device_settled(self._cluster, watch.there)
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
            num_cpus=0 if gpus else 1,
            num_gpus=gpus,
            max_restarts=-1,
            max_task_retries=0,
        )

        def make() -> Any:  # noqa: ANN401  Ray's handles have no type
            return remote.remote(str(job), cluster.device)

        return make
