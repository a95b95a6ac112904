"""Plates of dots whose number differs from the ground in one cone's response alone: people without it can't read it.

This screens for colour vision deficiency on an uncalibrated screen. It is not a diagnosis.
"""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from priorlab.human_study.protocol.blocks import Plate

SIDE = 480  # px of a plate
RADII = (15, 12, 9, 7, 5)  # px of its dots; the larger ones are laid first
TRIES = (400, 900, 2000, 3000, 5000)  # positions tried for dots of each size
GAP = 1.5  # px between dots
ROOM = 0.92  # share of half the side within which all dots are
BACKGROUND = (0.83, 0.83, 0.83)  # between the dots, linear RGB
LIGHTNESS = (0.7, 1.15)  # a dot's colour is multiplied by a random factor, so that brightness reveals nothing
BASE = (0.30, 0.30, 0.16)  # linear RGB, between the colours of number and ground
REACH = 0.7  # share of the greatest difference along the cone's axis that the screen can show

# Linear RGB to the responses of the three cones: Viénot, Brettel & Mollon, Color Research and Application 24 (1999).
CONES = np.array([[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]) / 100
AXES = {"L": (1, 0, 0), "M": (0, 1, 0)}
# A number that everybody can read: orange on blue, which differ in all three.
PLAIN = ((0.62, 0.22, 0.03), (0.10, 0.25, 0.50))


def colours(cones: str) -> tuple[np.ndarray, np.ndarray]:
    """(number, ground), linear RGB. They differ in the response of the L or M cones alone; "nobody": in all three."""
    if cones == "nobody":
        return np.array(PLAIN[0]), np.array(PLAIN[1])
    base = np.array(BASE)
    step = np.linalg.solve(CONES, np.array(AXES[cones], float))
    top = 1 / LIGHTNESS[1]  # the screen must be able to show the brightest dots
    up, down = (min(room_along(base, way, top)) for way in (step, -step))
    return base + REACH * up * step, base - REACH * down * step


def room_along(base: np.ndarray, way: np.ndarray, top: float) -> list[float]:
    """How far each channel can go in direction ``way`` and stay within 0 to ``top``."""
    return [(top - value) / part if part > 0 else value / -part for value, part in zip(base, way) if part]


def plate(number: np.ndarray, cones: str, seed: int) -> np.ndarray:
    """uint8 (SIDE, SIDE, 3), sRGB: dots, coloured by whether ``number``, bool (SIDE, SIDE), is True at their centre."""
    generator = np.random.default_rng(seed)
    centres, radii = lay_dots(generator)
    figure, ground = colours(cones)
    holds = number[centres[:, 1].astype(int), centres[:, 0].astype(int)]
    shades = generator.uniform(*LIGHTNESS, (len(radii), 1))
    inks = np.where(holds[:, None], figure, ground) * shades
    picture = np.ones((SIDE, SIDE, 3)) * BACKGROUND
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    for (x, y), radius, ink in zip(centres, radii, inks):
        part = np.s_[max(int(y) - 17, 0) : int(y) + 18, max(int(x) - 17, 0) : int(x) + 18]
        cover = np.clip(radius + 0.5 - np.hypot(rows[part] - y, columns[part] - x), 0, 1)[..., None]
        picture[part] = picture[part] * (1 - cover) + ink * cover
    return np.round(to_screen(picture) * 255).astype(np.uint8)


def lay_dots(generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(centres x, y, float64 (n, 2); radii, float64 (n,)), px, of dots that don't touch, within a disc."""
    centres, radii = np.zeros((0, 2)), np.zeros(0)
    for radius, tries in zip(RADII, TRIES):
        for _ in range(tries):
            angle, far = generator.uniform(0, 2 * np.pi), np.sqrt(generator.uniform()) * (ROOM * SIDE / 2 - radius)
            centre = SIDE / 2 + far * np.array([np.cos(angle), np.sin(angle)])
            if (np.hypot(*(centres - centre).T) > radii + radius + GAP).all():
                centres, radii = np.vstack([centres, centre]), np.append(radii, radius)
    return centres, radii


def to_screen(linear: np.ndarray) -> np.ndarray:
    """Linear light, 0 to 1, as sRGB (IEC 61966-2-1)."""
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def default_font(bold: bool, kind: str = "") -> Path:
    """The file of DejaVu Sans, or of its kind "Mono"; matplotlib ships it, and is not imported."""
    package = find_spec("matplotlib")
    assert package and package.origin
    return Path(package.origin).parent / f"mpl-data/fonts/ttf/DejaVuSans{kind}{'-Bold' if bold else ''}.ttf"


def digits(number: int) -> np.ndarray:
    """bool (SIDE, SIDE): where the number is on a plate."""
    font = ImageFont.truetype(default_font(bold=True), 300)
    drawn = Image.new("L", (int(font.getlength(str(number))) + 1, SIDE))
    ImageDraw.Draw(drawn).text((0, 0), str(number), 255, font)
    drawn = drawn.crop(drawn.getbbox())
    scale = min(0.66 * SIDE / drawn.width, 0.5 * SIDE / drawn.height)
    wide, high = int(drawn.width * scale), int(drawn.height * scale)
    sheet = Image.new("L", (SIDE, SIDE))
    sheet.paste(drawn.resize((wide, high), Image.Resampling.BOX), ((SIDE - wide) // 2, (SIDE - high) // 2))
    return np.asarray(sheet) > 127


@lru_cache(maxsize=32)
def plate_picture(block: Plate) -> np.ndarray:
    """uint8 (SIDE, SIDE, 3), read only. Takes half a second the first time."""
    return plate(digits(block.number), block.cones, seed=block.number)
