"""Agents of stable-baselines3 whose networks are kept by the methods."""
