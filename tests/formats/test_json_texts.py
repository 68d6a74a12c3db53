"""Texts that stay JSON until they are read."""

import json
from pathlib import Path

import msgspec
import pytest

from dedup.articles import Fields
from dedup.formats.json_lines import JsonLinesFile
from dedup.formats.json_texts import JsonTexts, json_texts
from dedup.formats.records import Chunk

TEXTS = ["", "خبر\nعاجل", 'a "b" \\ c', "\U0001f600", "新聞\t"]


def _texts(texts: list[str]) -> JsonTexts:
    found = json_texts([msgspec.Raw(json.dumps(text).encode()) for text in texts])
    assert found is not None
    return found


def test_texts_are_a_sequence_of_strings() -> None:
    texts = _texts(TEXTS)
    assert list(texts) == TEXTS
    assert texts[-1] == TEXTS[-1]
    assert list(texts[1:3]) == TEXTS[1:3]
    assert "\U0001f600" in texts
    with pytest.raises(IndexError):
        texts[len(TEXTS)]


def test_texts_as_arrow() -> None:
    texts = _texts(TEXTS)
    for some, expected in ((texts, TEXTS), (texts.take([3, 1]), [TEXTS[3], TEXTS[1]]), (texts.take([]), [])):
        array = some.to_arrow()
        array.validate(full=True)
        assert array.to_pylist() == expected
        assert len(some) == len(expected)


def test_strings_may_stand_among_literals() -> None:
    texts = json_texts([msgspec.Raw(b'"a\\n"'), "ب\n", msgspec.Raw(b'""')])
    assert texts is not None
    assert list(texts) == ["a\n", "ب\n", ""]


@pytest.mark.parametrize("literals", [[b'"\xff"'], [b'"\xc3', b'\xa9"'], [b'"a"', b'"\xed\xa0\x80"']])
def test_bytes_that_are_not_utf8_are_no_texts(literals: list[bytes]) -> None:
    assert json_texts(list(map(msgspec.Raw, literals))) is None


@pytest.mark.parametrize("value", [b"null", b"1", b"[]", b'{"a":"b"}', b"-0.5", b'["a",\n"b"]', b'[\n"a"]'])
def test_other_values_are_no_texts(value: bytes) -> None:
    assert json_texts([msgspec.Raw(value)]) is None
    assert json_texts([msgspec.Raw(b'"a"'), msgspec.Raw(value), msgspec.Raw(b'"b"')]) is None


def _chunks(tmp_path: Path, content: bytes, fields: Fields, *extras: str) -> list[Chunk]:
    (tmp_path / "a.jsonl").write_bytes(content)
    return list(JsonLinesFile(tmp_path / "a.jsonl").chunks(fields, fields.text, extras))


def test_a_byte_that_is_not_utf8_costs_its_own_record_only(tmp_path: Path) -> None:
    lines = [b'{"id":%d,"text":"%s"}' % (number, "ب\\n".encode() * 20) for number in range(200)]
    lines[70] = lines[70].replace("ب".encode(), b"\xd8", 1)
    (chunk,) = _chunks(tmp_path, b"\n".join(lines), Fields())
    assert chunk.ids == [number for number in range(200) if number != 70]
    assert set(chunk.texts) == {"ب\n" * 20}
    assert [reject.line for reject in chunk.rejects] == [71]
    assert "not UTF-8" in chunk.rejects[0].reason


@pytest.mark.parametrize("neighbour", [b'{"id":2,"text":"fine"}', b'{"id":2,"text":"not \xff fine"}'])
def test_a_record_is_judged_alike_whatever_stands_beside_it(tmp_path: Path, neighbour: bytes) -> None:
    twice = b'{"id":1,"text":"\xff","text":"the last one counts"}'  # the first is a field that is not read
    (chunk,) = _chunks(tmp_path, twice + b"\n" + neighbour, Fields())
    assert (chunk.ids[0], chunk.texts[0]) == (1, "the last one counts")


def test_bad_dates_of_a_chunk_that_is_read_twice_count_once(tmp_path: Path) -> None:
    lines = [b'{"id":1,"text":"x","published_at":"soon"}', b'{"id":2,"text":"\xff"}', b"no JSON", b""]
    (chunk,) = _chunks(tmp_path, b"\n".join(lines), Fields())
    assert (chunk.ids, list(chunk.texts), chunk.bad_dates.count) == ([1], ["x"], 1)
    assert [reject.line for reject in chunk.rejects] == [2, 3]
    assert chunk.num_bytes == sum(len(line) + 1 for line in lines) - 1


def test_a_title_that_is_the_text_too_is_a_string(tmp_path: Path) -> None:
    (chunk,) = _chunks(tmp_path, b'{"id":1,"text":"a\\nb"}', Fields(title="text"), "title")
    assert (chunk.titles, list(chunk.texts)) == (["a\nb"], ["a\nb"])
