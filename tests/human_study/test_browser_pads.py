"""Gamepads in a browser, without a browser: they do what they do at the window (test_pads.py)."""

import random
from collections.abc import Iterator
from typing import Any

from priorlab.envs.game.rules import DOWN, JUMP, LEFT, NONE, RIGHT, UP
from priorlab.human_study.protocol.codes import CODES
from priorlab.human_study.protocol.keys import IDLE_SECONDS
from priorlab.human_study.protocol.pads import MOST_BUTTONS, SETTLE_SECONDS, reading
from tests.support.browser_pads import Happening, as_events, device, played
from tests.support.javascript import evaluated
from tests.support.key_rule import Replayed

A, BACK, START, GUIDE, DPAD_UP, DPAD_RIGHT = 0, 8, 9, 16, 12, 15  # as W3C numbers them
SETTLED = 1000 * SETTLE_SECONDS + 50  # ms
TOLD = """
    const { Gamepads } = await load("gamepads.js");
    return given.scripts.map((looks) => {
        const gamepads = new Gamepads(given.reading), told = [];
        gamepads.listen({
            press: ({ isDown, name, part, at }) => told.push([at, isDown, name, part.input]),
            connect: (connection) => told.push(connection),
        });
        looks.forEach((devices, number) => gamepads.take(devices, number));
        return [told, gamepads.count, gamepads.held()];
    });
"""


def told(*scripts: list[list[dict[str, Any]]]) -> list[Any]:
    return evaluated(TOLD, {"reading": reading(), "scripts": scripts})


def test_buttons_have_the_inputs_that_they_have_at_the_window():
    jumps, ways = dict.fromkeys(range(8), JUMP), {DPAD_UP: UP, 13: DOWN, 14: LEFT, DPAD_RIGHT: RIGHT}
    first, pad = dict.fromkeys(range(6), JUMP), {11: UP, 12: DOWN, 13: LEFT, 14: RIGHT}
    cases = [
        ("standard", 17, jumps | ways), ("", 14, first), ("", 16, first | pad), ("another", 6, first),
        ("", 40, first | pad),
    ]  # fmt: skip
    expected = [
        (mapping, count, button, inputs.get(button, NONE))
        for mapping, count, inputs in cases
        for button in range(min(count, MOST_BUTTONS))
    ]
    found = told(*([[device({button: 1}, None, mapping, count=count)]] for mapping, count, button, _ in expected))
    presses = [events[1] for events, _, _ in found]
    assert [press[3] for press in presses] == [number for *_, number in expected]
    names = {BACK: "back", START: "start", GUIDE: "guide", A: "a", DPAD_UP: "dpup"}
    assert {button: presses[button][2].removeprefix("pad 0, ") for button in names} == names


def test_sticks_and_triggers_must_move_far_and_back():
    ways = (("leftx", LEFT, RIGHT), ("lefty", UP, DOWN), ("axis 0", LEFT, RIGHT), ("axis 1", UP, DOWN))
    values = (0.2, 0.6, 0.4, 0.45, 0.1, -1, 1, 0)
    sticks = [
        [[device({}, {axis: value}, mapping)] for value in values] for mapping in ("standard", "") for axis in (0, 1)
    ]
    trigger = [[device({6: value})] for value in (0.4, 0.6, 0.4, 0.3)]
    other = [[device({}, {2: 1, 3: 1})]]
    *found, trigger_found, (right_stick, _, _) = told(*sticks, trigger, other)
    for (presses, _, _), (part, back, forth) in zip(found, ways, strict=True):
        held = ((forth, 1, 4), (back, 5, 6), (forth, 6, 7))  # from one look until another
        name = f"pad 0, {part}"
        assert presses[1:] == [
            each for way, begin, end in held for each in ([begin, True, name, way], [end, False, name, way])
        ]
    name = "pad 0, lefttrigger"
    assert trigger_found[0][1:] == [[1, True, name, JUMP], [3, False, name, JUMP]]
    assert not right_stick[1:]


