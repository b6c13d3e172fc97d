"""The timer wheel."""

from functions.sse_relay.http.wheel import TimerWheel


def test_a_timer_fires_once_at_the_first_tick_after_its_time() -> None:
    wheel: TimerWheel[str] = TimerWheel(now=100.0)
    for entry, at in (("past", 99.0), ("soon", 100.5), ("same", 100.9), ("later", 103.2)):
        wheel.add(entry, at)
    assert set(wheel.advance(100.9)) == set()
    assert set(wheel.advance(101.0)) == {"past", "soon", "same"}
    assert set(wheel.advance(103.9)) == set()
    assert set(wheel.advance(104.0)) == {"later"}
    assert set(wheel.advance(200.0)) == set()


def test_all_timers_fire_after_a_long_pause() -> None:
    wheel: TimerWheel[int] = TimerWheel(now=0.0)
    for second in range(50):
        wheel.add(second, second)
    assert list(wheel.advance(60.0)) == list(range(50))


def test_a_timer_added_while_the_wheel_advances_fires_one_tick_later() -> None:
    wheel: TimerWheel[str] = TimerWheel(now=0.0)
    wheel.add("x", 0.5)
    fired = []
    for entry in wheel.advance(10.0):
        fired.append(entry)
        if len(fired) < 3:
            wheel.add(entry, 0.0)
    assert fired == ["x", "x", "x"]
