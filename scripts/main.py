"""The `priorlab` command: one subcommand a file of this folder."""

import sys

from priorlab.envs.base.provenance import git_commit, lab_version
from priorlab.scripts.run import in_a_line, run

COMMANDS = {
    "play": "play a game in a window; the play is recorded",
    "participate": "lead a participant through a study: consent, keys, questions, game, thanks",
    "status": "show how far a study is",
    "withdraw": "delete everything that a participant left",
    "replay": "show a recorded play or session, or write it as a video",
    "verify": "check recorded sessions and plays, and name what is wrong and where",
    "train": "train an agent on a version of the game",
    "export": "write recorded plays as tables, Minari datasets or videos",
    "study": "train agents on all versions, compare them and people in one report",
    "transfer": "learn tasks one after another, by every method that keeps what was learned",
    "lecture": "each claim of the lecture as an experiment of minutes, and a small site of the answers",
    "tickets": "how far a trained agent's network can shrink until it no longer wins",
    "reproduce": "train agents without priors on all versions, and hold the study's claim against them",
    "plan": "how many people a comparison needs, by simulation",
    "simulate": "plays of simulated players, to try an analysis on a known truth",
    "compare": "compare people, simulated players and agents on one page",
    "bench": "measure the games' speed beside a peer",
    "contact-sheet": "draw all versions of a game in one picture",
    "dials-sheet": "draw one level at every corner of the dials of random looks",
    "random-sheet": "draw random levels in random looks",
    "level-sheet": "draw the twenty levels in one picture",
    "solve": "find the shortest solutions of levels",
    "atari-sheet": "draw five Atari games in every mask in one picture",
    "bank": "make a bank of random levels, each solved",
    "probe": "measure on the pictures what each version's look claims",
}


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in COMMANDS:
        run(name, sys.argv[2:])
        return
    with in_a_line("priorlab"):
        if name == "--version":
            commit = git_commit()
            print(f"priorlab {lab_version()}" + (f" (commit {commit[:10]})" if commit else ""))
            return
        if name not in ("-h", "--help"):
            raise ValueError(f"unknown command {name!r}: expected one of {', '.join(COMMANDS)}")
        print("usage: priorlab COMMAND [settings]; priorlab COMMAND --help lists a command's settings\n")
        print(f"  {'--version':14} print the version and the checkout's commit")
        for command, purpose in COMMANDS.items():
            print(f"  {command:14} {purpose}")


if __name__ == "__main__":
    main()
