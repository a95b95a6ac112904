"""ICM and RND beside slow references, and what they pay for."""

import gymnasium
import numpy as np
import pytest
import torch
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv
from torch.nn import functional

from priorlab.agents.curiosity.icm import ICM
from priorlab.agents.curiosity.rnd import FIRST_STEPS, RND

pytestmark = pytest.mark.usefixtures("one_thread")


class Hall(gymnasium.Env):
    """Six cells and the actions left, right, stay; where ``noisy``, half of the picture is noise on the right side.

    An episode ends after 50 steps, at once cut off and over in turn.
    """

    observation_space = gymnasium.spaces.Box(0, 255, (24, 24, 1), np.uint8)
    action_space = gymnasium.spaces.Discrete(3)

    def __init__(self, seed: int = 0, noisy: bool = False):
        self.noise, self.noisy, self.episodes = np.random.default_rng(seed), noisy, 0

    def picture(self) -> np.ndarray:
        picture = np.zeros((24, 24, 1), np.uint8)
        picture[2:10, 4 * self.cell : 4 * self.cell + 4] = 200
        if self.noisy and self.cell >= 3:
            picture[12:] = self.noise.integers(256, size=(12, 24, 1))
        return picture

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.cell, self.steps, self.episodes = 0, 0, self.episodes + 1
        return self.picture(), {}

    def step(self, action):
        self.cell = min(max(self.cell + (-1, 1, 0)[action], 0), 5)
        self.steps += 1
        over = self.steps == 50
        return self.picture(), 0.0, over and self.episodes % 2 == 0, over and self.episodes % 2 == 1, {}


def halls(count: int, noisy: bool = False) -> VecEnv:
    return DummyVecEnv([lambda seed=seed: Monitor(Hall(seed, noisy)) for seed in range(count)])


def walk(env: VecEnv, steps: int, seed: int = 0):
    """Random actions; yields (pictures before, actions, pictures that the step led to) of each."""
    generator = np.random.default_rng(seed)
    before = np.asarray(env.reset())
    for _ in range(steps):
        actions = generator.integers(3, size=env.num_envs)
        after, _, dones, infos = env.step(actions)
        led_to = [infos[k]["terminal_observation"] if done else after[k] for k, done in enumerate(dones)]
        yield before, actions, np.array(led_to)
        before = np.asarray(after)


def icm_by_hand(weights: dict[str, torch.Tensor], before: np.ndarray, actions: np.ndarray, after: np.ndarray):
    """Half squared errors (n,) of the forward model and -log of the actions' probabilities, term by term."""

    def features(picture: np.ndarray) -> torch.Tensor:
        shown = torch.tensor(picture[None, ..., 0] / 255, dtype=torch.float32)
        for layer in (0, 2, 4, 6):
            padded = functional.pad(shown, (1, 1, 1, 1))
            patches = padded.unfold(1, 3, 2).unfold(2, 3, 2)  # (channels, rows, columns, 3, 3)
            shown = torch.einsum("cyxij,ocij->oyx", patches, weights[f"features.{layer}.weight"])
            shown = shown + weights[f"features.{layer}.bias"][:, None, None]
            shown = torch.where(shown > 0, shown, torch.exp(shown.clamp(max=0)) - 1)
        return shown.flatten()

    def model(name: str, given: torch.Tensor) -> torch.Tensor:
        hidden = (weights[f"{name}.0.weight"] @ given + weights[f"{name}.0.bias"]).clamp(min=0)
        return weights[f"{name}.2.weight"] @ hidden + weights[f"{name}.2.bias"]

    errors, surprises = [], []
    for first, action, second in zip(before, actions, after):
        one, two = features(first), features(second)
        errors.append(((model("forward_model", torch.cat([one, torch.eye(3)[action]])) - two) ** 2).sum() / 2)
        chances = torch.exp(model("inverse_model", torch.cat([one, two])))
        surprises.append(-torch.log(chances[action] / chances.sum()))
    return torch.stack(errors), torch.stack(surprises)


