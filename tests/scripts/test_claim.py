"""Are people slowed more than agents, and is the order of versions the same? Against planted truth and brute force."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import kendalltau

from priorlab.scripts.analysis.agreement import PUBLISHED, agreements_of, p_of_orders, signs, tau_b
from priorlab.scripts.analysis.comparison import analyse
from priorlab.scripts.analysis.planning import Design, sample
from priorlab.scripts.analysis.published import published_means
from priorlab.scripts.analysis.slowdown import contrasts_of, draw, means_of_kind
from priorlab.scripts.analysis.tables import tables_of
from priorlab.scripts.experiments.contrasts import measure, restricted, truths
from tests.scripts.test_compare import people, play, section


def agent(inputs, version="original", seed=0, won=True, method="ppo"):
    run = play(inputs / 1800, "win" if won else "death", version, player="agent")
    return replace(run, method=method, seed=seed)


def agents(means, n, seed=0, spread=0.3):
    generator = np.random.default_rng(seed)
    return [
        agent(inputs, version, i)
        for version, mean in means.items()
        for i, inputs in enumerate(generator.lognormal(np.log(mean), spread, n))
    ]


def contrasts(runs, paired=False):
    return contrasts_of(section(runs), 30, draw(section(runs)), paired)


def test_people_slowed_four_times_as_much_as_an_agent():
    runs = people({"original": 3, "gravity": 12, "all_masked": 3}, 60, quits=1e9)
    runs += agents({"original": 1e6, "gravity": 1e6, "all_masked": 1e6}, 10)
    gravity, nothing = contrasts(runs)
    assert gravity.value == gravity.people.value / gravity.agents.value
    assert gravity.low and gravity.high and gravity.low < 4 * 0.93 < gravity.high  # .93: means are cut at 30 minutes
    assert gravity.is_more and gravity.share == 1 and gravity.p_holm and gravity.p_holm < 1e-6
    assert not nothing.is_more and not nothing.is_less and nothing.low and nothing.high
    assert nothing.low < 1 < nothing.high and nothing.p == nothing.p_holm and 0 < (nothing.share or 0) < 1
    turned = contrasts(people({"original": 6, "gravity": 3}, 60) + runs[-30:])
    assert turned[0].is_less


def test_resamples_are_shared_between_versions_and_not_between_kinds():
    runs = people({"original": 3, "gravity": 12, "all_masked": 3}, 10, quits=1e9)
    runs += agents({"original": 1e6, "gravity": 1e6, "all_masked": 1e6}, 10)
    here = section(runs)
    drawn = draw(here)
    sides = [means_of_kind(here, kind, 30, drawn[kind]) for kind in here.kinds]
    logs = [np.log(side["gravity"].drawn) for side in sides]
    assert (sides[0]["all_masked"].drawn[1] == sides[0]["gravity"].drawn[1]).all()
    correlations = np.corrcoef(np.concatenate(logs))
    assert np.abs(correlations[np.triu_indices(4, 1)]).max() < 0.06


def test_pairs_are_held_against_their_own_times():
    generator = np.random.default_rng(1)
    runs = agents({"original": 1e6, "gravity": 1e6}, 10)
    for i, pace in enumerate(generator.lognormal(0, 1, 20)):
        runs += [play(pace, person=f"p{i}"), play(1.5 * pace, version="gravity", person=f"p{i}")]
    (unpaired,), (paired,) = (contrasts(runs, each) for each in (False, True))
    assert paired.value == pytest.approx(unpaired.value, rel=0.1) and paired.people.n == 20
    assert None not in (unpaired.low, paired.low, unpaired.high, paired.high)
    assert np.log(paired.high / paired.low) < np.log(unpaired.high / unpaired.low) / 1.5


def test_bounds_and_few_players():
    originals = [agent(1000 + i, seed=i) for i in range(4)]
    never = [agent(9000, "gravity", i, won=False) for i in range(4)]
    crowd = people({"original": 3, "gravity": 6}, 5, quits=1e9)
    (contrast,) = contrasts(crowd + originals + never)
    assert (contrast.agents.bound, contrast.bound) == (">=", "<="), "what is divided by is larger, so this is smaller"
    assert not contrast.is_more
    (few,) = contrasts(crowd + originals[:2] + never[:2])
    assert few.value > 0 and (few.low, few.high, few.share, few.p, few.p_holm) == (None,) * 5
    assert contrasts(crowd[:2] + originals + never) == ()
    nobody = [agent(9000, seed=i, won=False) for i in range(4)]
    assert contrasts(crowd + nobody + never) == (), "the agent has no slow-down to compare with"


def test_extra_inputs_and_the_mean_of_those_who_won():
    runs = [play(minutes, person=f"o{minutes}") for minutes in (2, 3, 4)]
    runs += [play(minutes, version="gravity", person=f"g{minutes}") for minutes in (5, 6, 7)]
    runs += [play(30, "limit", "gravity", "late")]
    original, gravity = analyse(section(runs)).cells
    assert original.extra is None and gravity.extra is not None and gravity.minutes is not None
    assert gravity.minutes.value == 12 and gravity.extra.value == (12 - 3) * 1800
    assert gravity.extra.low is not None and gravity.extra.low < 9 * 1800 < (gravity.extra.high or 0)
    assert gravity.finishers is not None and (gravity.finishers.value, gravity.finishers.n) == (6, 3)


def test_tau_and_its_p_are_those_of_scipy_where_all_pairs_count():
    generator = np.random.default_rng(2)
    for k in (3, 5, 7):
        a, b = generator.permutation(k), generator.permutation(k)
        i, j = np.triu_indices(k, 1)
        every = np.ones(len(i), bool)
        expected = kendalltau(a, b, method="exact", alternative="greater")
        assert float(tau_b(signs(a)[i, j], signs(b)[i, j], every)) == pytest.approx(expected.statistic)
        assert p_of_orders(signs(a), signs(b), every) == pytest.approx(expected.pvalue)


def test_tau_with_ties_over_some_of_the_pairs_by_brute_force():
    a, b = np.array([3.0, 1, 2, 2, 5]), np.array([1.0, 1, 2, 4, 3])
    i, j = np.triu_indices(5, 1)
    counts = np.array([1, 1, 0, 1, 1, 1, 1, 0, 1, 1], bool)

    def tau(other):
        x, y = (np.sign(each[j] - each[i])[counts] for each in (a, other))
        return (x * y).sum() / np.sqrt((x != 0).sum() * (y != 0).sum())

    taus = np.array([tau(b[list(order)]) for order in permutations(range(5))])
    assert float(tau_b(signs(a)[i, j], signs(b)[i, j], counts)) == pytest.approx(tau(b))
    assert p_of_orders(signs(a), signs(b), counts) == pytest.approx(np.mean(taus >= tau(b) - 1e-9))
    same = np.ones(5)
    assert np.isnan(p_of_orders(signs(a), signs(same), counts))


def test_orders_of_people_agents_and_the_published_means():
    means = published_means()
    runs = people(means, 100, quits=200) + agents(dict.fromkeys(means, 1e6), 4)
    runs += [agent(1000, version, i, method="random") for version in means for i in range(3)]
    sides, found = agreements_of(section(runs), 30, means, draw(section(runs)))
    of = {(each.first.label, each.second.label, each.estimator): each for each in found}
    theirs = of[PUBLISHED, "People", "finishers"]
    assert (theirs.n_pairs, len(theirs.pairs)) == (33, 36), "three pairs of published means are close"
    assert theirs.tau > 0.9 and theirs.p < 1e-4 and theirs.low is not None and theirs.low > 0.7
    assert theirs.n_agree == sum(bool(pair.agrees) for pair in theirs.pairs if pair.is_apart)
    assert abs(of["People", "PPO", "restricted"].tau) < 0.7
    tied = of[PUBLISHED, "Random", "restricted"]
    assert np.isnan([tied.tau, tied.p]).all() and tied.low is None and tied.n_agree == 0
    people_ = {side.estimator: side for side in sides if side.label == "People"}
    hardest = people_["restricted"].versions.index("all_masked")
    assert people_["finishers"].means[hardest] < people_["restricted"].means[hardest], "those who stay are the fastest"
    two = section(people({"original": 3, "gravity": 6}, 5))
    assert agreements_of(two, 30, means, draw(two)) == ((), ())


def test_the_tables_say_the_same():
    means = {version: published_means()[version] for version in ("original", "gravity", "masked_objects", "all_masked")}
    analysis = analyse(section(people(means, 12) + agents(dict.fromkeys(means, 1e6), 3)))
    tables = tables_of(analysis)
    ratios = tables["ratio_of_ratios"]
    assert ratios["ratio_of_ratios"].tolist() == [each.value for each in analysis.contrasts]
    assert (ratios["ratio"] / ratios["agent_ratio"]).tolist() == pytest.approx(ratios["ratio_of_ratios"].tolist())
    pairs = tables["agreement_pairs"].query("apart == 1 and agree == True")
    counted = pairs.groupby(["player", "with", "estimator"]).size()
    for row in tables["agreement"].itertuples():
        assert counted.get((row.player, row[tables["agreement"].columns.get_loc("with") + 1], row.estimator), 0) == (
            row.pairs_agree
        )
    orders = tables["orders"].query("player == 'People' and estimator == 'restricted'").set_index("version")
    for cell in analysis.of_kind(analysis.section.kinds[0]):
        assert cell.minutes is not None and orders.loc[cell.version, "mean_time"] == pytest.approx(cell.minutes.value)
    tests = tables["tests"]
    assert set(tests.query("test == 'omnibus'")["player"]) == {"People", "PPO"}
    assert len(tests.query("test == 'proportional_hazards' and player == 'People'")) == 3


def test_the_truth_of_simulated_studies_is_that_of_their_restricted_means():
    design = Design({"slower": 1.0}, limit=30.0)
    means = {}
    for by in (1.0, 2.4, 11.1):
        times, _ = sample(design, by, 400_000, np.random.default_rng(0))
        means[by] = times.mean()  # nobody quits: each time counts as at most the limit
        assert restricted(design.minutes * by, design.spread, 30.0) == pytest.approx(means[by], rel=5e-3)
    truth = truths(
        {"original": 1.0, "gravity": 2.4, "masked_semantics": 1, "masked_objects": 1, "all_masked": 11.1}, design
    )
    assert truth["all_masked"] == pytest.approx(means[11.1] / means[1.0], rel=5e-3)


def test_a_small_simulation_covers_what_it_planted():
    rows = measure((True, 0.3, 20, 5), 3).set_index("version")
    assert rows["known"].dropna().tolist() == [3] * 4 and rows["below"].sum() + rows["above"].sum() <= 4
    assert rows["more"]["all_masked"] == 3 and rows["less"].sum() == 0


def test_an_agent_that_lacks_a_version_is_compared_on_the_others_with_an_interval():
    means = published_means()
    some = dict.fromkeys(list(means)[:5], 1000000.0)
    here = section(people(means, 20) + agents(some, 5))
    found = agreements_of(here, 30, means, draw(here))[1]
    with_agents = [each for each in found if each.second.label == "PPO" and each.estimator == "restricted"]
    assert [each.first.label for each in with_agents] == [PUBLISHED, "People"]
    assert all(len(each.first.versions) == 5 and each.low is not None and each.low < each.tau for each in with_agents)
