"""Shows pictures in a window: draws and sends to the screen only what changed since the last one."""

import ctypes
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pygame

BORDER = (0, 0, 0)
PAUSED = (110, 110, 110)  # factor of a dark picture, in 255ths
GAP = 8  # px of a picture: changes nearer to each other than this are one area
MOST_AREAS = 64  # more areas cost more than the complete picture
WORD_SHARE = 0.25  # share of the window's height that a word below the picture may take

Area = tuple[int, int, int, int]  # left, top, width, height


def fit(shape: tuple[int, int], width: int, height: int) -> Area:
    """(left, top, width, height), px, of a picture of ``shape`` (height, width) px in the middle of a window.

    The scale is an integer if the window has room, so that all pixels look alike.
    """
    tall, wide = shape
    zoom = min(width / wide, height / tall)
    zoom = int(zoom) or zoom
    wide, tall = max(int(zoom * wide), 1), max(int(zoom * tall), 1)
    return (width - wide) // 2, (height - tall) // 2, wide, tall


def changed(before: np.ndarray, after: np.ndarray) -> list[Area]:
    """Areas that cover every pixel in which two pictures, uint8 (height, width, 3), differ; none if they don't."""
    tall, wide = after.shape[:2]
    different = (before != after).reshape(tall, 3 * wide)
    areas = []
    for top, bottom in spans(different.any(axis=1)):
        columns = different[top:bottom].any(axis=0).reshape(wide, 3).any(axis=1)
        areas += [(left, top, right - left, bottom - top) for left, right in spans(columns)]
    return areas if len(areas) <= MOST_AREAS else [(0, 0, wide, tall)]


def spans(flags: np.ndarray) -> list[tuple[int, int]]:
    """(begin, end) of stretches, more than ``GAP`` apart, that cover every true entry of bool (n,)."""
    at = np.flatnonzero(flags)
    if not len(at):
        return []
    gaps = np.flatnonzero(np.diff(at) > GAP)
    begins, ends = at[np.append(0, gaps + 1)], at[np.append(gaps, -1)] + 1
    return list(zip(begins.tolist(), ends.tolist()))


class Canvas:
    """Shows pictures in a window, each as large as it fits, without smoothing.

    It assumes that the screen still shows its last picture. When something else drew there, or the screen lost it, call
    ``forget``: the next picture is then drawn completely.
    """

    def __init__(self, window: pygame.Window):
        self._window = window
        self._layout: object = None  # how the last picture was drawn, without its pixels
        self._last = np.zeros((0, 0, 3), np.uint8)

    def forget(self) -> None:
        self._layout = None

    def page(self) -> pygame.Surface:
        """A surface to draw anything on; ``flip`` shows it."""
        self.forget()
        return self._window.get_surface()

    def flip(self) -> None:
        self._window.flip()

    def draw(
        self, picture: np.ndarray, *, dark: bool = False, notice: pygame.Surface | None = None,
        word: pygame.Surface | None = None,
    ) -> None:  # fmt: skip
        """Shows a picture, uint8 (height, width, 3): dark, with a notice in its middle, or with a word below it.

        If there is no room for the word, the picture moves up and, if necessary, shrinks: it is never covered.
        """
        screen, (tall, wide) = self._window.get_surface(), picture.shape[:2]
        area, line = arrange((tall, wide), screen.get_size(), word.get_size() if word else (0, 0))
        layout = (screen.get_size(), area, (tall, wide), dark, notice, word)
        is_known = layout == self._layout
        areas = changed(self._last, picture) if is_known else []
        if is_known and not areas:
            return
        image = pygame.image.frombuffer(picture.tobytes(), (wide, tall), "RGB").convert(screen)
        if is_known and not (dark or notice or word) and area[2] % wide == area[3] % tall == 0:
            self._present([paste(image, each, screen, area) for each in areas])
        else:
            if dark:
                image.fill(PAUSED, special_flags=pygame.BLEND_MULT)
            for border in around(area, *screen.get_size()):
                screen.fill(BORDER, border)
            pygame.transform.scale(image, area[2:], screen.subsurface(area))
            if notice:
                screen.blit(notice, notice.get_rect(center=screen.get_rect().center))
            if word and all(line[2:]):
                screen.blit(pygame.transform.smoothscale(word, line[2:]), line[:2])
            self._window.flip()
        self._layout, self._last = layout, picture.copy()

    def _present(self, areas: list[Area]) -> None:
        """Sends these parts of the surface to the screen, or all of it if SDL can't send parts."""
        library = sdl()
        if library:
            window = library.SDL_GetWindowFromID(self._window.id)
            parts = (ctypes.c_int * (4 * len(areas)))(*(length for area in areas for length in area))
            if window and library.SDL_UpdateWindowSurfaceRects(window, parts, len(areas)) == 0:
                return
        self._window.flip()


def arrange(shape: tuple[int, int], window: tuple[int, int], word: tuple[int, int]) -> tuple[Area, Area]:
    """The areas of a picture of ``shape`` (height, width), and of a word of (width, height) below it, in a window."""
    width, height = window
    zoom = min(1, width / max(word[0], 1), WORD_SHARE * height / max(word[1], 1))
    wide, tall = int(zoom * word[0]), int(zoom * word[1])
    left, top, across, down = fit(shape, width, height)
    if top < tall:
        shrunk = min(1, (height - tall) / down)  # not by an integer: the word takes no more room than it needs
        across, down = max(int(shrunk * across), 1), max(int(shrunk * down), 1)
        left, top = (width - across) // 2, (height - tall - down) // 2
    room = height - top - down
    return (left, top, across, down), ((width - wide) // 2, height - (room + tall) // 2, wide, tall)


def around(area: Area, width: int, height: int) -> list[Area]:
    """A window except one area of it."""
    left, top, wide, high = area
    right, bottom = left + wide, top + high
    return [
        (0, 0, width, top), (0, bottom, width, height - bottom), (0, top, left, high), (right, top, width - right, high)
    ]  # fmt: skip


def paste(image: pygame.Surface, part: Area, screen: pygame.Surface, area: Area) -> Area:
    """Draws a part of an image that fills ``area`` at an integer scale; returns where it is on the screen."""
    zoom, (left, top, wide, tall) = area[2] // image.get_width(), part
    target = area[0] + zoom * left, area[1] + zoom * top, zoom * wide, zoom * tall
    pygame.transform.scale(image.subsurface(part), target[2:], screen.subsurface(target))
    return target


@cache
def sdl() -> ctypes.CDLL | None:
    """The SDL 2 that pygame has loaded, for what pygame does not offer; None if it can't be reached."""
    path = Path(pygame.__file__).with_name("SDL2.dll") if sys.platform == "win32" else Path(pygame.base.__file__)
    try:
        library = ctypes.CDLL(str(path))  # pygame.base is linked with SDL, so this finds its names, too
        library.SDL_GetWindowFromID.restype = ctypes.c_void_p
        library.SDL_GetWindowFromID.argtypes = [ctypes.c_uint32]
        library.SDL_UpdateWindowSurfaceRects.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
    except (OSError, AttributeError):
        return None
    return library if pygame.get_sdl_version()[0] == 2 else None
