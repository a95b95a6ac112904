"""CudaGames: N games in lockstep on an NVIDIA card, as ``Games`` on the CPU, bit for bit."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from priorlab.envs.base.alone import in_turn
from priorlab.envs.engine.draw import Scenes, draw_whole
from priorlab.envs.engine.games import Games, Saved, check_fits, checked_actions, on_cpu
from priorlab.envs.engine.lockstep import Lanes
from priorlab.envs.engine.scenes import build_scratch

numba: Any = import_module("numba")  # whose CUDA, imported with the kernels, type checkers don't know
SIMULATED = bool(numba.config.ENABLE_CUDASIM)  # numba's simulator of a card: slow, for tests; its memory is the CPU's
CARD = torch.device("cpu" if SIMULATED else "cuda")
DRAWERS = 32  # threads a picture
STARTERS = 256  # the same where a game starts over: few do, and the step waits for them
BLOCK = 128  # threads a block that draws
STEPPERS = 32  # games a block that steps the rules: few, so that small batches too are spread over the card


class CudaGames(Games):
    """``Games`` whose arrays are torch tensors on the card and never leave it; made by ``Games(device="cuda")``.

    ``step`` takes actions as a tensor on the card, and then neither waits for the card nor reads from it: numbers other
    than 0 to 5 count as no input there. Actions in the CPU's memory are checked as on the CPU. What ``reset`` and
    ``step`` return has the same addresses for as long as the games live, and is valid until the next step.

    - ``ended``, ``final_observations``, ``final_states``, ``final_info``, ``info``, ``visited`` and ``native_frame``
      are computed when asked for, and wait for the card; infos, frames and what was visited are numpy arrays.
    - ``last_observations``, uint8 (N, S, S, stack * C), and ``last_states``, int32 (N, FIELDS), do not: row i is what
      lane i had when it last ended.
    - Everything runs on torch's current stream, and ``step`` can be recorded in a CUDA graph: call it once before.
    """

    def __init__(self, *args: Any, **settings: Any):
        check_card(settings.get("num_threads", 1))
        super().__init__(*args, **settings)

    def _settle(self, lanes: Lanes) -> None:
        from priorlab.envs.engine import (
            card_kernels as cuda,  # here: it needs numba's CUDA, which check_card has looked for
        )

        depth = lanes.observations.shape if self.autoreset else (0, *lanes.observations.shape[1:])
        check_memory(self.num_games, [*self.scenes, *lanes, np.broadcast_to(np.uint8(0), depth)])
        self._kernels = cuda
        self._scenes: Any = Scenes._make(map(on_card, self.scenes))
        moved: dict[str, Any] = {
            name: on_card(array) for name, array in lanes._asdict().items() if name != "observations"
        }
        if lanes.observations.shape[3] == self.scenes.starts.shape[3]:  # nothing is stacked: one memory
            moved["observations"] = moved["pictures"].view(lanes.observations.shape)  # (N, S, S * C) -> (N, S, S, C)
        else:
            moved["observations"] = on_card(lanes.observations)
        self.lanes = Lanes(**moved)
        self.state = self.lanes.state
        turn: dict[str, Any] = {
            "actions": torch.zeros(self.num_games, dtype=torch.int64, device=CARD),
            "ended": torch.zeros(self.num_games, dtype=torch.bool, device=CARD),
            "observations": torch.zeros(depth, dtype=torch.uint8, device=CARD),
            "states": torch.zeros_like(self.state),
        }
        self._turn: Any = cuda.Turn(**turn)
        self.last_observations, self.last_states = self._turn.observations, self._turn.states
        self._restarted = torch.zeros_like(self._turn.ended)
        self._seen: list[Any] = [each._make(map(seen, each)) for each in (self._scenes, self.lanes, self._turn)]
        self._launch = Launch(self._launch_step)

    def __setstate__(self, state: dict[str, Any]) -> None:
        check_card(state["num_threads"])
        super().__setstate__(state)

    def _last(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which lanes ended in the last step, bool (N,), and what each had when it last ended."""
        return on_cpu(self._turn.ended), on_cpu(self._turn.observations), on_cpu(self._turn.states)

    def _put_last(self, ended: np.ndarray, observations: np.ndarray, states: np.ndarray) -> None:
        self._turn.ended.copy_(torch.as_tensor(ended))
        self._turn.observations.copy_(torch.as_tensor(observations))
        self._turn.states.copy_(torch.as_tensor(states))

    def restart(self, lanes: Any, new_play: bool = True) -> None:
        """Puts these lanes at the start; where it is not a new play, a play that died goes on."""
        chosen = torch.as_tensor(lanes, device=CARD)
        if new_play:
            self.lanes.terminated[chosen] = False
        self._restarted[:] = False
        self._restarted[chosen] = True
        self._launch_starts(seen(self._restarted), False)
        self.lanes.rewards[chosen] = 0.0
        self.lanes.terminated[chosen] = self.lanes.truncated[chosen] = False
        self.started = True

    @in_turn
    def step(
        self, actions: Any, over: np.ndarray | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """(observations, rewards float32 (N,), terminated bool (N,), truncated bool (N,)) after an action each.

        Raises ValueError for actions that are not N whole numbers, for numbers other than 0 to 5 where they come from
        the CPU's memory, and for ``over``: on a card lanes start over within the step that they end in, or by
        ``restart``.
        """
        self._check_started()
        if over is not None:
            raise ValueError("over: expected None with device='cuda', where lanes start over as they end")
        if not (isinstance(actions, torch.Tensor) and actions.device.type == CARD.type):
            actions = torch.from_numpy(checked_actions(actions, self.num_games))
        elif actions.shape != (self.num_games,) or actions.is_floating_point() or actions.dtype == torch.bool:
            raise ValueError(
                f"actions are {actions.dtype} {tuple(actions.shape)}: expected {self.num_games} whole numbers, "
                f"shape ({self.num_games},)"
            )
        self._turn.actions.copy_(actions)
        self._launch()
        return self.lanes.observations, self.lanes.rewards, self.lanes.terminated, self.lanes.truncated

    def _launch_step(self) -> None:
        scenes, lanes, turn = self._seen
        blocks = -(-self.num_games // STEPPERS)
        self._kernels.play_lanes[blocks, STEPPERS, stream()](scenes, lanes, turn, self.frame_skip, self.autoreset)
        self._kernels.draw_lanes[*self._drawn_by(DRAWERS), stream()](scenes, lanes)
        if self.autoreset:
            self._launch_starts(turn.ended, True)

    def _launch_starts(self, chosen: Any, keeps: bool) -> None:
        kernels = self._kernels
        kernels.start_lanes[self.num_games, DRAWERS, stream()](*self._seen, chosen, self.random_start, keeps)
        kernels.draw_starts[*self._drawn_by(STARTERS), stream()](*self._seen, chosen, keeps)

    def _drawn_by(self, threads: int) -> tuple[int, tuple[int, int]]:
        """(blocks, threads a block: of a picture, pictures) of the kernels that draw; tiles are put by one thread."""
        drawers = 1 if self.scenes.kinds.shape[1] else threads
        pictures = max(1, min(BLOCK // drawers, self.num_games))
        return -(-self.num_games // pictures), (drawers, pictures)

    @property
    def ended(self) -> torch.Tensor:
        """int64 (n,): the lanes that ended in the last step and started over."""
        return torch.nonzero(self._turn.ended).flatten()

    @property
    def final_observations(self) -> torch.Tensor:
        return self.last_observations[self.ended]

    @property
    def final_states(self) -> torch.Tensor:
        return self.last_states[self.ended]

    def save(self, lanes: Any = None) -> Saved:
        """A copy of these lanes (None: all), for ``restore``: tensors on the card."""
        chosen, own = self._chosen(lanes), self.lanes
        ending = torch.stack([own.terminated[chosen], own.truncated[chosen]], dim=1)
        before = (own.scene[chosen], own.state[chosen], own.visited[chosen], own.ever[chosen])
        return Saved._make((*before, ending, own.observations[chosen], own.draws[chosen], own.generators[chosen]))

    def restore(self, saved: Saved, lanes: Any = None) -> torch.Tensor:
        """Puts what was saved, on the card or on the CPU, into these lanes (None: all); the observations."""
        chosen, own = self._chosen(lanes), self.lanes
        put = Saved._make(torch.as_tensor(field, device=CARD) for field in saved)
        check_fits(put.scene, put.draws, own.scene[chosen], own.draws[chosen])
        own.scene[chosen], own.draws[chosen], own.generators[chosen] = put.scene, put.draws, put.generators
        own.state[chosen], own.visited[chosen], own.ever[chosen] = put.state, put.visited, put.ever
        own.terminated[chosen], own.truncated[chosen] = put.ending[:, 0], put.ending[:, 1]
        own.observations[chosen] = put.observations
        last = put.observations[..., -self.scenes.starts.shape[3] :]  # of a stack, the newest
        own.pictures[chosen] = last.reshape(len(chosen), last.shape[1], -1)  # (n, S, S, C) -> (n, S, S * C)
        self.started = True
        return own.observations

    def redraw(self, lane: int) -> np.ndarray:
        """A lane's picture as drawn anew, on the CPU, from its state alone; uint8 (S, S, C)."""
        scene, state = self._now(lane)
        picture = np.zeros_like(self.scenes.starts[0]).reshape(self.lanes.pictures.shape[1:])  # (S, S, C) -> (S, S * C)
        draw_whole(self.scenes, scene, state, np.zeros(4, np.int32), picture, build_scratch(self.scenes))
        return picture.reshape(self.scenes.starts.shape[1:])  # (S, S * C) -> (S, S, C)

    def close(self) -> None:
        self._closed = True

    def _chosen(self, lanes: Any) -> torch.Tensor:
        return torch.as_tensor(np.arange(self.num_games) if lanes is None else lanes, device=CARD)

    def _now(self, lane: int) -> tuple[int, np.ndarray]:
        return int(self.lanes.scene[lane]), self.state[lane].cpu().numpy()

    def _ever(self) -> np.ndarray:
        bits = self.lanes.ever
        while len(bits) > 1:  # the first half or the second one, and an odd one left over
            half = len(bits) // 2
            bits = torch.cat([bits[:half] | bits[half : 2 * half], bits[2 * half :]])
        return bits[0].cpu().numpy()

    def _put(self, held: Any, rows: Any, values: np.ndarray) -> None:
        held[rows] = torch.as_tensor(values, device=CARD)

    def _put_chances(self, upto: np.ndarray) -> None:
        super()._put_chances(upto)
        self._put(self._scenes.chances, slice(None), upto)


class Launch:
    """Starts the kernels of a step: as they are at first, then recorded, as one CUDA graph.

    Handing a kernel its arrays takes numba longer than the card takes for thousands of games.
    """

    def __init__(self, kernels: Callable[[], None]):
        self._kernels, self._warm = kernels, False
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self) -> None:
        if SIMULATED or not self._warm or torch.cuda.is_current_stream_capturing():
            self._kernels()  # the first time this compiles them, which cannot be recorded
            self._warm = True
            return
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
                self._kernels()
        self._graph.replay()


def check_card(num_threads: int) -> None:
    """ValueError tells in one line what is missing to run on a card."""
    if num_threads != 1:
        raise ValueError(f"num_threads is {num_threads}: expected 1 with device='cuda', whose threads are the card's")
    if SIMULATED:
        return
    if find_spec("numba_cuda") is None:
        raise ValueError("device is 'cuda', but numba-cuda is not installed: pip install 'priorlab[cuda]'")
    if not torch.cuda.is_available():
        raise ValueError(
            f"device is 'cuda', but torch {torch.__version__} finds no card: expected an NVIDIA card, its driver and a "
            "torch that is built for it"
        )


def check_memory(num_games: int, arrays: list[np.ndarray]) -> None:
    """ValueError where the card has less memory free than these take."""
    if SIMULATED:
        return
    needed, free = sum(array.nbytes for array in arrays), torch.cuda.mem_get_info()[0]
    if needed > free:
        raise ValueError(f"{num_games} games need {needed >> 20:,} MiB on the card: {free >> 20:,} MiB are free")


def on_card(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array).to(CARD)


def seen(tensor: Any) -> Any:
    """The tensor's memory as kernels take it."""
    return tensor.numpy() if SIMULATED else numba.cuda.as_cuda_array(tensor, sync=False)


def stream() -> Any:
    """torch's current stream, as numba names it."""
    handle = 0 if SIMULATED else torch.cuda.current_stream().cuda_stream
    return numba.cuda.external_stream(handle) if handle else 0
