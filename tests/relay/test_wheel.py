"""What is due when."""

from functions.sse_relay.wheel import Wheel


def test_entries_come_back_once_at_the_first_tick_after_their_time() -> None:
    wheel: Wheel[str] = Wheel(now=100.0)
    for entry, due in (("late", 99.0), ("soon", 100.5), ("same", 100.9), ("later", 103.2)):
        wheel.put(entry, due)
    assert set(wheel.turn(100.9)) == set()
    assert set(wheel.turn(101.0)) == {"late", "soon", "same"}
    assert set(wheel.turn(103.9)) == set()
    assert set(wheel.turn(104.0)) == {"later"}
    assert set(wheel.turn(200.0)) == set()


def test_a_long_pause_leaves_nothing_out() -> None:
    wheel: Wheel[int] = Wheel(now=0.0)
    for second in range(50):
        wheel.put(second, second)
    assert list(wheel.turn(60.0)) == list(range(50))


def test_an_entry_put_back_while_the_wheel_turns_comes_a_tick_later() -> None:
    wheel: Wheel[str] = Wheel(now=0.0)
    wheel.put("x", 0.5)
    seen = []
    for entry in wheel.turn(10.0):
        seen.append(entry)
        if len(seen) < 3:
            wheel.put(entry, 0.0)
    assert seen == ["x", "x", "x"]
