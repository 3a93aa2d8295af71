"""Procedural mattes: hair, fur, nets, thin things, smoke, glass, blur; numpy and OpenCV only.

A matte is a function of its kind, size and seed:

    from model.training.mattes import render, render_any, render_bank

    matte = render("fur", 512, seed=7)     # .alpha, .colour or None
    bank = render_bank(1500, 512, seed=0, workers=2)
"""

from model.training.mattes.bank import MatteBank, Rendering, render_bank
from model.training.mattes.base import ProceduralMatte
from model.training.mattes.registry import KINDS, WEIGHTS, render, render_any

__all__ = [
    "KINDS",
    "WEIGHTS",
    "MatteBank",
    "ProceduralMatte",
    "Rendering",
    "render",
    "render_any",
    "render_bank",
]
