"""Drawing the creature at one moment: fur part by part, then the face."""

import math

import numpy as np

from plugin.synthetic.canvas import Canvas
from plugin.synthetic.creature import Creature, part_place, root_place, velocity
from plugin.synthetic.fur import bend, draw
from plugin.synthetic.shot import SyntheticShot
from plugin.types import FloatArray

_DRAG = 0.035
"""How far fur trails behind, as a share of its length for every unit a frame."""

_INK = (0.10, 0.06, 0.09)
_CIRCLE = np.linspace(0, 2 * math.pi, 49, dtype=np.float32)[:-1]
_BLINK_EVERY, _BLINK_FRAMES = 64.0, 5.0


def draw_creature(canvas: Canvas, shot: SyntheticShot, creature: Creature, time: float) -> None:
    """Draw the creature as it is at a time (in frames) onto an empty canvas."""
    staging = shot.direction
    root = root_place(shot, creature.phase, time)
    moving = velocity(shot, creature.phase, time - 2.0, over=6.0)
    trail = -_DRAG * moving
    trail = trail / math.hypot(1.0, *trail.tolist())
    blow = (float(trail[0]), float(trail[1]))
    last = len(creature.parts) - 1
    for number, part in enumerate(creature.parts):
        place = part_place(part, root, staging.waving, time)
        canvas.fill(_ellipse(place, (0, 0), part.radii), creature.skin[number])
        tufts = creature.fur[number]
        draw(canvas, bend(tufts, place, blow, staging.wind, time), tufts)
        if number == last:
            _draw_face(canvas, place, creature, time, moving)


def _ellipse(
    place: FloatArray,
    centre: tuple[float, float],
    radii: tuple[float, float],
    arc: FloatArray = _CIRCLE,
) -> FloatArray:
    """Outline of an ellipse of the part's frame, in the picture's units, `N × 2`."""
    x = centre[0] + radii[0] * np.cos(arc)
    y = centre[1] + radii[1] * np.sin(arc)
    return np.asarray(np.stack([x, y], axis=1) @ place[:, :2].T + place[:, 2], np.float32)


def _draw_face(
    canvas: Canvas, place: FloatArray, creature: Creature, time: float, moving: FloatArray
) -> None:
    """Eyes, nose and mouth, in the snout's frame."""
    look = float(np.clip(moving[0] * 0.5, -3.0, 3.0))
    since = (time + 20 * creature.phase) % _BLINK_EVERY
    shut = max(0.0, 1 - abs(since - _BLINK_FRAMES / 2) / (_BLINK_FRAMES / 2))
    for side in (-1, 1):
        _draw_eye(canvas, place, (side * 25.0, -29.0), (look, shut), creature)
    canvas.fill(_ellipse(place, (0, -10.5), (10, 7)), _INK)
    canvas.fill(_ellipse(place, (-3, -13), (3.2, 1.7)), (0.62, 0.55, 0.60))
    smile = np.linspace(0.12 * math.pi, 0.88 * math.pi, 15, dtype=np.float32)
    canvas.stroke(_ellipse(place, (0, -3), (14, 11), smile), _INK, 2.2)
    canvas.stroke(_ellipse(place, (0, -4), (0.1, 12), smile), _INK, 1.6)


def _draw_eye(
    canvas: Canvas,
    place: FloatArray,
    centre: tuple[float, float],
    gaze: tuple[float, float],
    creature: Creature,
) -> None:
    """One eye; `gaze` is how far it looks aside, in units, and how far it is shut, 0 to 1."""
    (x, y), (look, shut) = centre, gaze
    canvas.fill(_ellipse(place, centre, (16.5, 17.5)), _INK)
    if shut > 0.85:
        canvas.fill(_ellipse(place, centre, (15.5, 16.5)), creature.parts[-2].coat.colour)
        lid = np.linspace(0.1 * math.pi, 0.9 * math.pi, 15, dtype=np.float32)
        canvas.stroke(_ellipse(place, (x, y), (14, 7), lid), _INK, 2.0)
        return
    open_ = 1 - 0.8 * shut
    canvas.fill(_ellipse(place, centre, (15, 16 * open_)), (0.97, 0.96, 0.93))
    canvas.fill(_ellipse(place, (x + look, y + 1), (10.5, min(11, 16 * open_))), creature.iris)
    canvas.fill(_ellipse(place, (x + look, y + 1), (6.5, min(7, 15 * open_))), _INK)
    canvas.fill(_ellipse(place, (x + look - 3.5, y - 3.5 * open_), (3.2, 3.2 * open_)), (1, 1, 1))
