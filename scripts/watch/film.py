"""A life as a video, or one moment of it as a picture."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pygame

from priorlab.envs.base.files import drafted
from priorlab.envs.game.rules import TILE
from priorlab.human_study.data.video import CODECS, QUIET, check_complete
from priorlab.scripts.watch.layout import HIGH, WIDE
from priorlab.scripts.watch.projector import END, FPS, Projector
from priorlab.scripts.watch.stage import Captions, Stage
from priorlab.scripts.watch.watched import Watched

PICTURE = ".png"
NARROWEST, WIDEST = 640, 7680  # px
Begin = Callable[[], tuple[Watched, Captions]]


def check_name(path: Path) -> None:
    """Raises ValueError or FileExistsError, one line, unless a video or picture can get that name."""
    if path.suffix not in (*CODECS, PICTURE):
        raise ValueError(f"{path}: expected a file name that ends in {', '.join(CODECS)} or {PICTURE}")
    if path.exists():
        raise FileExistsError(f"{path} already exists: expected a new file")


def film(begin: Begin, path: Path, width: int, speed: float) -> Watched:
    """Writes a life, or its last frame, into a new file; returns the life. ValueError or OSError in one line."""
    check_name(path)
    if not NARROWEST <= width <= WIDEST or width % 32:  # so that the height is even, as codecs need
        raise ValueError(f"width is {width}: expected a multiple of 32 from {NARROWEST} to {WIDEST}")
    watched, captions = begin()
    stage = Stage(width, width * HIGH // WIDE, len(watched.picture) // TILE, captions)
    projector = Projector(watched, stage, speed)
    (write_picture if path.suffix == PICTURE else write_video)(projector, path)
    return watched


def frames(projector: Projector) -> Iterator[np.ndarray]:
    """The frames of the whole life, uint8 (height, width, 3)."""
    watched, stage = projector.watched, projector.stage
    yield stage.frame(watched)
    while not watched.over:
        projector.turn()
        yield stage.frame(watched)
    for _ in range(END):
        yield stage.frame(watched)


def write_video(projector: Projector, path: Path) -> None:
    """Writes the whole life. Raises RuntimeError if OpenCV can't be loaded, OSError, one line, if it can't write."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", QUIET)
    try:
        import cv2
    except ImportError as error:
        raise RuntimeError(f"a video needs opencv-python and its system libraries ({error})") from None
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    path.parent.mkdir(parents=True, exist_ok=True)
    layout, total = projector.stage.layout, 0
    with drafted(path, f".draft{path.suffix}") as draft:
        with draft.open("wb"):  # raises the reason, which OpenCV does not give
            pass
        codec, size = cv2.VideoWriter.fourcc(*CODECS[path.suffix]), (layout.width, layout.height)
        writer = cv2.VideoWriter(str(draft), codec, FPS, size)
        if not writer.isOpened():
            raise OSError(f"{path}: OpenCV can't write a video in {CODECS[path.suffix]} there")
        try:
            for frame in frames(projector):
                writer.write(frame[..., ::-1])
                total += 1
        finally:
            writer.release()
        check_complete(draft, path, total)


def write_picture(projector: Projector, path: Path) -> None:
    """Writes the frame after the last input. OSError before the first one, if it can't write."""
    watched, stage = projector.watched, projector.stage
    path.parent.mkdir(parents=True, exist_ok=True)
    with drafted(path, f".draft{PICTURE}") as draft:
        with draft.open("wb"):
            pass
        stage.frame(watched)
        while not watched.over:
            projector.step()
            stage.frame(watched)
        pygame.image.save(stage.sheet(watched, cut=True), draft)
