"""`render`: one frame of a synthetic shot with its true alpha, from its number alone."""

import cv2
import numpy as np

from plugin.errors import ShotError
from plugin.synthetic.canvas import Canvas
from plugin.synthetic.creature import FOOT, GROUND, creature_of, root_place, velocity
from plugin.synthetic.drawing import draw_creature
from plugin.synthetic.noise import generator, motion_blur, noise, soften
from plugin.synthetic.scene import Scene, scene_of
from plugin.synthetic.shot import UNITS, SyntheticFrame, SyntheticShot
from plugin.types import FloatArray, LabelArray

_SCREEN_LIGHT = np.array([0.16, 0.66, 0.22], np.float32)
_MASK_ROWS = 120
_STILL = 1 / 4096
"""Coverage nearer than this to 0 or 1 is 0 or 1: rounding of the filters, no strand."""


def render(shot: SyntheticShot, index: int) -> SyntheticFrame:
    """Render one frame; the same shot and index give the same pixels, in any order.

    Subject and background are each averaged over the open shutter, then put together, so that the
    compositing equation holds exactly for every frame.

    Frames of a shot count from 0.

    Raises:
        ShotError: the shot has no such frame.
    """
    if not 0 <= index < shot.frames:
        fix = f"give 0 to {shot.frames - 1}"
        raise ShotError("the shot has no such frame", where=f"frame index {index}", fix=fix)
    scene = scene_of(shot)
    foreground, alpha = _subject(shot, index)
    background = scene.background(index, _stance(shot, index))
    if shot.direction.screen:
        foreground = _spilt(foreground, alpha, shot.unit)
    foreground, alpha, background = _occluded(scene, index, foreground, alpha, background)
    comp = foreground + (1 - alpha[..., None]) * background
    grain = _grain(shot, index, comp)
    return SyntheticFrame(
        index=index,
        plate_rgb=comp + grain,
        alpha=alpha,
        foreground=foreground,
        background=background,
        grain=grain,
        mask=_rough_mask(shot, index, alpha),
    )


def _stance(shot: SyntheticShot, time: float) -> tuple[float, float]:
    """Where the subject stands and how high above its lowest place it is, in units."""
    phase = creature_of(shot.seed, shot.direction.fur).phase
    x, y = root_place(shot, phase, time)[:, 2].tolist()
    return x, max(0.0, GROUND - FOOT - y)


def _subject(shot: SyntheticShot, index: int) -> tuple[FloatArray, FloatArray]:
    """Premultiplied colour and coverage of the subject, averaged over the open shutter."""
    staging = shot.direction
    creature = creature_of(shot.seed, staging.fur)
    canvas = Canvas(shot.width, shot.height)
    total = np.zeros(canvas.pixels.shape, np.float32)
    for sample in range(staging.samples):
        time = index + staging.shutter * ((sample + 0.5) / staging.samples - 0.5)
        canvas.clear()
        draw_creature(canvas, shot, creature, time)
        cv2.accumulate(canvas.pixels, total)
    size = (shot.width, shot.height)
    mean = np.asarray(cv2.resize(total, size, interpolation=cv2.INTER_AREA), np.float32)
    mean /= 255 * staging.samples
    # Sub-frames are steps; the way between two of them is as good as straight.
    step = velocity(shot, creature.phase, index) * (staging.shutter * shot.unit / staging.samples)
    mean = motion_blur(mean, float(step[0]), float(step[1]))
    alpha = np.clip(mean[..., 3], 0, 1)
    alpha[alpha < _STILL] = 0
    alpha[alpha > 1 - _STILL] = 1
    return np.clip(mean[..., :3], 0, alpha[..., None]), np.ascontiguousarray(alpha)


def _spilt(foreground: FloatArray, alpha: FloatArray, unit: float) -> FloatArray:
    """The screen's light on the subject: a little everywhere, more where it turns away."""
    rim = np.clip(1 - soften(alpha, 9 * unit), 0, 1)
    share = (0.04 + 0.30 * rim)[..., None]
    return foreground * (1 - share) + alpha[..., None] * _SCREEN_LIGHT * share


def _occluded(
    scene: Scene, index: int, foreground: FloatArray, alpha: FloatArray, background: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Take away what is hidden; what hides it becomes background."""
    occluder = scene.occluder(index)
    if occluder is None:
        return foreground, alpha, background
    colour, cover = occluder
    seen = (1 - cover)[..., None]
    visible = alpha * (1 - cover)
    rest = colour + seen * (1 - alpha[..., None]) * background
    share = (1 - visible)[..., None]
    behind = np.where(share > _STILL, rest / np.maximum(share, _STILL), background)
    return foreground * seen, visible, np.clip(behind, 0, 1).astype(np.float32)


def _grain(shot: SyntheticShot, index: int, comp: FloatArray) -> FloatArray:
    """Noise of the camera, limited so that `comp + grain` stays within [0, 1]."""
    sigma = shot.direction.grain if shot.grain is None else shot.grain
    grains = generator("grain", shot.seed, index).standard_normal(comp.shape, np.float32)
    # A blur of 0.6 pixels leaves 0.46 of white noise's deviation.
    grown = soften(grains, 0.6 * max(1.0, shot.unit / 2)) * (sigma / 0.46)
    return np.clip(comp + grown, 0, 1) - comp


def _rough_mask(shot: SyntheticShot, index: int, alpha: FloatArray) -> LabelArray:
    """A segmentation as another tool would give it, `H × W` uint8 in 16 steps."""
    rows = min(_MASK_ROWS, shot.height // 2)
    columns = round(rows * shot.width / shot.height)
    small = np.asarray(cv2.resize(alpha, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
    body = soften(small, 5 * rows / UNITS)
    steady = noise(generator("mask", shot.seed), rows, columns, 14, 2)
    flicker = noise(generator("mask", shot.seed, index), rows, columns, 9, 2)
    inside = (body > 0.5 + 0.14 * steady + 0.08 * flicker).astype(np.float32)
    size = (shot.width, shot.height)
    soft = np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_LINEAR), np.float32)
    return (np.rint(soft * 15) * 17).astype(np.uint8)
