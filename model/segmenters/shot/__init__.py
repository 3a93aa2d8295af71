"""A small network that is taught one shot from its key frames."""

from model.segmenters.shot.learner import RECIPE, STEPS_A_MINUTE, ShotLearner
from model.segmenters.shot.lessons import Known
from model.segmenters.shot.planes import FASTEST, UNKNOWN_MOTION

__all__ = ["FASTEST", "RECIPE", "STEPS_A_MINUTE", "UNKNOWN_MOTION", "Known", "ShotLearner"]
