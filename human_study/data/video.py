"""Videos of plays."""

import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import numpy as np

from priorlab.envs.base.files import drafted, to_disk
from priorlab.envs.plays.atari_course import AtariPlay
from priorlab.envs.plays.play import SUFFIX, Play
from priorlab.envs.plays.sessions import Recorded

CODECS = {".mp4": "mp4v", ".mkv": "FFV1"}  # the latter is lossless
QUIET = "-8"  # OpenCV prints nothing: errors are found and raised here
ZOOM = 3  # relative to the native picture
END_SECONDS = 2  # for which the last picture stays


def write_video(play: Play | AtariPlay, path: Path, speed: float = 1.0) -> None:
    """Writes what the player saw, ``speed`` times as fast, at three times the native size: .mp4, or .mkv (lossless).

    An old file of that name stays until the new one is complete. Raises ValueError for another kind of name,
    RuntimeError if OpenCV can't be loaded, OSError, one line, if the video can't be written completely.
    """
    if path.suffix not in CODECS:
        raise ValueError(f"{path}: expected a file name that ends in {' or '.join(CODECS)}")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", QUIET)
    try:
        import cv2
    except ImportError as error:
        raise RuntimeError(
            f"a video needs opencv-python and its system libraries ({error}): install them, on Debian or Ubuntu with "
            "apt-get install libgl1 libglib2.0-0"
        ) from None
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # else one line per failed picture
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder: expected the name of a file")
    rate, total = play.inputs_per_second * speed, 0
    with drafted(path, f".draft{path.suffix}") as draft:
        with draft.open("wb"):  # raises the reason, which OpenCV does not give
            pass
        pictures = play.frames()
        frame = enlarged(next(pictures))
        writer = cv2.VideoWriter(str(draft), cv2.VideoWriter.fourcc(*CODECS[path.suffix]), rate, frame.shape[1::-1])
        if not writer.isOpened():
            raise OSError(f"{path}: OpenCV can't write a video in {CODECS[path.suffix]} there")
        try:
            for picture in chain([None], pictures):
                frame = frame if picture is None else enlarged(picture)
                writer.write(frame)
                total += 1
            for _ in range(round(END_SECONDS * rate)):
                writer.write(frame)
                total += 1
        finally:
            writer.release()
        check_complete(draft, path, total)


def check_complete(draft: Path, path: Path, frames: int) -> None:
    """Raises OSError unless the draft holds that many pictures: OpenCV does not report a full disk."""
    import cv2

    with draft.open("r+b") as file:
        to_disk(file)
    video = cv2.VideoCapture(str(draft))
    count = 0
    while video.grab():
        count += 1
    video.release()
    if count != frames:
        raise OSError(f"{path}: only {count:,} of {frames:,} pictures could be written: is the disk full?")


def enlarged(picture: np.ndarray) -> np.ndarray:
    """(height, width, red green blue) -> (3 height, 3 width, blue green red)."""
    return picture[:, :, ::-1].repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)


def write_videos(recorded: Iterable[Recorded], folder: Path, lossless: bool = False) -> None:
    """One video per play, <recording>.mp4 or <recording>-<number of the play>.mp4; ``lossless``: .mkv.

    Raises as ``write_video``.
    """
    for each in recorded:
        stem = each.path.name.split(".", 1)[0]
        number = "" if each.path.suffix == SUFFIX else f"-{each.number}"
        write_video(each.play, folder / f"{stem}{number}{'.mkv' if lossless else '.mp4'}")
