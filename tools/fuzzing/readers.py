"""The readers of lines and of JSON records, on any bytes, against `bytes.split` and the `json` module.

The first byte of an input says how long the blocks are in which the others arrive. Each line is a record
or a reject, and a record exactly where the `json` module reads an object with a usable id and text. Bytes
that are not UTF-8 may stand in a field that is not read.
"""

import itertools
import json
from typing import Any, NoReturn

from dedup.articles import Fields
from dedup.formats import json_records, lines
from dedup.formats.byte_source import BYTE_ORDER_MARK
from dedup.formats.chunks import ChunkBuilder, FieldNames, without_surrogates
from dedup.formats.records import START_BYTES
from dedup.run.text_arrays import text_array

COVERED = (
    *(lines.numbered_lines, lines._join, lines._start),
    *(json_records.JsonRecordReader.take, json_records.JsonRecordReader._decode_slowly, json_records._guess),
    *(
        ChunkBuilder.add_columns,
        ChunkBuilder.checked_object,
        ChunkBuilder._why_not_id,
        ChunkBuilder._why_not_text,
    ),
)
"""What guides the fuzzer; msgspec, which is compiled, reports no coverage."""

_LONG = 32


def check(data: bytes) -> None:
    """Raise if lines or records are not those that the plain way gives."""
    size, body = (1 + data[0] % 64, data[1:]) if data else (1, b"")
    blocks = [body[k : k + size] for k in range(0, len(body), size)]
    expected = body.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    if not expected[-1]:
        expected.pop()
    found = list(lines.numbered_lines(iter(blocks)))
    if found != list(zip(itertools.count(1), expected, strict=False)):
        raise AssertionError(f"lines of {body!r} in blocks of {size}: {found!r}")
    _check_long_lines(blocks, expected)
    for line in expected:
        _check_record(line)


def _check_long_lines(blocks: list[bytes], expected: list[bytes]) -> None:
    """Check that of lines no line is lost and none changed where long ones are cut."""
    found = [line for _, line in lines.numbered_lines(iter(blocks), _LONG)]
    if len(found) != len(expected):
        raise AssertionError(f"{len(found)} lines, expected {len(expected)}, of {blocks!r}")
    for number, (line, whole) in enumerate(zip(found, expected, strict=True)):
        is_cut = type(line) is lines.LongLine
        if number == 0 and is_cut:
            continue  # the byte order mark counts where a first line is measured
        if is_cut and len(whole) <= _LONG:
            raise AssertionError(f"a line of {len(whole)} bytes was cut: {whole!r}")
        if line != (whole[: min(len(line), START_BYTES)] if is_cut else whole):
            raise AssertionError(f"the line {whole!r} came as {line!r}")


def _check_record(raw: bytes) -> None:
    reader = json_records.JsonRecordReader("fuzz", FieldNames.of(Fields(), "text"))
    reader.read(1, raw)
    chunk = reader.take()
    found = list(zip(chunk.ids, text_array(chunk.texts).to_pylist(), strict=True))
    if len(found) + len(chunk.rejects) != 1:
        raise AssertionError(f"{raw!r} gave {len(found)} records and {len(chunk.rejects)} rejects")
    expected = _plain_record(raw, "strict")
    if found != expected and not (found and found == _plain_record(raw, "replace")):
        raise AssertionError(f"{raw!r}: {found!r}, rejects {chunk.rejects!r}; expected {expected!r}")


def _plain_record(raw: bytes, errors: str) -> list[tuple[Any, str]]:
    """Return the id and the text of a record, nothing if it is not usable."""
    try:
        record = json.loads(raw.decode(errors=errors), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return []
    if not isinstance(record, dict):
        return []
    id_, text = record.get("id"), record.get("text")
    if type(id_) not in (int, str) or not isinstance(text, str):
        return []
    if id_ == "" or (isinstance(id_, str) and id_ != without_surrogates(id_)):
        return []
    return [(id_, without_surrogates(text))]


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
