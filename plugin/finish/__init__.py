"""What happens to an alpha after the network: clean-up, garbage and holdout, foreground colours.

plan, notes = plan_finish(shot, info, masks)      once, in the driver
finisher = Finisher(plan, info)                   in each worker
finished = finisher.finish(number, rgb, alpha)    of the plate's own RGB
"""

from plugin.finish.finisher import Finished, Finisher
from plugin.finish.plan import FinishPlan, plan_finish, refuse_format

__all__ = ["FinishPlan", "Finished", "Finisher", "plan_finish", "refuse_format"]
