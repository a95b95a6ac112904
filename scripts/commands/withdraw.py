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
    from priorlab.human_study.data.withdraw import delete_record, find_record
    from priorlab.human_study.study.study_file import Study

    console = plain_console()
    try:
        loaded = Study.load(study, is_played=False)
        searching = partial(track, description="searching", console=console, transient=True)
        record = find_record(loaded, code, searching if console.is_terminal else iter)
        who, folder = record.participant, loaded.folder
        if record.withdrew:
            console.print(f"{who} withdrew on {record.withdrew}; this is left in {folder}", soft_wrap=True)
        for path in record.files:
            console.print(f"to be deleted: {shown(path)}", soft_wrap=True)
        for path in record.mentions:
            console.print(f"also names {who}, and is kept: make it anew or edit it: {shown(path)}", soft_wrap=True)
        for line in record.unread:
            console.print(f"may name {who}: {line}", soft_wrap=True)
        if record.files or record.places:
            if not yes and input(f"delete everything of {who}? This can't be undone. yes or no: ").strip() != "yes":
                raise SystemExit("priorlab withdraw: nothing was deleted")
            delete_record(loaded, record)
            files = f"{len(record.files)} file{'s' * (len(record.files) != 1)}"
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
