"""Gamepads that a test makes up in a real browser, in the place of ``navigator.getGamepads``."""

from typing import Any

from tests.support.browser_pads import device

INSTEAD = """
    window.pads = [null, null, null, null];
    navigator.getGamepads = () => window.pads;
    window.setPad = (index, pad) => {
        const isNews = !window.pads[index] !== !pad;
        window.pads[index] = pad;
        if (isNews) dispatchEvent(new Event(pad ? "gamepadconnected" : "gamepaddisconnected"));
    };
"""
# Presses and releases a button at random moments; [ms since 1970, whether it went down] of each change.
AT_RANDOM = """async ([index, button, count]) => {
    const done = [];
    for (let number = 0; number < count; number++) {
        await new Promise((resolve) => setTimeout(resolve, 30 + 50 * Math.random()));
        const isDown = number % 2 === 0, pad = structuredClone(window.pads[index]);
        pad.buttons[button].value = Number(isDown);
        window.setPad(index, pad);
        done.push([performance.timeOrigin + performance.now(), isDown]);
    }
    return done;
}"""


class ScriptedPad:
    """A gamepad in that page, which must have been made with INSTEAD; plugged in when it is first used."""

    def __init__(self, page: Any, name: str, index: int, mapping: str = "standard"):
        self.page, self.about = page, {"name": name, "index": index, "mapping": mapping}
        self.buttons: dict[int, float] = {}
        self.axes: dict[int, float] = {}

    def button(self, number: int, value: float) -> None:
        self.buttons[number] = value
        self.set()

    def axis(self, number: int, value: float) -> None:
        self.axes[number] = value
        self.set()

    def set(self) -> None:
        pad = device(self.buttons, self.axes, **self.about) | {"connected": True}
        self.page.evaluate("([index, pad]) => window.setPad(index, pad)", [pad["index"], pad])

    def unplug(self) -> None:
        self.buttons, self.axes = {}, {}
        self.page.evaluate("(index) => window.setPad(index, null)", self.about["index"])

    def at_random(self, button: int, count: int) -> list[tuple[float, bool]]:
        return self.page.evaluate(AT_RANDOM, [self.about["index"], button, count])
