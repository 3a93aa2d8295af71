"""Before and behind: cut-outs, procedural mattes and plain shapes, photographs, with colours."""

import math

import torch
from torch import Tensor

from model.training.banks import Banks
from model.training.draw import Draw
from model.training.geometry import blur, crop
from model.training.recipe import Synthesis


def layers(
    banks: Banks, draw: Draw, how: Synthesis, shapes: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Foreground (N × 3), alpha (N × 1) and background (N × 3) of each sample.

    The first of the batch are cut-outs, then come procedural mattes, then plain shapes: how many
    of each is `how`'s shares, rounded.

    Args:
        banks: the pictures.
        draw: of N samples.
        how: shares.
        shapes: N × 1 × crop × crop, a shape for each sample.
    """
    count = draw.count
    cut = round(count * how.cutouts)
    made = cut + round((count - cut) * (1 - how.shapes))  # cut-outs and procedural mattes
    photos = _photographs(banks, Draw(2 * count - cut, draw.generator), how, count)
    background, texture = photos[:count], photos[count:]
    cutout = Draw(cut, draw.generator).index(len(banks.cutouts))
    mattes = Draw(made - cut, draw.generator)
    matte = mattes.index(len(banks.mattes))
    colour, alpha = _cropped(banks, cutout, matte, Draw(made, draw.generator), how)
    (retextured,) = mattes.chance(how.retextured, each=(1, 1, 1))
    plain = ~banks.coloured[matte].view(-1, 1, 1, 1) | retextured
    own = torch.where(plain, texture[: made - cut], colour[cut:])
    # A cut-out's own colours are only as clean as whoever cut it out: a photograph's have no rim.
    (dressed,) = Draw(cut, draw.generator).chance(how.dressed, each=(1, 1, 1))
    cutouts = torch.where(dressed, background.roll(1, 0)[:cut], colour[:cut])
    colour = torch.cat((cutouts, own, texture[made - cut :]))
    alpha = torch.cat((alpha, shapes[made:]))
    # Out of focus: cut-outs more often than the others, which have their own softness.
    width, often, seldom = draw.between((math.log(0.5), math.log(3)), (-0.3, 0.7), (-0.1, 0.9))
    soft = width.exp() * (torch.cat((often[:cut], seldom[cut:])) < 0)
    return colour, _clean(blur(alpha, soft, reach=8)), background


def _cropped(
    banks: Banks, cutout: Tensor, matte: Tensor, draw: Draw, how: Synthesis
) -> tuple[Tensor, Tensor]:
    """A patch about a mixed pixel of each of these pictures: colour and alpha."""
    mattes = torch.cat((banks.colours[matte], banks.mattes[matte]), dim=1)
    rgba = torch.cat((banks.cutouts[cutout], mattes)).float()
    point = draw.index(banks.matte_points.shape[1])
    points = torch.cat((banks.cutout_points[cutout], banks.matte_points[matte]))
    centre = points.gather(1, point.view(-1, 1, 1).expand(-1, 1, 2))[:, 0]
    aside = 0.35 * how.crop
    zoom, angle, flip, shear, x, y = draw.between(
        (math.log(how.zoom[0]), math.log(how.zoom[1])),
        (-math.pi / 4, math.pi / 4),
        (-1, 1),
        (-how.shear, how.shear),
        *[(-aside, aside)] * 2,
    )
    zoom = zoom.exp()
    centre = torch.addcmul(centre.float(), torch.stack((x, y), dim=1), zoom.view(-1, 1))
    patch = crop(rgba, centre, zoom, angle, flip.sign(), shear=shear, size=how.crop, sharp=True)
    patch = patch / 255
    return patch[:, :3], patch[:, 3:]


def _clean(alpha: Tensor) -> Tensor:
    """Exact 0 and 1 where a blur's tail is below what eight bits could hold."""
    return alpha.masked_fill(alpha < 0.5 / 255, 0).masked_fill_(alpha > 254.5 / 255, 1)


def _photographs(banks: Banks, draw: Draw, how: Synthesis, backgrounds: int) -> Tensor:
    """A piece of any photograph for every sample, N × 3 × crop × crop.

    After so many backgrounds come textures, which are from nearer, mostly: what real mattes are
    made of varies slowly.
    """
    size, edge = how.crop, banks.photos.shape[-1]
    farthest = math.log(max(1.0, edge / size))
    far, near, x, y, angle, shear, flip, sigma, soft = draw.between(
        (math.log(0.6), farthest),
        (math.log(0.1), min(farthest, math.log(2))),
        (-0.5, 0.5),
        (-0.5, 0.5),
        (-0.3, 0.3),
        (-how.shear, how.shear),
        (-1, 1),
        (math.log(0.5), math.log(6)),
        (-0.5, 0.5),
    )
    zoom = torch.cat((far[:backgrounds], near[backgrounds:])).exp()
    room = (edge - size * zoom).clamp_min(0)
    centre = edge / 2 + torch.stack((x, y), dim=1) * room.view(-1, 1)
    photos = banks.photos[draw.index(len(banks.photos))].float()
    piece = crop(photos, centre, zoom, angle, flip.sign(), shear=shear, size=size, sharp=False)
    return blur(piece / 255, sigma.exp() * (soft < 0))
