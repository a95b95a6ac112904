"""The planted order recovered, and nothing found where nothing is, at the size of the people's study."""

from functools import cache

import numpy as np

from priorlab.envs.players.simulated import planted_versions, simulated_setting
from priorlab.scripts.analysis.published import published_figures, published_ratio
from priorlab.scripts.experiments.planting import mean_time
from priorlab.scripts.experiments.recovery import false_alarms, studies_of, table_of, taus_of

N, STUDIES = 120, 200


@cache
def planted():
    return studies_of("key_door", "published", N, STUDIES, workers=2)


def test_players_are_spread_as_much_as_was_asked_for():
    assert (table_of(planted())["spread_of_log"] > 0.6).all()


def test_the_published_order_is_recovered():
    assert taus_of(planted()).mean() > 0.9


def test_nothing_is_found_where_nothing_is_planted_but_at_the_nominal_rate():
    found = false_alarms(studies_of("key_door", "none", N, STUDIES, workers=2)).set_index(["test", "of"])
    for test in ("log-rank", "mann-whitney"):
        assert found.loc[(test, "single tests"), "low"] < 0.05 < found.loc[(test, "single tests"), "high"] + 0.01
        assert found.loc[(test, "studies"), "low"] < 0.05


def test_mean_times_stand_in_the_published_ratios():
    """Of other players than those that the shares were found with; where nobody quits."""
    own = mean_time("key_door", "original", simulated_setting("key_door", "original").knowledge, 2000, 7)
    for version in planted_versions("key_door")[1:]:
        ratio = mean_time("key_door", version, simulated_setting("key_door", version).knowledge, 2000, 7) / own
        wanted = published_ratio(published_figures(), version)
        assert wanted and abs(np.log(ratio / wanted)) < 0.15, (version, ratio, wanted)
