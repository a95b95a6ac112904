"""`priorlab withdraw`: deletes everything that a participant left, and logs that it did."""

from functools import partial
from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.console import plain_console, told
from priorlab.scripts.run import run


def main(
    code: Annotated[str, tyro.conf.Positional], study: Annotated[Path, tyro.conf.Positional], *, yes: bool = False
) -> None:
    """Delete a participant's data from a study's folder, for good, and name what else mentions their code.

    Args:
        code: The eight characters that the participant saw; case, spaces and hyphens don't matter.
        study: The study's file, TOML.
        yes: Don't ask first.
    """
    from rich.progress import track

    from priorlab.envs.base.files import shown
    from priorlab.human_study.data.withdraw import delete, find
    from priorlab.human_study.study.study import Study

    console = plain_console()
    try:
        loaded = Study.load(study, is_played=False)
        searching = partial(track, description="searching", console=console, transient=True)
        found = find(loaded, code, searching if console.is_terminal else iter)
        who, folder = found.participant, loaded.folder
        if found.withdrew:
            console.print(f"{who} withdrew on {found.withdrew}; this is left in {folder}", soft_wrap=True)
        for path in found.files:
            console.print(f"to be deleted: {shown(path)}", soft_wrap=True)
        for path in found.mentions:
            console.print(f"also names {who}, and is kept: make it anew or edit it: {shown(path)}", soft_wrap=True)
        for line in found.unread:
            console.print(f"may name {who}: {line}", soft_wrap=True)
        if found.files or found.places:
            if not yes and input(f"delete everything of {who}? This can't be undone. yes or no: ").strip() != "yes":
                raise SystemExit("priorlab withdraw: nothing was deleted")
            delete(loaded, found)
            files = f"{len(found.files)} file{'s' * (len(found.files) != 1)}"
            console.print(f"deleted {files} of {who}; noted in withdrawals.csv", soft_wrap=True)
    except EOFError:
        raise SystemExit("priorlab withdraw: nobody answered; nothing was deleted (--yes doesn't ask)") from None
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise SystemExit(f"priorlab withdraw: {told(error)}") from None
    console.print(f"searched {folder} and nothing else: see to exports and backups elsewhere", soft_wrap=True)


if __name__ == "__main__":
    run("withdraw")
