"""How far an agent's network can shrink: the command, its rows and its page."""

from functools import partial

import pandas as pd
import pytest
import torch

from priorlab.agents.settings import Settings
from priorlab.scripts.commands.tickets import main
from priorlab.scripts.tickets import runs as tickets
from priorlab.scripts.tickets.page import write_tickets
from priorlab.scripts.tickets.runs import Request, read, shrink, shrink_missing

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"level": "tower_01", "inputs": 600, "episodes": 4, "rounds": 2, "workers": 1, "seeds": 1}
LITTLE = {"screen_size": 24, "features": 64, "max_inputs": 400, "imitation_batches": 4}


@pytest.fixture(autouse=True)
def small_networks_and_short_episodes(monkeypatch):
    monkeypatch.setattr(tickets, "Settings", partial(Settings, **LITTLE))


def test_half_of_the_weights_go_each_time_and_stay_away_while_an_agent_learns(monkeypatch):
    begun, ended, run = [], [], tickets.run_learner

    def watching(settings, make, begin):
        model, record = run(settings, make, begin=lambda model: (begin(model), begun.append(weights(model))))
        ended.append(weights(model))
        return model, record

    monkeypatch.setattr(tickets, "run_learner", watching)
    request = Request(**SMALL)
    found = shrink("start", request.learner(3), 2, 4)
    assert [each.left for each in found] == pytest.approx([1, 0.5, 0.25], abs=1e-4)
    tickets_begun, tickets_ended = begun[::2], ended[::2]  # each is followed by its control
    for before, after, control, each in zip(tickets_begun, tickets_ended, begun[1::2], found):
        kept = before != 0
        assert float(kept.float().mean()) == pytest.approx(each.left, abs=0.01)
        assert not after[~kept].any() and not torch.equal(before, after)
        assert torch.equal(before[kept], begun[0][kept])
        assert torch.equal(control != 0, kept) and not torch.equal(control, before)


def weights(model):
    layers = [
        module.weight.detach().flatten().clone() for module in model.policy.modules() if hasattr(module, "weight")
    ]
    return torch.cat(layers)


def test_the_command_goes_on_where_it_was_and_writes_its_page(tmp_path, monkeypatch):
    monkeypatch.setattr(tickets, "RESTARTS", ("start",))
    once = SMALL | {"rounds": 1, "out": tmp_path}
    shrink_missing(Request(**once))
    first = read(tmp_path)[0]
    assert first["left"].round(2).tolist() == 2 * [1, 0.5] and set(first["restart"]) == {"start", "random"}
    written = (tmp_path / "rows.csv").stat().st_mtime_ns
    main(Request(**once))
    assert (tmp_path / "rows.csv").stat().st_mtime_ns == written
    assert "reset to the start" in (tmp_path / "report.html").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="rounds = 1, not 3"):
        shrink_missing(Request(**once | {"rounds": 3}))


def test_the_headline_says_how_few_weights_are_enough(tmp_path):
    shares, won = (1.0, 0.5, 0.25), {"start": (1.0, 1.0, 0.95), "random": (1.0, 0.2, 0.92), "none": (0.0, 1.0, 1.0)}
    rows = [[kind, seed, left, value] for kind in won for seed in range(3) for left, value in zip(shares, won[kind])]
    rows.append(["start", 3, 0.5, 0.0])  # one training that failed
    rows += [["start", 3, left, 1.0] for left in (1.0, 0.25)]
    frame, learner = pd.DataFrame(rows, columns=list(tickets.COLUMNS)), Request().settings()
    text = write_tickets(tmp_path, frame, learner).read_text(encoding="utf-8")
    told = text.replace("\N{NO-BREAK SPACE}", " ")
    assert "median network wins nine of ten episodes with 25 % of its weights, reset to their first values." in told
    assert "| 50 % | 75.0 (" in (tmp_path / "README.md").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"rounds": 0}, "rounds must be at least 1, got 0"),
        ({"rounds": 40}, "rounds must be at most 12, .*, got 40"),
        ({"version": "easy"}, "unknown version 'easy'"),
    ],
)
def test_what_cannot_be_trained_is_said_first(changed, words, tmp_path):
    with pytest.raises(ValueError, match=words):
        Request(**changed)
    with pytest.raises(ValueError, match="no rows: expected"):
        main(Request(report_only=True, out=tmp_path))
