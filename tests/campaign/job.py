"""A shot, given as JSON, matted with a network that costs nothing: under Ray, or as a farm task is.

Its signals are answered and its errors told as `adamatte run` does it.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from plugin.cli import main
from plugin.cli.registry import Entry
from plugin.driver.run import run
from plugin.progress.lines import JsonLinesProgress
from plugin.request.shot import Shot
from plugin.types import Executor
from tests.campaign import actors
from tests.jobs import luma_matter
from workers.cluster import Cluster
from workers.in_process import InProcessExecutor
from workers.ray_executor import RayExecutor


@click.command()
@click.argument("text")
@click.option("--actor", default="LumaActor")
def job(text: str, actor: str) -> None:
    """Do it."""
    shot = Shot.model_validate_json(text)
    progress = JsonLinesProgress(sys.stdout)
    executor: Executor = InProcessExecutor(luma_matter)
    if shot.executor != "process":
        kind: Any = getattr(actors, actor)
        cluster = Cluster(
            shot.address,
            shot.workers or 1,
            shot.gpus_per_worker or 1.0,
            device=shot.device,
            on_cpu=1 if shot.device == "auto" else None,
        )
        executor = RayExecutor(cluster, retries=shot.retries, actor=kind, say=progress.note)
    run(shot, progress=progress, executor=executor)


if __name__ == "__main__":
    entry = Entry("tests.campaign.job:job", "Trials", "a run")
    sys.exit(main(["job", *sys.argv[1:]], commands={"job": entry}))
