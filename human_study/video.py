"""Videos of plays."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from envs.atari_course import AtariPlay
from envs.play import SUFFIX, Play
from envs.sessions import Recorded

CODECS = {".mp4": "mp4v", ".mkv": "FFV1"}  # the latter without loss
ZOOM = 3  # of the native picture
END_SECONDS = 2  # that the last picture stays


def write_video(play: Play | AtariPlay, path: Path, speed: float = 1.0) -> None:
    """Writes what the player saw, ``speed`` times as fast, three times the native size: .mp4, or .mkv without loss.

    Raises RuntimeError where OpenCV can't be loaded or can't write such a file.
    """
    if path.suffix not in CODECS:
        raise ValueError(f"{path}: expected a file name that ends in {' or '.join(CODECS)}")
    try:
        import cv2
    except ImportError as error:
        raise RuntimeError(
            f"a video needs opencv-python and its system libraries ({error}): install them, on Debian or Ubuntu with "
            "apt-get install libgl1 libglib2.0-0"
        ) from None
    path.parent.mkdir(parents=True, exist_ok=True)
    frames, rate = play.frames(), play.inputs_per_second * speed
    frame = enlarged(next(frames))
    draft = path.with_name(f"{path.stem}.draft{path.suffix}")
    writer = cv2.VideoWriter(str(draft), cv2.VideoWriter.fourcc(*CODECS[path.suffix]), rate, frame.shape[1::-1])
    if not writer.isOpened():
        raise RuntimeError(f"{path}: OpenCV can't write a video in {CODECS[path.suffix]} there")
    writer.write(frame)
    for picture in frames:
        frame = enlarged(picture)
        writer.write(frame)
    for _ in range(round(END_SECONDS * rate)):
        writer.write(frame)
    writer.release()
    draft.replace(path)


def enlarged(picture: np.ndarray) -> np.ndarray:
    """(height, width, red green blue) -> (3 height, 3 width, blue green red)."""
    return picture[:, :, ::-1].repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)


def write_videos(recorded: Iterable[Recorded], folder: Path, lossless: bool = False) -> None:
    """A video a play: <name of its recording>.mp4, or with the play's number in its session behind the name."""
    for each in recorded:
        stem = each.path.name.split(".", 1)[0]
        number = "" if each.path.suffix == SUFFIX else f"-{each.number}"
        write_video(each.play, folder / f"{stem}{number}{'.mkv' if lossless else '.mp4'}")
