"""The `priorlab` command. Each subcommand is one file in ``commands/``."""

import sys

from priorlab.envs.base.provenance import git_commit, lab_version
from priorlab.scripts.run import errors_in_one_line, run

COMMANDS = {
    "play": "play a game in a window and record the play",
    "participate": "lead one participant through a study: consent, keys, questions, the game, thanks",
    "build": "make pages of a study for JATOS or any host of files, or a plugin for jsPsych",
    "serve": "offer a study to browsers",
    "class": "let a lecture hall play masked versions in browsers, and show how far everybody comes",
    "import": "make the logs of a study's sessions in browsers",
    "status": "show the progress of a study",
    "withdraw": "delete all data of one participant",
    "replay": "show a recorded play, or write it as a video",
    "watch": "watch an agent with priors play, beside what it believes",
    "verify": "check recorded sessions and plays, and report where each problem is",
    "train": "train an agent on one version of a game",
    "raise": "raise a player: it learns from random worlds what things look like",
    "movement": "learn how a player moves, for players that are not given the rules",
    "apprentice": "raise a recurrent network that sees pixels alone: it imitates the player with priors, and practises",
    "acting": "learn to act on what is believed, for players that don't plan",
    "priors": "play the experiment on players that bring knowledge, and report it",
    "export": "export recorded plays as tables, Minari datasets or videos",
    "study": "train agents on all versions and compare them with people in one report",
    "transfer": "learn a sequence of tasks with every method that keeps or reuses what was learned",
    "lecture": "run a short experiment for each claim of the lecture and write a small site",
    "tickets": "shrink a trained network until it no longer wins its game",
    "reproduce": "train agents without priors on all versions and test the study's claim",
    "plan": "find by simulation how many people a comparison needs",
    "preregister": "write a preregistration from a study's file and planned numbers",
    "simulate": "simulate players with known effects, to test an analysis",
    "compare": "compare people, simulated players and agents on one page",
    "bench": "measure the speed of the games and of a peer",
    "contact-sheet": "draw all versions of a game in one picture",
    "dials-sheet": "draw one level at every corner of the dials of random looks",
    "random-sheet": "draw random levels in random looks",
    "level-sheet": "draw the twenty levels in one picture",
    "solve": "find the shortest solutions of levels",
    "atari-sheet": "draw five Atari games under every mask in one picture",
    "bank": "generate a bank of random levels and solve each of them",
    "probe": "measure on the pictures whether each version's look masks what it claims",
}


def main() -> None:
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name in COMMANDS:
        run(name, sys.argv[2:])
        return
    with errors_in_one_line("priorlab"):
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
