"""`priorlab withdraw`: deletes everything that a participant left, and logs that it did."""

from pathlib import Path
from typing import Annotated

import tyro

from scripts.console import told
from scripts.run import run


def main(
    code: Annotated[str, tyro.conf.Positional], study: Annotated[Path, tyro.conf.Positional], *, yes: bool = False
) -> None:
    """Delete a participant's data from a study's folder, for good.

    Args:
        code: The eight characters that the participant saw at the end.
        study: The study's file, TOML.
        yes: Don't ask first.
    """
    from human_study.study import Study
    from human_study.withdraw import find, withdraw

    try:
        loaded = Study.load(study)
        found = find(loaded, code)
        print(*(f"to be deleted: {path}" for path in found.files), sep="\n")
        if not yes and input(f"delete everything of {code}? This can't be undone. yes or no: ").strip() != "yes":
            raise SystemExit("priorlab withdraw: nothing was deleted")
        withdraw(loaded, code)
    except EOFError:
        raise SystemExit("priorlab withdraw: nobody answered; nothing was deleted (--yes doesn't ask)") from None
    except (OSError, ValueError) as error:
        raise SystemExit(f"priorlab withdraw: {told(error)}") from None
    print(f"deleted {len(found.files)} files of {code}; noted in {loaded.folder / 'withdrawals.csv'}")
    for path in found.mentions:
        print(f"mentions {code}, make it anew: {path}")
    for path in found.unread:
        print(f"can't be read, and may mention {code}: {path}")


if __name__ == "__main__":
    run("withdraw")
