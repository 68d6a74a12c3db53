"""Word keys: the compiled pass equals its twin, and inflected forms of one word have one key."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dedup.run.sketching import sketch_texts
from dedup.run.text_arrays import text_array
from dedup.settings import NGRAM_LENGTHS, Settings
from dedup.text import reference
from dedup.text.hashing import hash_character_shingle
from dedup.text.word_keys import CLITICS, ENDINGS

HEADLINE = Settings.of("headline")
PARTS = st.sampled_from(
    [*CLITICS, *ENDINGS, "وزير", "قال", " ", " ", "2024", "٣", "東", "京", "กขค", "Oslo", "é"]
)


def compiled(texts: list[str]) -> list[list[int]]:
    sketches = sketch_texts(text_array(texts), HEADLINE)
    return [keys.tolist() for keys in np.split(sketches.keys, sketches.key_offsets[1:-1])]


def hashed(text: str) -> list[int]:
    """The keys of the twin as the kernel hashes them: a run of an unspaced script has its length in it."""
    found = []
    for key in reference.word_keys(text):
        script = reference.load_fold_table().script_class(ord(key[0]))
        further = NGRAM_LENGTHS[script] - 1 if 1 <= script <= 3 else 0
        found.append(hash_character_shingle(key.encode()) & 0xFFFFFFFC | further)
    return sorted(set(found))


@given(st.lists(st.lists(PARTS, max_size=12).map("".join) | st.text(max_size=12), min_size=1, max_size=5))
def test_compiled_keys_equal_the_reference(texts: list[str]) -> None:
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    assert compiled(clean) == [hashed(text) for text in clean]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("بالطائف", "الطايف"),
        ("معلمين", "المعلمون"),
        ("presidential", "presidents"),
        ("президента", "президентом"),
    ],
)
def test_forms_of_one_word_share_a_key(a: str, b: str) -> None:
    assert reference.word_keys(a) == reference.word_keys(b)


def test_numbers_stay_whole_and_short_words_keep_their_letters() -> None:
    assert reference.word_keys("1234567 1234568") == ["1234567", "1234568"]
    assert reference.word_keys("ولد") == ["ولد"]


def test_scripts_without_spaces_give_runs_of_characters() -> None:
    assert reference.word_keys("東京都 a東") == ["a", "京都", "東京"]
