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

CODECS = {".mp4": "mp4v", ".mkv": "FFV1"}  # the latter without loss
QUIET = "-8"  # what is wrong with a file is found and said here
ZOOM = 3  # of the native picture
END_SECONDS = 2  # that the last picture stays


def write_video(play: Play | AtariPlay, path: Path, speed: float = 1.0) -> None:
    """Writes what the player saw, ``speed`` times as fast, three times the native size: .mp4, or .mkv without loss.

    It takes the name when it is whole; what was there before stays until then. Raises RuntimeError where OpenCV can't
    be loaded, OSError, one line, where it can't write such a file or not all of it.
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
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # else a line a picture that fails
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(f"{path}: a folder: expected the name of a file")
    rate, total = play.inputs_per_second * speed, 0
    with drafted(path, f".draft{path.suffix}") as draft:
        with draft.open("wb"):  # OpenCV does not say why it can't write
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
        check_whole(draft, path, total)


def check_whole(draft: Path, path: Path, frames: int) -> None:
    """OSError unless the draft holds that many pictures: OpenCV says nothing of a disk that is full."""
    import cv2

    with draft.open("r+b") as file:
        to_disk(file)
    video = cv2.VideoCapture(str(draft))
    found = 0
    while video.grab():
        found += 1
    video.release()
    if found != frames:
        raise OSError(f"{path}: only {found:,} of {frames:,} pictures could be written: is the disk full?")


def enlarged(picture: np.ndarray) -> np.ndarray:
    """(height, width, red green blue) -> (3 height, 3 width, blue green red)."""
    return picture[:, :, ::-1].repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)


def write_videos(recorded: Iterable[Recorded], folder: Path, lossless: bool = False) -> None:
    """A video a play: <name of its recording>.mp4, or with the play's number in its session behind the name."""
    for each in recorded:
        stem = each.path.name.split(".", 1)[0]
        number = "" if each.path.suffix == SUFFIX else f"-{each.number}"
        write_video(each.play, folder / f"{stem}{number}{'.mkv' if lossless else '.mp4'}")
