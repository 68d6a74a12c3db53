"""Work in another thread."""

import threading

import pytest

from dedup.run.background import beside, call_in_background


def test_a_call_returns_and_raises_what_the_function_does() -> None:
    assert call_in_background(lambda: threading.current_thread() is threading.main_thread()) is False
    with pytest.raises(ZeroDivisionError):
        call_in_background(lambda: 1 // 0)


def test_a_block_runs_beside_a_function_and_ends_after_it() -> None:
    begun, done = threading.Event(), []

    def work() -> None:
        assert begun.wait(30)  # set by the block: the two run side by side
        done.append("work")

    with beside(work):
        begun.set()
    assert done == ["work"]


def test_what_the_function_raises_comes_at_the_end_of_the_block() -> None:
    reached = []
    with pytest.raises(ZeroDivisionError), beside(lambda: 1 // 0):
        reached.append("end")
    assert reached == ["end"]


def test_what_the_block_raises_comes_once_the_function_has_ended() -> None:
    done = threading.Event()
    with pytest.raises(KeyError), beside(done.set):
        raise KeyError
    assert done.is_set()
