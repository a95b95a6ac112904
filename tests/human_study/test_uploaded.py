"""Files of sessions from elsewhere: what is read of them, and that nothing in them holds up the others."""

import base64
import gzip
import json
import zipfile
from pathlib import Path

import pytest

from priorlab.envs.plays.events import link, sealed
from priorlab.human_study.data.chunks import AlteredChunk, ChunkWriter, OtherSession, TornChunk
from priorlab.human_study.hosting import uploaded


def test_a_line_that_no_program_of_ours_writes_holds_up_no_other(tmp_path: Path):
    deep = "[" * 900 + "]" * 900
    odd = [
        '{"n": true, "entries": []}', '{"n": 1, "entries": [1]}', '{"n": 1, "entries": [[[]]]}', '{"n": 1e999}',
        f'{{"n": 1, "entries": [["e", 1, "page", {deep}]]}}', '{"n": 1, "entries": [["e", NaN]]}',
        '{"build": "b", "id": ["kept2345"], "games": []}', '{"build": "b", "id": {}, "withdrawn": true}',
        '{"build": [], "id": "kept2345", "data": ""}', deep, "[]", "3",
    ]  # fmt: skip
    path = tmp_path / "kept2345.chunks.jsonl"
    path.write_text("\n".join(['{"n": 0, "entries": [["r", 1]]}', *odd, '{"n": 1, "entries": [["r", 2]]}']))
    found = uploaded.read_uploads([path])
    assert len(found.problems) == len(odd) and [*found.sessions["", "kept2345"].chunks] == [0, 1]
    opening = '{"schema":1,"id":"kept2345"}'
    line = sealed(opening, chain := link("", opening))
    for body in ('{"n":0}', '{"n":0,"entries":3}', f'{{"n":0,"entries":[["e",{deep}]]}}'):
        path.write_bytes(line + sealed(body, link(chain, body)))
        (problem,) = uploaded.read_uploads([path]).problems
        assert isinstance(problem, AlteredChunk | TornChunk)


def test_a_file_of_nonsense_fills_neither_memory_nor_screen(tmp_path: Path):
    path = tmp_path / "kept2345.chunks.jsonl"
    path.write_bytes(b"x\r\n" * 300 + b"\n" * 300 + b'{"n": 0, "entries": [["r", 1]]}\r\n' + b"x\n" * 5)
    found = uploaded.read_uploads([path])
    assert len(found.problems) == uploaded.MOST_PROBLEMS + 1 and "205 more lines" in str(found.problems[-1])
    assert [*found.sessions["", "kept2345"].chunks] == [0]


def test_a_file_in_an_archive_is_of_the_session_that_its_own_name_says(tmp_path: Path):
    writer = ChunkWriter.create(tmp_path / "serv2345.chunks.jsonl", {"id": "serv2345"})
    writer.add(0, [["r", 1]])
    with zipfile.ZipFile(tmp_path / "gene2345.chunks.zip", "w") as archive:
        archive.writestr("sent/kept2345.chunks (1).jsonl", '{"n": 0, "entries": [["r", 2]]}\n')
        archive.writestr("sent/serv2345.chunks.jsonl", writer.path.read_bytes())
        archive.writestr("/other.chunks.jsonl", writer.path.read_bytes())
    found = uploaded.read_uploads([tmp_path / "gene2345.chunks.zip"])
    chunks = {code: json.loads(session.chunks[0])["entries"] for (_, code), session in found.sessions.items()}
    assert chunks == {"kept2345": [["r", 2]], "serv2345": [["r", 1]]}
    (problem,) = found.problems
    assert isinstance(problem, OtherSession) and "gene2345.chunks.zip/other.chunks.jsonl: line 1" in str(problem)


def test_many_large_files_do_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    chunk = json.dumps({"n": 0, "entries": [["e", 1, "page", {"page": "x" * 3000}]]})
    for name in ("aaaa2345", "bbbb2345", "cccc2345"):
        (tmp_path / f"{name}.chunks.jsonl").write_text(chunk + "\n")
    upload = {"build": "b", "id": "dddd2345", "data": base64.b64encode(gzip.compress(b" " * 5000)).decode()}
    (tmp_path / "dddd2345.jsonl").write_text(json.dumps(upload))
    monkeypatch.setattr(uploaded, "MOST_IN_ALL", 7000)
    found = uploaded.read_uploads([tmp_path])
    assert [code for _, code in found.sessions] == ["aaaa2345", "bbbb2345", "dddd2345"]
    assert ["cccc2345" in str(found.problems[0]), "dddd2345" in str(found.problems[1])] == [True, True]
    assert all("all files hold more than" in str(each) and "aaaa2345" in str(each) for each in found.problems)
    monkeypatch.setattr(uploaded, "LARGEST", 4000)
    (problem,) = uploaded.read_uploads([tmp_path / "dddd2345.jsonl"]).problems
    assert "dddd2345.jsonl: line 1: larger than" in str(problem)
