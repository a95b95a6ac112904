"""Clients of Gymnasium meet the games unmodified; each is installed into an environment of its own, or skipped."""

import os
import subprocess
import sys
import sysconfig
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.paths import ROOT

CACHE = Path(os.environ.get("PRIORLAB_CLIENTS") or Path(tempfile.gettempdir()) / "priorlab_clients")
CLEANRL = os.environ.get("CLEANRL", "")  # a checkout; it is no package


class Client(NamedTuple):
    packages: str
    code: str  # a few hundred steps


STEPS = """
import priorlab, gymnasium, numpy as np

def steps(env, count=300):
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(count):
        if any(env.step(env.action_space.sample())[2:4]):
            env.reset()
"""
CLIENTS = {
    "moviepy": Client(
        "moviepy imageio-ffmpeg",
        """
import imageio
for name, settings in (("Levels", {}), ("Random", {"levels": 9}), ("Atari-Pong-All", {})):
    env = gymnasium.make(f"PriorLab/{name}-v0", render_mode="rgb_array", max_inputs=20, **settings)
    env = gymnasium.wrappers.RecordVideo(env, name, step_trigger=lambda step: step == 0, video_length=60)
    steps(env, 80)
    env.close()
    frames = [frame.shape for frame in imageio.get_reader(f"{name}/rl-video-step-0.mp4")]
    assert len(frames) >= 60 and len(set(frames)) == 1  # through several levels
""",
    ),
    "sb3-contrib": Client(
        "sb3-contrib",
        """
from sb3_contrib import QRDQN, TRPO, RecurrentPPO
from stable_baselines3.common.env_util import make_atari_env, make_vec_env
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
short = {"n_steps": 32, "batch_size": 32}
for env in (make_vec_env("PriorLab/Princess-MaskedObjects-v0", 2), PriorLabVecEnv(2)):
    RecurrentPPO("CnnLstmPolicy", env, n_epochs=1, **short).learn(128)
QRDQN("CnnPolicy", make_vec_env("PriorLab/Levels-v0"), learning_starts=50, buffer_size=300).learn(200)
TRPO("CnnPolicy", make_atari_env("PriorLab/Atari-Breakout-Objects-v0", 2), **short).learn(128)
""",
    ),
    "sbx": Client(
        "sbx-rl",
        """
from sbx import DQN, PPO
from stable_baselines3.common.env_util import make_vec_env
from priorlab.envs.interfaces.sb3 import PriorLabVecEnv
for env in ("PriorLab/Princess-v0", PriorLabVecEnv(2)):
    DQN("CnnPolicy", env, learning_starts=50, buffer_size=300).learn(200)
flat = {"env_kwargs": {"obs": "tiles"}, "wrapper_class": gymnasium.wrappers.FlattenObservation}
PPO("MlpPolicy", make_vec_env("PriorLab/Princess-v0", 2, **flat), n_steps=32, batch_size=32, n_epochs=1).learn(128)
""",
    ),
    "rl-zoo3": Client(
        "rl-zoo3 requests",
        """
import subprocess, sys
from pathlib import Path
Path("settings.yml").write_text('''
PriorLab/Princess-MaskedObjects-v0: {n_timesteps: 300, policy: CnnPolicy, n_steps: 64, n_envs: 2, n_epochs: 1}
PriorLab/Atari-Breakout-All-v0:
  {n_timesteps: 256, policy: CnnPolicy, n_steps: 64, n_envs: 2, n_epochs: 1, frame_stack: 4,
   env_wrapper: [stable_baselines3.common.atari_wrappers.AtariWrapper]}
''')
for name in ("PriorLab/Princess-MaskedObjects-v0", "PriorLab/Atari-Breakout-All-v0"):
    shared = ["--algo", "ppo", "--env", name, "--gym-packages", "envs", "-f", "logs"]
    for module, own in (("train", ["-c", "settings.yml", "--eval-freq", "-1"]), ("enjoy", ["-n", "50", "--no-render"])):
        subprocess.run([sys.executable, "-m", f"rl_zoo3.{module}", *shared, *own], check=True)
""",
    ),
    "torchrl": Client(
        "torchrl",
        """
from torchrl.collectors import Collector
from torchrl.envs import GymEnv, GymWrapper, SerialEnv, TransformedEnv, check_env_specs
from torchrl.envs.transforms import CatFrames, Compose, GrayScale, ToTensorImage
def made(name="PriorLab/Princess-MaskedSimilarity-v0"):
    pixels = {"in_keys": ["pixels"]}
    change = Compose(ToTensorImage(**pixels), GrayScale(**pixels), CatFrames(4, dim=-3, **pixels))
    return TransformedEnv(GymEnv(name), change)
check_env_specs(made())
for env in (SerialEnv(2, made), made("PriorLab/Atari-Pong-All-v0")):
    env.rollout(100, break_when_any_done=False)
batch = GymWrapper(gymnasium.make_vec("PriorLab/Princess-v0", num_envs=4, grayscale_obs=True, max_inputs=30))
check_env_specs(batch)
assert sum(each.numel() for each in Collector(batch, None, frames_per_batch=200, total_frames=400)) == 400
""",
    ),
    "tianshou": Client(
        "tianshou",
        """
from tianshou.algorithm.random import MARLRandomDiscreteMaskedOffPolicyAlgorithm
from tianshou.data import Collector, VectorReplayBuffer
from tianshou.env import DummyVectorEnv, SubprocVectorEnv
for kind in (DummyVectorEnv, SubprocVectorEnv):
    env = kind([lambda: gymnasium.make("PriorLab/Princess-v0", grayscale_obs=True, stack_size=4)] * 2)
    player = MARLRandomDiscreteMaskedOffPolicyAlgorithm(env.action_space[0])
    collector = Collector(player, env, VectorReplayBuffer(600, 2))
    collector.reset()
    assert collector.collect(n_step=300, random=True).n_collected_steps == 300
    env.close()
""",
    ),
    "rllib": Client(
        "ray[rllib]",
        """
import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.rllib.env.wrappers.atari_wrappers import wrap_atari_for_new_api_stack
from ray.tune.registry import register_env
princess = lambda _: gymnasium.wrappers.DtypeObservation(gymnasium.make("PriorLab/Princess-v0"), np.float32)
atari = lambda _: wrap_atari_for_new_api_stack(gymnasium.make("PriorLab/Atari-Pong-Textures-v0"), dim=64)
ray.init(num_cpus=1, include_dashboard=False)
for name, creator in (("princess", princess), ("atari", atari)):
    register_env(name, creator)
    settings = PPOConfig().environment(name).env_runners(num_env_runners=0, num_envs_per_env_runner=2)
    settings.training(train_batch_size_per_learner=128, minibatch_size=64, num_epochs=1)
    settings.rl_module(model_config=DefaultModelConfig(conv_filters=[[16, 8, 4], [32, 4, 2]]))
    assert settings.build_algo().train()["env_runners"]["num_env_steps_sampled"] >= 128
""",
    ),
    "minari": Client(
        "minari[hdf5,create]",
        """
import minari
for number, name in enumerate(("PriorLab/Princess-MaskedObjects-v0", "PriorLab/Atari-Pong-All-v0")):
    env = minari.DataCollector(gymnasium.make(name, max_inputs=100), jpeg_encoding=False)  # else it loses pixels
    steps(env, 250)
    about = {"algorithm_name": "random", "author": "x", "author_email": "x@example.org", "code_permalink": "x"}
    kept = env.create_dataset(dataset_id=f"priorlab/try{number}-v0", **about)
    again, episode = kept.recover_environment(), kept[0]
    assert again.spec.max_episode_steps == kept.env_spec.max_episode_steps == 100
    first, _ = again.reset(seed=0)
    assert (first == episode.observations[0]).all()
    for action, seen in zip(episode.actions, episode.observations[1:]):
        assert (again.step(action)[0] == seen).all()
from priorlab.agents.priors.lives import told
from priorlab.agents.priors.policy import Policy
from priorlab.agents.priors.scenery import Scenery
from priorlab.envs import Bank, Dials
level, plan = Bank.read("held_out", size="large")[3]
game = {"level": level.text(), "looks": {"edition": 2}, "look_seed": 7, "split": "held_out"}
env = minari.DataCollector(
    gymnasium.make("PriorLab/Levels-v0", screen_size=level.side, **game), jpeg_encoding=False
)
policy = Policy(Scenery(level, looks=Dials(edition=2), look_seed=7), told(level))
(picture, _), state, over = env.reset(seed=0), None, False
while not over:
    action, state = policy.predict(picture, state)
    picture, _, won, cut, _ = env.step(action)
    over = won or cut
assert won and len(env.create_dataset(dataset_id="priorlab/told-v0", **about)[0].actions) <= 2 * len(plan)
""",
    ),
    "d3rlpy": Client(
        "d3rlpy",
        """
import d3rlpy
class First(gymnasium.ObservationWrapper):  # it takes channels first
    def __init__(self, env):
        super().__init__(env)
        self.observation_space = gymnasium.spaces.Box(0, 255, (1, 84, 84), np.uint8)
    def observation(self, observation):
        return observation.transpose(2, 0, 1)
env = First(gymnasium.make("PriorLab/Princess-v0", grayscale_obs=True))
dqn = d3rlpy.algos.DQNConfig(batch_size=8).create(device=False)
kept = d3rlpy.dataset.create_fifo_replay_buffer(limit=1000, env=env)
dqn.fit_online(env, kept, n_steps=300, n_steps_per_epoch=100, update_start_step=200)
""",
    ),
    "skrl": Client(
        "skrl",
        """
import torch
from skrl.envs.wrappers.torch import wrap_env
made = [gymnasium.make("PriorLab/Princess-v0"), gymnasium.make("PriorLab/Atari-Pong-All-v0")]
made += [gymnasium.make_vec(f"PriorLab/{name}-v0", num_envs=2) for name in ("Princess", "Atari-Pong-All")]
for env in map(wrap_env, made):
    env.reset()
    for _ in range(200):
        *_, terminated, truncated, _ = env.step(torch.randint(env.action_space.n, (env.num_envs, 1)))
        if env.num_envs == 1 and (terminated | truncated).any():
            env.reset()
    env.close()
""",
    ),
    "supersuit": Client(
        "supersuit pettingzoo",
        """
import supersuit
for name in ("PriorLab/Princess-v0", "PriorLab/Atari-Pong-All-v0"):
    env = supersuit.color_reduction_v0(supersuit.sticky_actions_v0(gymnasium.make(name), 0.25), "full")
    steps(supersuit.frame_stack_v1(supersuit.resize_v1(env, 42, 42), 4))
batch = supersuit.gym_vec_env_v0(gymnasium.make("PriorLab/Princess-v0"), 2)
batch.reset()
for _ in range(200):
    batch.step(batch.action_space.sample())
""",
    ),
    "pfrl": Client(
        "pfrl",
        """
import pfrl, torch
class Old(gymnasium.Wrapper):  # it speaks the API of gym 0.21
    def reset(self):
        return self.env.reset()[0]
    def step(self, action):
        observation, reward, terminated, truncated, info = self.env.step(int(action))
        return observation, reward, terminated or truncated, info | {"needs_reset": truncated}
env = Old(gymnasium.make("PriorLab/Princess-v0", grayscale_obs=True))
head = pfrl.q_functions.DiscreteActionValueHead()
values = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(84 * 84, 6), head)
kept = pfrl.replay_buffers.ReplayBuffer(300)
explorer = pfrl.explorers.ConstantEpsilonGreedy(0.3, env.action_space.sample)
settings = {"replay_start_size": 50, "phi": lambda seen: np.asarray(seen, np.float32) / 255}
agent = pfrl.agents.DQN(values, torch.optim.Adam(values.parameters()), kept, 0.99, explorer, **settings)
pfrl.experiments.train_agent(agent, env, steps=200, outdir="out")
""",
    ),
    "agilerl": Client(
        "agilerl peft",
        """
from agilerl.algorithms.dqn import DQN
from agilerl.utils.utils import make_vect_envs
settings = {"num_envs": 2, "grayscale_obs": True}
for make in (gymnasium.make_vec, make_vect_envs):
    batch = make("PriorLab/Princess-v0", **settings)
    player = DQN(gymnasium.spaces.Box(0, 255, (1, 84, 84), np.uint8), batch.single_action_space)  # channels first
    seen, _ = batch.reset(seed=0)
    for _ in range(100):
        seen, *_ = batch.step(player.get_action(seen.transpose(0, 3, 1, 2), epsilon=0.5))
    batch.close()
""",
    ),
    "pufferlib": Client(
        "pufferlib",
        """
import pufferlib.emulation, pufferlib.vector
def made(buf=None, seed=0, **_):
    return pufferlib.emulation.GymnasiumPufferEnv(env=gymnasium.make("PriorLab/Princess-v0"), buf=buf, seed=seed)
steps(pufferlib.vector.make(made, num_envs=2, backend=pufferlib.vector.Serial))
""",
    ),
    "learn2learn": Client("learn2learn", "import learn2learn"),
}