def test_gamepads_come_and_go():
    other = device(index=1, name="Other")
    ((events, count, held), (_, _, pressed)) = told(
        [[device({A: 1}), other], [other], [device(), device(index=1)]], [[device({A: 1}, {0: -1})]]
    )
    assert [(each["what"], each["number"], each["name"]) for each in events if isinstance(each, dict)] == [
        ("connected", 0, "Pad"), ("connected", 1, "Other"), ("disconnected", 0, "Pad"), ("disconnected", 1, "Other"),
        ("connected", 2, "Pad"), ("connected", 3, "Pad"),
    ]  # fmt: skip
    assert [each for each in events if isinstance(each, list)] == [
        [0, True, "pad 0, a", JUMP], [1, False, "pad 0, a", JUMP],
    ]  # fmt: skip
    assert (count, held, sorted(pressed)) == (2, [], [LEFT, JUMP])
    assert events[0] == {
        "what": "connected", "number": 0, "name": "Pad", "guid": "", "known": True, "axes": 4, "buttons": 17, "hats": 0,
    }  # fmt: skip


def test_gamepads_do_in_a_game_what_they_do_at_the_window():
    """After each happening, the step of that time; the gamepad has settled unless the case says that it has not."""

    def pads(ms: float, *devices: dict[str, Any]) -> Happening:
        return SETTLED + ms, "pads", list(devices)

    def step(ms: float) -> Happening:
        return SETTLED + ms, "step", None

    def play(*happenings: Happening) -> list[Happening]:
        return [(1, "pads", [device()]), *happenings]

    def tap(ms: float, button: int) -> list[Happening]:
        return [pads(ms, device({button: 1})), step(ms + 33), pads(ms + 50, device())]

    def focus(ms: float, is_there: bool) -> Happening:
        return SETTLED + ms, "focus", is_there

    stick, idle = device({}, {0: 1}), 1000 * IDLE_SECONDS
    cases: dict[str, tuple[list[Happening], list[Any]]] = {
        "a button counts while it is held": (
            play(pads(0, device({A: 1})), step(33), step(66), pads(70, device()), step(99)), [JUMP, JUMP, NONE],
        ),
        "what was held when the gamepad was connected counts once it is pressed again": (
            [(1, "pads", [device({A: 1})]), (33, "step", None), pads(0, device({A: 1})), step(33), pads(40, device()),
             pads(50, device({A: 1})), step(66)],
            [NONE, NONE, JUMP],
        ),
        "without the gamepad the game waits for a fresh press": (
            play(pads(0, stick), step(33), pads(40), step(66), pads(70, stick), step(99),
                 pads(70 + SETTLED, device()), pads(80 + SETTLED, stick), step(99 + SETTLED)),
            [RIGHT, "disconnected", "begin gamepad", "connected", "end gamepad", RIGHT],
        ),
        "another gamepad ends that pause": (
            [(1, "pads", [device(), device(index=1)]), pads(0, device(), device(index=1)), pads(40, device(index=1)),
             step(66), pads(70, device({DPAD_UP: 1}, index=1)), step(99)],
            ["connected", "disconnected", "begin gamepad", "end gamepad", UP],
        ),
        "start pauses until a fresh press, which counts": (
            play(pads(0, device({START: 1})), step(33), pads(40, device()), pads(50, device({A: 1})), step(66)),
            ["begin key", "end key", JUMP],
        ),
        "start and back end a pause, and do nothing else": (
            play(*tap(0, START), *tap(100, START), *tap(200, START), *tap(300, BACK), *tap(400, GUIDE)),
            ["begin key", "end key", NONE, "begin key", "end key", NONE, NONE],
        ),
        "what is pressed elsewhere, or was when the focus came back, is not meant for the game": (
            play(focus(0, False), pads(10, stick), pads(20, device()), focus(30, True), pads(40, stick), step(66),
                 pads(400, device()), pads(410, stick), step(430)),
            ["begin focus", "end focus", RIGHT],
        ),
        "a stick that leans is nobody": (
            play(pads(0, stick), step(33), step(idle - 10), step(idle + 33), pads(idle + 50, device()),
                 pads(idle + 60, stick), step(idle + 66)),
            [RIGHT, RIGHT, "begin idle", "end idle", RIGHT],
        ),
        "a button that is held is somebody": (play(pads(0, device({A: 1})), step(2 * idle)), [JUMP]),
        "at once from one side to the other": (
            play(pads(0, device({}, {0: -1})), step(33), pads(40, stick), step(66)), [LEFT, RIGHT],
        ),
    }  # fmt: skip
    found = played(happenings for happenings, _ in cases.values())
    assert dict(zip(cases, map(words, found))) == {name: expected for name, (_, expected) in cases.items()}


