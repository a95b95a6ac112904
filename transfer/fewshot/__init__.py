"""Learning classes from few examples: nearest neighbours, metric learning, MAML, and imagined examples."""

from priorlab.transfer.fewshot.episodes import Episode, draw_episode, episode_accuracies
from priorlab.transfer.fewshot.lowshot import Analogies, Hallucinator, analogies, by_regression
from priorlab.transfer.fewshot.maml import MAML, TaskBatch, distance_moved
from priorlab.transfer.fewshot.neighbours import by_means, by_neighbours, class_means, nearest
from priorlab.transfer.fewshot.siamese import Siamese, pairs, train_siamese

__all__ = [
    "MAML", "Analogies", "Episode", "Hallucinator", "Siamese", "TaskBatch", "analogies", "by_means", "by_neighbours",
    "by_regression", "class_means", "distance_moved", "draw_episode", "episode_accuracies", "nearest", "pairs",
    "train_siamese",
]  # fmt: skip
