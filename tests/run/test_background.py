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


def test_functions_are_called_one_by_one() -> None:
    done: list[str] = []
    with beside(lambda: done.append("first"), lambda: done.append("second")):
        pass
    assert done == ["first", "second"]


def test_where_the_block_fails_the_function_under_way_ends_and_no_other_begins() -> None:
    begun, failing, done = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        assert failing.wait(30)
        done.append("first")

    def block() -> None:
        with beside(work, lambda: done.append("second")):
            assert begun.wait(30)
            threading.Timer(0.1, failing.set).start()
            raise KeyError

    with pytest.raises(KeyError):
        block()
    assert done == ["first"]
