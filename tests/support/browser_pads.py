"""Gamepads as a browser tells of them, and what the participant's page makes of them, in Node.js."""

from collections.abc import Iterable, Mapping
from typing import Any

from priorlab.envs.browser.shipped import ENGINE
from priorlab.human_study.protocol.codes import KEYMAP
from priorlab.human_study.protocol.keys import IDLE_SECONDS, REFOCUS_SECONDS
from priorlab.human_study.protocol.pads import reading
from tests.support.javascript import evaluated

Happening = tuple[float, str, Any]  # ms; "pads" and all that are there, "key" and a change, "focus" or "step"
RATE = 30
PLAY = """
    const { readFileSync } = await import("node:fs");
    const { asKey, Gamepads } = await load("gamepads.js");
    const { Playing } = await load("playing.js");
    const { Engine } = await load("../../envs/browser/engine.js");
    const engine = await Engine.from(readFileSync(given.engine));
    const game = { step: () => ({ won: false, died: false }), state: () => new Int32Array(2) };
    return given.plays.map((happenings) => {
        const gamepads = new Gamepads(given.reading);
        const playing = new Playing(game, engine.keys(), given.rules, []);
        let hasFocus = true;
        gamepads.listen({
            press: (press) => playing.key(asKey(press, hasFocus, 1000 * press.at)),
            connect: (connection, at) => playing.connect(connection, 1000 * at),
        });
        playing.begin(0, [], "");
        for (const [ms, what, value] of happenings) {
            const at = Math.round(1000 * ms);
            if (what === "pads") gamepads.take(value, at / 1000);
            if (what === "key") playing.key({ ...value, at });
            if (what === "focus") playing.focus((hasFocus = value), at);
            if (what === "step") playing.step(at, at);
        }
        return playing.entries;
    });
"""


def device(
    buttons: Mapping[int, float] | None = None, axes: Mapping[int, float] | None = None, mapping: str = "standard",
    index: int = 0, count: int = 17, name: str = "Pad",
) -> dict[str, Any]:  # fmt: skip
    """A gamepad with ``count`` buttons and 4 axes, as ``navigator.getGamepads`` has it: how far each is pressed."""
    values = {"buttons": [{"value": (buttons or {}).get(number, 0)} for number in range(count)]}
    return {
        "id": name, "index": index, "mapping": mapping, **values,
        "axes": [(axes or {}).get(number, 0) for number in range(4)],
    }  # fmt: skip


def played(plays: Iterable[Iterable[Happening]]) -> list[list[list[Any]]]:
    """What each play writes into its journal, with the compiled rule of keys and a game that never ends."""
    rules = {
        "rate": RATE, "limit": 10**9, "idle_seconds": IDLE_SECONDS, "refocus_seconds": REFOCUS_SECONDS, "probes": [],
        "keys": KEYMAP,
    }  # fmt: skip
    happenings = [list(each) for each in plays]
    return evaluated(PLAY, {"engine": str(ENGINE), "reading": reading(), "rules": rules, "plays": happenings})


def as_events(entries: Iterable[list[Any]]) -> list[dict[str, Any]]:
    """The entries of a play as the events of a log."""
    events: list[dict[str, Any]] = [
        {"event": "session", "t": 0.0, "keymap": {str(code): number for code, number in KEYMAP.items()}},
        {"event": "play", "t": 0.0, "game": "key_door", "inputs_per_second": RATE},
    ]
    for kind, *parts in entries:
        if kind == "s":
            action, due, done, _ = parts
            times = {"due": due / 1e6, "done": done / 1e6, "t": done / 1e6}
            events.append({"event": "step", "number": len(events), "input": action, **times})
        elif kind == "e":
            at, name, fields = parts
            events.append({"event": name, "t": at / 1e6, **fields})
    return events
