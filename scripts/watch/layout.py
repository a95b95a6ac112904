"""Where things stand in a frame. All lengths are for a frame of 1920 x 1080 px, and grow with it."""

from dataclasses import dataclass

import pygame

WIDE, HIGH = 1920, 1080
LEAST = (640, 360)  # px of a frame
MARGIN, TOP, GAP, PANEL = 40, 92, 36, 784
COLUMN = MARGIN + 2 * PANEL + 2 * GAP  # left end of the column with the legend
FOOT = TOP + PANEL + 26  # top of what is told below the panels


@dataclass(frozen=True)
class Layout:
    """A frame of ``width`` x ``height`` px in which a level of ``side`` x ``side`` cells is shown twice."""

    width: int
    height: int
    side: int

    @property
    def unit(self) -> float:
        return min(self.width / WIDE, self.height / HIGH)

    @property
    def cell(self) -> int:
        """px a side of a cell, the same in both panels."""
        return max(int(PANEL * self.unit) // self.side, 1)

    def at(self, x: float, y: float) -> tuple[int, int]:
        """A place in the frame, px, of a place in 1920 x 1080."""
        left, top = (self.width - WIDE * self.unit) / 2, (self.height - HIGH * self.unit) / 2
        return round(left + x * self.unit), round(top + y * self.unit)

    def px(self, length: float) -> int:
        return max(round(length * self.unit), 1)

    def panel(self, number: int) -> pygame.Rect:
        """The panel, 0 or 1, in the middle of its room."""
        size = self.cell * self.side
        slack = (PANEL - size / self.unit) / 2
        return pygame.Rect(*self.at(MARGIN + number * (PANEL + GAP) + slack, TOP + slack), size, size)
