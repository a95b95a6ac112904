"""Videos of plays."""

from pathlib import Path

import numpy as np

from envs.atari_course import AtariPlay
from envs.play import Play

ZOOM = 3  # of the native picture
END_SECONDS = 2  # that the last picture stays


def write_video(play: Play | AtariPlay, path: Path, speed: float = 1.0) -> None:
    """Writes what the player saw as an MP4 file, ``speed`` times as fast, three times the native size.

    Raises RuntimeError where OpenCV can't be loaded or can't write such a file.
    """
    if path.suffix != ".mp4":
        raise ValueError(f"{path}: expected a file name that ends in .mp4")
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
    draft = path.with_name(f"{path.stem}.draft.mp4")
    writer = cv2.VideoWriter(str(draft), cv2.VideoWriter.fourcc(*"mp4v"), rate, frame.shape[1::-1])
    if not writer.isOpened():
        raise RuntimeError(f"{path}: OpenCV can't write an mp4v video there")
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
