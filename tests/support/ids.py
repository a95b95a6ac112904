"""Environments by name."""

from gymnasium.envs.registration import registry


def newest(name: str) -> str:
    """The id of the newest version: Princess -> PriorLab/Princess-v0."""
    return max(id for id in registry if id.rpartition("-v")[0] == f"PriorLab/{name}")
