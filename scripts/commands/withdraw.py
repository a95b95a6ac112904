"""`priorlab withdraw`: deletes all data of a participant, and logs that it did."""

from functools import partial
from pathlib import Path
from typing import Annotated

import tyro

from priorlab.scripts.console import error_line, plain_console


def main(
    code: Annotated[str, tyro.conf.Positional], study: Annotated[Path, tyro.conf.Positional], *, yes: bool = False
) -> None:
    """Permanently delete a participant's data from a study's folder, and list other files that mention their code.

    Args:
        code: The eight characters shown to the participant; case, spaces and hyphens don't matter.
        study: The study's TOML file.
        yes: Delete without asking.
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
            console.print(f"{who} withdrew on {found.withdrew}; these remain in {folder}", soft_wrap=True)
        for path in found.files:
            console.print(f"to delete: {shown(path)}", soft_wrap=True)
        for path in found.mentions:
            console.print(f"mentions {who} but is kept; recreate or edit it: {shown(path)}", soft_wrap=True)
        for line in found.unread:
            console.print(f"may mention {who}: {line}", soft_wrap=True)
        if found.files or found.places:
            if not yes and input(f"Delete all data of {who}? This can't be undone. yes or no: ").strip() != "yes":
                raise SystemExit("priorlab withdraw: nothing was deleted")
            delete(loaded, found)
            files = f"{len(found.files)} file{'s' * (len(found.files) != 1)}"
            console.print(f"deleted {files} of {who}; logged in withdrawals.csv", soft_wrap=True)
    except EOFError:
        raise SystemExit("priorlab withdraw: no answer; nothing was deleted (--yes deletes without asking)") from None
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise SystemExit(f"priorlab withdraw: {error_line(error)}") from None
    console.print(f"searched only {folder}: check exports and backups elsewhere yourself", soft_wrap=True)