def test_icm_pays_and_learns_as_by_hand():
    env = ICM(halls(3), scale=2.0, learning_rate=1e-3, n_steps=60, batch_size=180, n_epochs=1, seed=5)
    weights = {name: value.clone().requires_grad_() for name, value in env.network.state_dict().items()}
    steps = []
    for step in walk(env, 60):  # over the end of an episode
        steps.append(step)
        if len(steps) % 7 == 0 or len(steps) in (50, 51):
            expected = 2.0 * 0.01 * icm_by_hand(weights, *step)[0]
            assert env.bonus == pytest.approx(expected.detach().numpy(), rel=1e-3)
    errors, surprises = icm_by_hand(weights, *(np.concatenate(parts) for parts in zip(*steps)))
    loss = 0.2 * errors.mean() + 0.8 * surprises.mean()
    assert float(env.last_loss) == pytest.approx(loss.item(), rel=1e-4)
    gradients = torch.autograd.grad(loss, list(weights.values()))
    for (name, value), gradient in zip(weights.items(), gradients):  # Adam's first step
        expected = value - 1e-3 * gradient / (gradient.abs() + 1e-8)
        clear = gradient.abs() > 1e-5  # elsewhere its sign hangs on rounding
        assert torch.allclose(env.network.state_dict()[name][clear], expected[clear], atol=2e-5)


def test_rnd_pays_as_by_hand():
    env = RND(halls(3), scale=2.0, gamma=0.9, n_steps=16, seed=5)
    frames, returns, all_returns, checked = [], np.zeros(3), [], 0

    def errors(pictures: np.ndarray) -> np.ndarray:
        """Of these networks, in scales of all pictures that they learned from."""
        pixels = np.concatenate(frames[:learned])
        normal = np.clip((pictures - pixels.mean(0)) / np.sqrt(pixels.var(0) + 1e-8), -5, 5)
        given = torch.tensor(normal[..., 0][:, None], dtype=torch.float32)
        with torch.no_grad():
            return ((env.network(given) - env.target(given)) ** 2).mean(1).numpy()

    for number, (_, _, led_to) in enumerate(walk(env, FIRST_STEPS + 40), 1):
        frames.append(led_to)
        learned = FIRST_STEPS + max(number - FIRST_STEPS, 0) // 16 * 16
        if number <= FIRST_STEPS:
            assert not env.bonus.any()
        for pictures in frames if number == FIRST_STEPS else [led_to] if number > FIRST_STEPS else []:
            at_an_update = number == learned > FIRST_STEPS  # it paid before the predictor moved on: take its word
            returns = env.returns.copy() if at_an_update else 0.9 * returns + errors(pictures)
            all_returns.append(returns)
        if FIRST_STEPS < number != learned:
            assert env.bonus == pytest.approx(2.0 * errors(led_to) / np.std(all_returns), rel=0.02)
            checked += 1
    assert checked == 38


@pytest.mark.parametrize("kind", [ICM, RND])
def test_what_was_seen_often_pays_less_than_what_was_not(kind):
    env = kind(halls(4), learning_rate=1e-3)
    env.reset()
    for number in range(2 * FIRST_STEPS):
        env.step(np.full(4, number % 2))  # between two cells
        if number == FIRST_STEPS:
            early = env.bonus.mean()
    often = env.bonus.mean()
    env.reset()
    for _ in range(4):
        env.step(np.full(4, 1))
    assert env.bonus.mean() > 3 * often
    assert often < early


def test_icm_is_drawn_less_by_noise_than_an_error_in_pixels():
    env = ICM(halls(8, noisy=True), learning_rate=1e-3, n_epochs=3)
    torch.manual_seed(0)
    pixels = torch.nn.Sequential(torch.nn.Linear(579, 256), torch.nn.ReLU(), torch.nn.Linear(256, 576))
    optimizer, seen = torch.optim.Adam(pixels.parameters(), 1e-3), []
    paid: dict[tuple[str, bool], list[float]] = {
        (name, noisy): [] for name in ("icm", "pixels") for noisy in (True, False)
    }
    for number, (before, actions, after) in enumerate(walk(env, 240)):
        given = torch.cat([torch.tensor(before.reshape(8, -1) / 255), torch.eye(3)[actions]], 1).float()
        wanted = torch.tensor(after.reshape(8, -1) / 255).float()
        seen.append((given, wanted))
        if len(seen) == 32:
            all_given, all_wanted = (torch.cat(parts) for parts in zip(*seen))
            for _ in range(6):
                loss = (pixels(all_given) - all_wanted).square().sum(1).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            seen = []
        if number >= 120:
            errors = (pixels(given) - wanted).square().sum(1)
            for lane in range(8):
                noisy = bool(after[lane, 12:].any())
                paid["icm", noisy].append(float(env.bonus[lane]))
                paid["pixels", noisy].append(errors[lane].item())
    drawn = {name: np.mean(paid[name, True]) / np.mean(paid[name, False]) for name in ("icm", "pixels")}
    assert drawn["icm"] < drawn["pixels"] / 2
