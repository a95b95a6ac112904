"""All claims by name: each from its module and its TOML file in ``claims``."""

import tomllib
from functools import cache
from importlib import import_module
from pathlib import Path

from priorlab.scripts.lecture.claim import Answer, Claim, Figure

CLAIMS = (  # in the lecture's order
    "inputs", "features", "neighbours", "matching", "fast", "fast_games", "low_shot", "looks", "spurious",
    "spurious_games", "curriculum", "drift", "compression", "capacity", "exploration",
    "priors",
)  # fmt: skip


@cache
def find_claim(name: str) -> Claim:
    """The claim of that name; ValueError if there is none."""
    if name not in CLAIMS:
        raise ValueError(f"unknown claim {name!r}: expected one of {', '.join(CLAIMS)}")
    module = import_module(f"priorlab.scripts.lecture.claims.{name}")
    texts = tomllib.loads(Path(__file__).parent.joinpath("claims", f"{name}.toml").read_text(encoding="utf-8"))
    figures = tuple(Figure(**{**each, "ticks": tuple(each.get("ticks", ()))}) for each in texts.pop("figures"))
    answers = tuple(
        Answer(each["says"], each["figure"], tuple(each["higher"]), tuple(each["lower"]))
        for each in texts.pop("answers")
    )
    published = tuple(
        (each["what"], each["value"], each["source"], each.get("grade", "")) for each in texts.pop("published", ())
    )
    return Claim(
        name, **texts, figures=figures, answers=answers, published=published, settings=module.Settings,
        small=module.SMALL, measure=module.measure, check=getattr(module, "check", lambda _: None),
        beside=getattr(module, "beside", tuple),
    )  # fmt: skip
