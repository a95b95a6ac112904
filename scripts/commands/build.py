"""`priorlab build`: makes pages of a study for ordinary web hosts and JATOS, or a plugin for jsPsych."""

from pathlib import Path
from typing import Annotated, Literal

import tyro

from priorlab.scripts.console import error_line


def main(
    study: Annotated[Path, tyro.conf.Positional],
    out: Annotated[Path, tyro.conf.Positional],
    *,
    host: Annotated[Literal["static", "jatos", "jspsych"], tyro.conf.arg(name="for")],
    datapipe: str = "",
    post: str = "",
    adapter: Path | None = None,
    single_file: bool = False,
    title: str = "Study",
) -> None:
    """Build a study for browsers, that need no server of your own. `priorlab import` reads what it records.

    Args:
        study: the study's TOML file
        out: the new folder for static and jspsych, or the new .jzip file for jatos
        host: static for any host of files, jatos for a JATOS server, jspsych for a timeline of your own
        datapipe: the id of an experiment at pipe.jspsych.org, which keeps what is recorded; static only
        post: an address to which every upload is posted, under its own name; static only
        adapter: a JavaScript file that uploads in another way, as docs/online-hosts.md explains; static only
        single_file: one page that holds everything, and can also be opened from a disk; static only
        title: the study's title in JATOS, which participants may see; jatos only
    """
    from priorlab.human_study.hosting.build import Uploads, build_jatos, build_static
    from priorlab.human_study.hosting.jspsych import build_jspsych

    try:
        if host != "static" and (datapipe or post or adapter or single_file):
            raise ValueError("datapipe, post, adapter and single_file: expected only with --for static")
        if host == "jatos":
            print(f"wrote {build_jatos(study, out, title)}")
            return
        if host == "jspsych":
            files = build_jspsych(study, out)
        else:
            files = build_static(study, out, Uploads.choose(datapipe, post, adapter), single_file)
    except (OSError, ValueError) as error:
        raise SystemExit(f"priorlab build: {error_line(error)}") from None
    size = sum(path.stat().st_size for path in files)
    print(f"wrote {out}: {len(files)} file{'s' if len(files) > 1 else ''}, {size / 1000:.0f} kB")
