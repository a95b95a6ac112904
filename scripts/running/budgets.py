"""What a training run in each game gets: raw inputs, and where it differs, the longest episode."""

from typing import Any

BUDGETS: dict[str, dict[str, Any]] = {
    "princess": {"inputs": 100_000},
    "key_door": {"inputs": 1_000_000, "max_inputs": 6000},
}
