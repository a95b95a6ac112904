"""The engine that plays games on an NVIDIA GPU, bit for bit as the CPU's does."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch

from priorlab.envs.engine.checks import checked_actions
from priorlab.envs.engine.draw import Scenes, draw_whole
from priorlab.envs.engine.engine import Engine, Saved, check_fits, on_cpu
from priorlab.envs.engine.lockstep import Lanes, Pace

numba: Any = import_module("numba")  # type checkers don't know its CUDA, which is imported with the kernels
SIMULATED = bool(numba.config.ENABLE_CUDASIM)  # numba's simulator of a GPU: slow, for tests; its memory is the CPU's
GPU = torch.device("cpu" if SIMULATED else "cuda")
DRAWERS = 32  # threads per picture
STARTERS = 256  # the same where a game starts over: few do, and the step waits for them
BLOCK = 128  # threads per block that draws
STEPPERS = 32  # games per block that steps the rules: few, so that small batches too are spread over the GPU


class GpuEngine(Engine):
    """Steps lanes on the GPU. They are torch tensors there, keep their addresses, and never leave it.

    - ``step`` takes actions as a tensor on the GPU and then neither waits for the GPU nor reads from it: numbers other
      than 0 to 5 count as no input. Actions in the CPU's memory are checked as on the CPU.
    - ``ended``, ``final_observations`` and ``final_states`` are computed when they are read, and wait for the GPU.
    - ``last_observations``, uint8 (N, S, S, stack * C), and ``last_states``, int32 (N, FIELDS), do not: row i is what
      lane i had when it last ended.
    - Everything runs on torch's current stream, and ``step`` can be recorded in a CUDA graph: call it once before.
    """

    def __init__(self, scenes: Scenes, lanes: Lanes, pace: Pace, num_threads: int):
        from priorlab.envs.engine import (
            gpu_kernels as kernels,  # here: it needs numba's CUDA, which ``check`` looks for
        )

        super().__init__(scenes, lanes, pace, num_threads)
        depth = lanes.observations.shape if pace.autoreset else (0, *lanes.observations.shape[1:])
        check_memory(self.num_games, [*scenes, *lanes, np.broadcast_to(np.uint8(0), depth)])
        self._kernels = kernels
        self._scenes: Any = Scenes._make(map(on_gpu, scenes))
        moved: dict[str, Any] = {name: on_gpu(each) for name, each in lanes._asdict().items() if name != "observations"}
        if lanes.observations.shape[3] == scenes.starts.shape[3]:  # nothing is stacked: one memory
            moved["observations"] = moved["pictures"].view(lanes.observations.shape)  # (N, S, S * C) -> (N, S, S, C)
        else:
            moved["observations"] = on_gpu(lanes.observations)
        self.lanes = Lanes(**moved)
        turn: dict[str, Any] = {
            "actions": torch.zeros(self.num_games, dtype=torch.int64, device=GPU),
            "ended": torch.zeros(self.num_games, dtype=torch.bool, device=GPU),
            "observations": torch.zeros(depth, dtype=torch.uint8, device=GPU),
            "states": torch.zeros_like(self.lanes.state),
        }
        self._turn: Any = kernels.GpuTurn(**turn)
        self.last_observations, self.last_states = self._turn.observations, self._turn.states
        self._restarted = torch.zeros_like(self._turn.ended)
        self._seen: list[Any] = [each._make(map(seen, each)) for each in (self._scenes, self.lanes, self._turn)]
        self._launch = Launch(self._launch_step)

    @staticmethod
    def check(num_threads: int) -> None:
        if num_threads != 1:
            raise ValueError(
                f"num_threads is {num_threads}: expected 1 with device='cuda', which uses the GPU's threads"
            )
        if SIMULATED:
            return
        if find_spec("numba_cuda") is None:
            raise ValueError("device is 'cuda', but numba-cuda is not installed: pip install '.[cuda]' in the checkout")
        if not torch.cuda.is_available():
            raise ValueError(
                f"device is 'cuda', but torch {torch.__version__} finds no GPU: expected an NVIDIA GPU, its driver and "
                "a torch that is built for it"
            )

    def step(self, actions: Any, over: np.ndarray | None) -> None:
        """Raises ValueError for actions that are not N whole numbers, for numbers other than 0 to 5 in the CPU's
        memory, and for ``over``: on a GPU lanes start over within the step in which they end, or by ``restart``."""
        if over is not None:
            raise ValueError("over: expected None with device='cuda', where lanes start over as they end")
        if not (isinstance(actions, torch.Tensor) and actions.device.type == GPU.type):
            actions = torch.from_numpy(checked_actions(actions, self.num_games))
        elif actions.shape != (self.num_games,) or actions.is_floating_point() or actions.dtype == torch.bool:
            raise ValueError(
                f"actions are {actions.dtype} {tuple(actions.shape)}: expected {self.num_games} whole numbers, "
                f"shape ({self.num_games},)"
            )
        self._turn.actions.copy_(actions)
        self._launch()

    def _launch_step(self) -> None:
        scenes, lanes, turn = self._seen
        blocks, pace = -(-self.num_games // STEPPERS), self.pace
        self._kernels.play_lanes[blocks, STEPPERS, stream()](scenes, lanes, turn, pace.frame_skip, pace.autoreset)
        self._kernels.draw_lanes[*self._drawn_by(DRAWERS), stream()](scenes, lanes)
        if pace.autoreset:
            self._launch_starts(turn.ended, True)

    def _launch_starts(self, chosen: Any, keeps: bool) -> None:
        kernels = self._kernels
        kernels.start_lanes[self.num_games, DRAWERS, stream()](*self._seen, chosen, self.pace.random_start, keeps)
        kernels.draw_starts[*self._drawn_by(STARTERS), stream()](*self._seen, chosen, keeps)

    def _drawn_by(self, threads: int) -> tuple[int, tuple[int, int]]:
        """(blocks, (threads per picture, pictures per block)) of the kernels that draw; one thread writes tiles."""
        drawers = 1 if self.scenes.kinds.shape[1] else threads
        pictures = max(1, min(BLOCK // drawers, self.num_games))
        return -(-self.num_games // pictures), (drawers, pictures)

    def restart(self, lanes: Any, new_play: bool) -> None:
        chosen = torch.as_tensor(lanes, device=GPU)
        if new_play:
            self.lanes.terminated[chosen] = False
        self._restarted[:] = False
        self._restarted[chosen] = True
        self._launch_starts(seen(self._restarted), False)
        self.lanes.rewards[chosen] = 0.0
        self.lanes.terminated[chosen] = self.lanes.truncated[chosen] = False

    @property
    def ended(self) -> torch.Tensor:
        return torch.nonzero(self._turn.ended).flatten()

    @property
    def final_observations(self) -> torch.Tensor:
        return self.last_observations[self.ended]

    @property
    def final_states(self) -> torch.Tensor:
        return self.last_states[self.ended]

    def put(self, array: Any, rows: Any, values: np.ndarray) -> None:
        array[rows] = torch.as_tensor(values, device=GPU)

    def put_chances(self, cumulative: np.ndarray) -> None:
        self.scenes.chances[:] = cumulative
        self.put(self._scenes.chances, slice(None), cumulative)

    def save(self, lanes: Any) -> Saved:
        """Tensors on the GPU."""
        chosen, held = self._chosen(lanes), self.lanes
        ending = torch.stack([held.terminated[chosen], held.truncated[chosen]], dim=1)
        before = (held.scene[chosen], held.state[chosen], held.visited[chosen], held.ever[chosen])
        return Saved._make((*before, ending, held.observations[chosen], held.draws[chosen], held.generators[chosen]))

    def restore(self, saved: Saved, lanes: Any) -> None:
        """From arrays on the GPU or on the CPU."""
        chosen, held = self._chosen(lanes), self.lanes
        put = Saved._make(torch.as_tensor(field, device=GPU) for field in saved)
        check_fits(put.scene, put.draws, held.scene[chosen], held.draws[chosen])
        held.scene[chosen], held.draws[chosen], held.generators[chosen] = put.scene, put.draws, put.generators
        held.state[chosen], held.visited[chosen], held.ever[chosen] = put.state, put.visited, put.ever
        held.terminated[chosen], held.truncated[chosen] = put.ending[:, 0], put.ending[:, 1]
        held.observations[chosen] = put.observations
        last = put.observations[..., -self.scenes.starts.shape[3] :]  # of a stack, the newest
        held.pictures[chosen] = last.reshape(len(chosen), last.shape[1], -1)  # (n, S, S, C) -> (n, S, S * C)

    def redraw(self, lane: int) -> np.ndarray:
        """Drawn on the CPU; the lane's picture on the GPU stays as it is."""
        scene, state = self.now(lane)
        picture = np.zeros_like(self.scenes.starts[0]).reshape(self.lanes.pictures.shape[1:])  # (S, S, C) -> (S, S * C)
        draw_whole(self.scenes, scene, state, np.zeros(4, np.int32), picture, self.scratch)
        return picture.reshape(self.scenes.starts.shape[1:])  # (S, S * C) -> (S, S, C)

    def ever_visited(self) -> np.ndarray:
        bits = self.lanes.ever
        while len(bits) > 1:  # the first half or the second one, and an odd one left over
            half = len(bits) // 2
            bits = torch.cat([bits[:half] | bits[half : 2 * half], bits[2 * half :]])
        return bits[0].cpu().numpy()

    def last(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which lanes ended in the last step, bool (N,), and what each had when it last ended."""
        return on_cpu(self._turn.ended), on_cpu(self._turn.observations), on_cpu(self._turn.states)

    def put_last(self, ended: np.ndarray, observations: np.ndarray, states: np.ndarray) -> None:
        self._turn.ended.copy_(torch.as_tensor(ended))
        self._turn.observations.copy_(torch.as_tensor(observations))
        self._turn.states.copy_(torch.as_tensor(states))

    def _chosen(self, lanes: Any) -> torch.Tensor:
        return torch.as_tensor(np.arange(self.num_games) if lanes is None else lanes, device=GPU)


class Launch:
    """Starts the kernels of a step: one by one at first, then recorded, as one CUDA graph.

    Passing a kernel its arrays takes numba longer than the GPU takes for thousands of games.
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


def check_memory(num_games: int, arrays: list[np.ndarray]) -> None:
    """ValueError where the GPU has less free memory than these arrays take."""
    if SIMULATED:
        return
    needed, free = sum(array.nbytes for array in arrays), torch.cuda.mem_get_info()[0]
    if needed > free:
        raise ValueError(f"{num_games} games need {needed >> 20:,} MiB on the GPU: {free >> 20:,} MiB are free")


def on_gpu(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array).to(GPU)


def seen(tensor: Any) -> Any:
    """The tensor's memory in the form that kernels take."""
    return tensor.numpy() if SIMULATED else numba.cuda.as_cuda_array(tensor, sync=False)


def stream() -> Any:
    """torch's current stream as a stream of numba's."""
    handle = 0 if SIMULATED else torch.cuda.current_stream().cuda_stream
    return numba.cuda.external_stream(handle) if handle else 0
