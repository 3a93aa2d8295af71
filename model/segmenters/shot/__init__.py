"""A small network that is taught one shot from its key frames."""

from model.segmenters.shot.learner import RECIPE, STEPS_A_MINUTE, ShotLearner
from model.segmenters.shot.lessons import Known

__all__ = ["RECIPE", "STEPS_A_MINUTE", "Known", "ShotLearner"]
