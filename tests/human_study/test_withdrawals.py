"""The list of withdrawals, as spreadsheets and editors save it."""

import codecs
from pathlib import Path

import pytest

from priorlab.envs.plays.play import new_id
from priorlab.human_study.data import withdrawals

SAVED = {  # as spreadsheets and editors save the list
    "semicolons": b"\xef\xbb\xbfid;date;files;plays;events\r\naaaa2345;01.02.2026;1;1;3\r\n;;;;\r\n",
    "unicode text": codecs.BOM_UTF16_LE + "id\tdate\tfiles\r\naaaa2345\t2/1/2026\t1\r\n".encode("utf-16-le"),
    "other end": codecs.BOM_UTF16_BE + "id\tdate\tplays\taaa\r\naaaa2345\t2/1/2026\t1\tx".encode("utf-16-be"),
    "quotes": b'"id","date","files","plays","events","why"\n"aaaa2345","2026-02-01","1","1","3","he, ""x""\nsaid"\n',
    "old Windows": "sep=;\r\nid;date;Grund\r\naaaa2345;1. Feb. 26;später".encode("cp1252"),
    "joined": b"id,date,files,plays,events\naaaa2345,2026-02-1,1,1,3\n\xef\xbb\xbfid;date;files\nbbbb2345;2026-02-02;1",
}


@pytest.mark.parametrize("name", SAVED)
def test_a_list_that_a_spreadsheet_saved_is_read_and_extended_in_its_dialect(tmp_path: Path, name: str):
    path = tmp_path / "withdrawals.csv"
    path.write_bytes(SAVED[name])
    before = withdrawals.read(path)
    assert "aaaa2345" in before and ("bbbb2345" in before) == (name == "joined")
    for code in (new_id(), new_id()):
        withdrawals.add(path, {"id": code, "date": "2026-03-01", "files": 2, "plays": 1, "events": 9})
        before |= {code: "2026-03-01"}
        assert withdrawals.read(path) == before and path.read_bytes().startswith(SAVED[name])
    added = path.read_bytes()[len(SAVED[name]) :].replace(b"\0", b"")
    expected = {
        "semicolons": b";2026-03-01;2;1;9\r\n", "unicode text": b"\t2026-03-01\t2\r\n",
        "other end": b"\t2026-03-01\t1\t\r\n", "quotes": b',"2026-03-01","2","1","9",""\n',
        "old Windows": b";2026-03-01;\r\n", "joined": b",2026-03-01,2,1,9\n",
    }  # fmt: skip
    assert added.count(expected[name]) == 2