def python_of(name: str, packages: str) -> Path:
    """The Python of an environment that sees ours, and has these packages; skips where they can't be installed."""
    folder = CACHE / name
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder], check=True)
        site = next(folder.glob("lib/python*/site-packages"))
        (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        fixed = folder / "fixed.txt"  # torch as it is: another is gigabytes
        fixed.write_text(f"torch=={version('torch')}\n")
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "-c", fixed, *packages.split()]
        found = subprocess.run(pip, capture_output=True, text=True)
        if found.returncode:
            said = [line.strip() for line in found.stderr.splitlines() if "rror" in line]
            pytest.skip(f"{packages} can't be installed: {'; '.join(said[:3])}")
        ready.touch()
    return python


def run(python: Path, arguments: list[str], folder: Path, *paths: Path | str) -> None:
    own = {"MPLBACKEND": "Agg", "SDL_VIDEODRIVER": "dummy", "OMP_NUM_THREADS": "1", "MINARI_DATASETS_PATH": str(folder)}
    env = os.environ | own | {"PYTHONPATH": os.pathsep.join(map(str, (ROOT, *paths)))}
    done = subprocess.run([python, *arguments], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_plays(name: str, tmp_path: Path):
    client = CLIENTS[name]
    run(python_of(name, client.packages), ["-c", STEPS + client.code], tmp_path)


SHORT = "--total-timesteps 256 --no-cuda"
OFF_POLICY = f"{SHORT} --learning-starts 100 --buffer-size 300 --batch-size 8"


@pytest.mark.parametrize(
    "arguments",
    [
        f"ppo_atari.py --env-id envs:PriorLab/Atari-Breakout-Textures-v0 --num-envs 2 --num-steps 64 {SHORT}",
        f"ppo_atari_lstm.py --env-id envs:PriorLab/Atari-Breakout-All-v0 --num-envs 2 --num-minibatches 2 {SHORT}",
        f"dqn_atari.py --env-id envs:PriorLab/Atari-Pong-Objects-v0 {OFF_POLICY}",
        f"c51_atari.py --env-id envs:PriorLab/Atari-SpaceInvaders-v0 {OFF_POLICY}",
        f"ppo.py --env-id tests.soak.flat:Flat-v0 --num-envs 2 --num-steps 64 {SHORT}",
        f"dqn.py --env-id tests.soak.flat:Flat-v0 {OFF_POLICY}",
    ],
    ids=lambda arguments: arguments.split()[0],
)
def test_a_script_of_cleanrl_learns(arguments: str, tmp_path: Path):
    if not CLEANRL:
        pytest.skip("CleanRL is no package: expected a checkout, named by the environment variable CLEANRL")
    script, *rest = arguments.split()
    python = python_of("cleanrl", "gymnasium==0.29.1 tqdm")  # the version that it asks for
    run(python, [f"{CLEANRL}/cleanrl/{script}", *rest], tmp_path, CLEANRL)
