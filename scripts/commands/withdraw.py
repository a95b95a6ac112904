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
        code: the eight characters shown to the participant; case, spaces and hyphens don't matter
        study: the study's TOML file
        yes: delete without asking
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
            console.print(f"{who} withdrew on {record.withdrew}; these remain in {folder}", soft_wrap=True)
        for path in record.files:
            console.print(f"to delete: {shown(path)}", soft_wrap=True)
        for path in record.mentions:
            console.print(f"mentions {who} but is kept; recreate or edit it: {shown(path)}", soft_wrap=True)
        for line in record.unread:
            console.print(f"may mention {who}: {line}", soft_wrap=True)
        if record.files or record.places:
            if not yes and input(f"Delete all data of {who}? This can't be undone. yes or no: ").strip() != "yes":
                raise SystemExit("priorlab withdraw: nothing was deleted")
            delete_record(loaded, record)
            files = f"{len(record.files)} file{'s' * (len(record.files) != 1)}"
            console.print(f"deleted {files} of {who}; logged in withdrawals.csv", soft_wrap=True)
    except EOFError:
        raise SystemExit("priorlab withdraw: no answer; nothing was deleted (--yes deletes without asking)") from None
    except BrokenPipeError:
        raise
    except (OSError, ValueError) as error:
        raise SystemExit(f"priorlab withdraw: {error_line(error)}") from None
    console.print(f"searched only {folder}: check exports and backups elsewhere yourself", soft_wrap=True)
