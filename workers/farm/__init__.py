"""Job formats of batch farms: each writes files that run `adamatte run` on parts of a shot."""

from workers.farm.job import FarmJob
from workers.farm.registry import FARMS, FarmName, plan_farm_job, write_farm_job

__all__ = ["FARMS", "FarmJob", "FarmName", "plan_farm_job", "write_farm_job"]