def words(entries: list[list[Any]]) -> list[Any]:
    """Inputs, pauses, and gamepads that came and went after the first."""
    kept: list[Any] = []
    for kind, *parts in entries:
        if kind == "s":
            kept.append(parts[0])
        elif kind == "e" and parts[1] in ("pause", "idle"):
            kept.append(f"{parts[2]['what']} {parts[2]['why']}")
        elif kind == "e" and parts[1] == "gamepad":
            kept.append(parts[2]["what"])
    return kept[1:]  # the first one is there at the beginning


def test_inputs_follow_from_what_the_log_says_of_gamepads_and_keys():
    storms = [list(storm(random.Random(0), mapping)) for mapping in ("standard", "")]
    for entries in played(storms):
        kept = [each for each in entries if each[0] != "h"]
        found = Replayed(as_events(kept))
        assert found.checked > 250 and not found.wrong, found.wrong[:10]
        told = {f"{entry[3].get('what')} {entry[3].get('why', '')}" for entry in kept if entry[0] == "e"}
        assert {"disconnected ", "begin gamepad", "begin focus", "begin idle", "lost "} <= told


def storm(chance: random.Random, mapping: str) -> Iterator[Happening]:
    """Two gamepads, the keyboard and the focus change at random; once nobody is there for a while."""
    devices = {index: device(mapping=mapping, index=index) for index in range(2)}
    keys, down = [CODES[name] for name in ("ArrowLeft", "ArrowUp", "KeyA", "Space")], set[int]()
    ms, has_focus = 0.0, True
    for number in range(1500):
        ms += 1000 / 30 if number % 3 == 0 else 5
        what = chance.random()
        if number == 750:
            devices = {0: device({}, {0: 1}, mapping)}
            yield ms, "pads", list(devices.values())
            for _ in range(40):
                ms += 1000
                yield ms, "step", None
        elif number % 3 == 0:
            yield ms, "step", None
        elif what < (0.01 if has_focus else 0.3):
            has_focus = not has_focus
            down.clear()  # keys go up elsewhere
            yield ms, "focus", has_focus
        elif what < 0.3 and has_focus:
            code = chance.choice(keys)
            down ^= {code}
            change = {"isDown": code in down, "code": code, "name": str(code), "isPause": False, "isEscape": False}
            yield ms, "key", change | {"isIgnored": False}
        elif what < 0.31:
            devices.pop(chance.randrange(2), None)
            yield ms, "pads", list(devices.values())
        else:
            index = chance.randrange(2)
            buttons = {button: chance.choice((0, 0, 0.4, 1)) for button in (0, 4, 6, 8, 9, 11, 12, 14, 15)}
            axes = {axis: chance.choice((-1, -0.6, -0.4, 0, 0.4, 0.7, 1)) for axis in range(4)}
            devices[index] = device(buttons, axes, mapping, index)
            yield ms, "pads", list(devices.values())
