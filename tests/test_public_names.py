"""Every public function refuses what it cannot use with an error of this package that names the argument."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import dedup
from dedup.settings import NGRAM_LENGTHS

TEXT = "one two three four"

OF_A_TEXT: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "normalize": ("text", dedup.normalize),
    "tokens": ("text", dedup.tokens),
    "word_shingles": ("text", dedup.word_shingles),
    "character_shingles": ("text", lambda text: dedup.character_shingles(text, NGRAM_LENGTHS)),
    "cut_furniture": ("text", dedup.cut_furniture),
    "compare, first": ("a", lambda text: dedup.compare(text, TEXT)),
    "compare, second": ("b", lambda text: dedup.compare(TEXT, text)),
}
NO_TEXTS: dict[str, Any] = {
    "None": None,
    "int": 7,
    "bytes": b"one",
    "list of None": [None],
    "list of str": [TEXT],
    "generator": (text for text in [TEXT]),
    "pandas": pd.Series([TEXT]),
    "arrow": pa.array([TEXT]),
    "numpy": np.array([TEXT]),
    "empty list": [],
}


@pytest.mark.parametrize("given", NO_TEXTS)
@pytest.mark.parametrize("name", OF_A_TEXT)
def test_what_is_no_string_is_refused_by_the_name_of_the_argument(name: str, given: str) -> None:
    argument, function = OF_A_TEXT[name]
    with pytest.raises(dedup.InputError, match=rf"^{argument} is .*; expected a string"):
        function(NO_TEXTS[given])


@pytest.mark.parametrize("given", [None, 7, "one", 1.5, [b"one"], []])
@pytest.mark.parametrize("function", [dedup.hash_word_shingle, dedup.hash_character_shingle])
def test_what_is_no_shingle_is_refused(function: Callable[[Any], int], given: Any) -> None:
    with pytest.raises(dedup.InputError, match=r"^shingle is .*; expected bytes"):
        function(given)
    with pytest.raises(dedup.InputError, match="shingle is not UTF-8"):
        function(b"\xff")


@pytest.mark.parametrize("size", [None, 0, -1, 1.5, "3", True, [3]])
def test_size_of_shingles_is_a_whole_number(size: Any) -> None:
    with pytest.raises(dedup.InputError, match=r"^size is .*; expected a whole number"):
        dedup.word_shingles(TEXT, size)
    with pytest.raises(dedup.InputError, match="expected a whole number"):
        dedup.character_shingles(TEXT, (size,) * 8)
    with pytest.raises(dedup.InputError, match=r"^lengths are "):
        dedup.character_shingles(TEXT, size)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (None, "texts is None; expected a list of strings"),
        (7, "texts is the int 7; expected a list of strings"),
        (TEXT, "texts is a str; expected a list of strings"),
        (b"one", "texts is bytes; expected a list of strings"),
        ({TEXT: 1}, "texts is a dict; expected a list of strings"),
        ([TEXT, None], "texts: number 1 is None; expected a string"),
        ([b"one"], "texts: number 0 is bytes; expected a string"),
        (pd.Series([TEXT, 3]), "texts: number 1 is the int 3; expected a string"),
        (pa.array([1, 2]), "texts are an Arrow array of int64; expected strings"),
        (pa.array([TEXT, None]), "texts: number 1 is null; expected a string"),
    ],
)
def test_texts_to_sign_are_a_list_of_strings(texts: Any, words: str) -> None:
    with pytest.raises(dedup.InputError, match=words):
        dedup.sign_texts(texts)


@pytest.mark.parametrize(
    "texts",
    [
        [TEXT],
        (TEXT,),
        (text for text in [TEXT]),
        np.array([TEXT]),
        pd.Series([TEXT]),
        pa.array([TEXT]),
        pa.array([TEXT], pa.large_string()),
        pa.array([TEXT]).dictionary_encode(),
        pa.chunked_array([[TEXT]]),
    ],
)
def test_texts_in_every_form_have_one_signature(texts: Any) -> None:
    assert np.array_equal(dedup.sign_texts(texts), dedup.sign_texts([TEXT]))


@pytest.mark.parametrize("texts", [[], (), pa.array([], pa.string()), pa.chunked_array([], pa.string())])
def test_no_texts_have_no_signatures(texts: Any) -> None:
    assert dedup.sign_texts(texts).shape == (0, 128)


@pytest.mark.parametrize("given", [None, 7, b"x", [None], "row", [[1, 2]], [1.5], {}])
def test_rows_of_hashes_are_whole_numbers(given: Any) -> None:
    with pytest.raises(dedup.InputError, match=r"^hashes is .*; expected one row of uint32"):
        dedup.sign_shingle_hashes(given, np.array([0, 1]))
    with pytest.raises(dedup.InputError, match=r"^offsets is .*; expected one row of int64"):
        dedup.sign_shingle_hashes(np.array([1], dtype=np.uint32), given)
    with pytest.raises(dedup.InputError, match=r"^a is .*; expected one row of uint32"):
        dedup.estimate_jaccard(given, given)
    with pytest.raises(dedup.InputError, match=r"^signature is .*; expected one row of uint32"):
        dedup.to_datasketch(given)
    with pytest.raises(dedup.InputError, match=r"^minhash is .*; expected a datasketch.MinHash"):
        dedup.from_datasketch(given)


@pytest.mark.parametrize("given", [None, "8", 1.5, [8], 0])
def test_number_of_permutations_is_a_whole_number(given: Any) -> None:
    with pytest.raises(dedup.SettingsError, match=r"^num_perm is "):
        dedup.sign_shingle_hashes([1, 2], [0, 2], num_perm=given)


def test_lists_of_hashes_serve_as_arrays_do() -> None:
    arrays = np.array([1, 2], dtype=np.uint32), np.array([0, 2])
    assert np.array_equal(dedup.sign_shingle_hashes([1, 2], [0, 2]), dedup.sign_shingle_hashes(*arrays))


@pytest.mark.parametrize("given", [7, "headline", {"threshold": 0.5}, [], pd.Series([1])])
def test_settings_and_fields_of_another_type_are_refused(given: Any) -> None:
    for call in (
        lambda: dedup.find_groups([], given),
        lambda: dedup.find_pairs([], given),
        lambda: dedup.compare(TEXT, TEXT, given),
        lambda: dedup.sign_texts([TEXT], given),
    ):
        with pytest.raises(dedup.SettingsError, match=r"^settings is .*; it is a dedup.Settings"):
            call()
    for find in (dedup.find_groups, dedup.find_pairs):
        with pytest.raises(dedup.SettingsError, match=r"(?s)^fields (is|has) .*; it is "):
            find([], fields=given)


@pytest.mark.parametrize("given", [None, 7, ["text"], b"text"])
def test_names_of_fields_are_strings(given: Any) -> None:
    with pytest.raises(dedup.SettingsError, match=r"^fields: text is .*; it is the name of a field"):
        dedup.Fields(text=given)


@pytest.mark.parametrize("given", [None, "2", 1.5, [2], True, 0])
def test_number_of_threads_is_a_whole_number(given: Any) -> None:
    with pytest.raises(dedup.SettingsError, match=r"^num_threads is .*; it is a number of threads"):
        dedup.find_groups([TEXT], num_threads=given)


@pytest.mark.parametrize("given", [None, 7, "text", b"text", {"id": 1}, 1.5])
def test_records_of_another_type_are_refused(given: Any) -> None:
    for find in (dedup.find_groups, dedup.find_pairs):
        with pytest.raises(dedup.InputError, match=r"^records is .*; expected a list of dicts"):
            find(given)


def test_no_records_have_no_groups_and_no_pairs() -> None:
    assert len(dedup.find_groups([])) == len(dedup.find_pairs([])) == 0


def test_groups_and_pairs_show_their_counts() -> None:
    texts = [f"{TEXT} five six seven", f"{TEXT} five six seven", "rain"]
    assert repr(dedup.find_groups(texts)) == "<Groups: 1 of 3 articles, 1 of them copies>"
    assert repr(dedup.find_pairs(texts)) == "<Pairs: 1 of 3 articles>"


def test_library_says_nothing_of_compiling() -> None:
    script = "import dedup; dedup.normalize('one')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
