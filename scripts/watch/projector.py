"""How fast a life passes: some inputs for each frame, and a short rest at what is worth a look."""

from priorlab.envs.plays.play import INPUTS_PER_SECOND
from priorlab.scripts.watch.stage import Stage
from priorlab.scripts.watch.watched import Watched

FPS = 30
RESTS = {"found": 36, "death": 36, "surprise": 30, "key": 24}  # frames, at the speed of people and slower
CALM, HURRIED = 60, 0.3  # frames after a rest before a surprise gets a whole one, and the share of it that is earlier
FAR = 600  # inputs: a second or two of thinking
END = 75  # frames for which the end stays


class Projector:
    """Takes a life on by the inputs that pass in one frame; ``speed`` 1 is people's, ``INPUTS_PER_SECOND``."""

    def __init__(self, watched: Watched, stage: Stage, speed: float):
        self.watched, self.stage, self.speed = watched, stage, speed
        self.due, self.rest, self.awake = 0.0, 0, CALM

    def turn(self) -> None:
        """What passes until the next frame."""
        if self.rest:
            self.rest -= 1
            return
        self.awake += 1
        self.due += self.speed * INPUTS_PER_SECOND / FPS
        while self.due >= 1 and not self.watched.over:
            self.due -= 1
            if self.step():
                self.due = 0.0
                break

    def step(self) -> bool:
        """One input; whether it brought something that is worth a rest."""
        happened = self.watched.advance()
        self.stage.note(happened, len(self.watched.inputs))
        if happened is None or happened.kind not in RESTS:
            return False
        share = HURRIED if happened.kind == "surprise" and self.awake < CALM else 1.0
        self.rest, self.awake = round(share * RESTS[happened.kind] / max(self.speed, 1.0)), 0
        return self.rest > 0

    def step_alone(self) -> None:
        """One input, of which just what it brought is shown."""
        self.stage.settle(self.watched)
        self.step()

    def to_next(self) -> None:
        """On to the next thing that happens, at most FAR inputs later, without a rest."""
        for _ in range(FAR):
            self.stage.settle(self.watched)
            happened = self.watched.advance()
            self.stage.note(happened, len(self.watched.inputs))
            if happened is not None and happened.kind in RESTS:
                return
