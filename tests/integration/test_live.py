"""The live stream of the deployed whole: named jobs, resuming, several relays."""

import uuid

from tests.integration.conftest import Calo, Live, eventually


def test_a_named_job_is_shown_as_it_is_now_first(calo: Calo) -> None:
    with calo.live() as live:
        job = live.ended(calo.create("pasta")["id"])
    with calo.live(job=job["id"]) as named:
        assert named.until(lambda _: True) == job


def test_a_named_stream_shows_nothing_else(calo: Calo) -> None:
    mine = calo.create("pasta", delay_seconds=1)
    with calo.live(job=mine["id"]) as live:
        calo.create("soup")
        live.ended(mine["id"])
    assert {job["id"] for job in live.seen} == {mine["id"]}


def test_nothing_falls_between_the_list_and_the_stream(calo: Calo) -> None:
    cursor = calo.get("jobs").json()["live_cursor"]
    with calo.live() as elsewhere:
        job = elsewhere.ended(calo.create("pasta")["id"])
    with calo.live(lastEventId=cursor) as live:
        assert live.ended(job["id"]) == job


def test_a_stream_resumes_from_its_last_event(calo: Calo) -> None:
    with calo.live() as live:
        live.ended(calo.create("pasta")["id"])
        cursor = live.cursors[-1]
    with calo.live() as elsewhere:
        missed = elsewhere.ended(calo.create("pasta")["id"])
    with calo.live(lastEventId=cursor) as resumed:
        assert resumed.ended(missed["id"]) == missed


def test_a_cursor_that_cannot_be_served_asks_for_a_resync(calo: Calo) -> None:
    for cursor in ("junk", "1"):
        with calo.live(lastEventId=cursor) as live:
            assert live.event().event == "resync"


def test_an_unknown_name_gets_a_silent_stream_and_a_bad_one_a_refusal(calo: Calo) -> None:
    assert calo.get("live", job="12").status_code == 400
    mine = calo.create("pasta")
    with calo.live(job=f"{uuid.uuid4()},{mine['id']}") as live:
        live.ended(mine["id"])
    assert {job["id"] for job in live.seen} == {mine["id"]}


def subscriptions(calo: Calo) -> int:
    return len(calo.client("sns").list_subscriptions()["Subscriptions"])


def test_a_relay_that_is_stopped_takes_its_queue_along_and_its_successor_misses_nothing(calo: Calo) -> None:
    assert (len(calo.relay_queues()), subscriptions(calo)) == (1, 1)
    with calo.live() as before:
        before.ended(calo.create("pasta")["id"])
        cursor = before.cursors[-1]
        calo.system.relay.stop()
        assert (calo.relay_queues(), subscriptions(calo)) == ([], 0)
    meanwhile = calo.create("pasta")
    eventually(lambda: calo.get(f"jobs/{meanwhile['id']}").json()["status"] == "resolved")
    calo.system.start_relay()
    with calo.live(lastEventId=cursor) as after:
        assert after.ended(meanwhile["id"])["status"] == "resolved"
    assert (len(calo.relay_queues()), subscriptions(calo)) == (1, 1)


def test_a_client_of_either_of_two_relays_sees_every_job_end(calo: Calo) -> None:
    """Not every version: a queue keeps no order, and a pending job that comes after its end is old news."""
    with calo.system.another_relay({}) as relay, calo.live() as one, Live(relay.url) as other:
        assert (len(calo.relay_queues()), subscriptions(calo)) == (2, 2)
        jobs = {calo.create("pasta")["id"] for _ in range(10)}
        for live in (one, other):
            unended = set(jobs)
            while unended:
                unended.discard(live.until(lambda job: job["status"] == "resolved")["id"])
    for live in (one, other):
        for job_id in jobs:
            versions = [job["version"] for job in live.seen if job["id"] == job_id]
            assert versions in ([1, 2], [2])


def test_a_relay_that_was_killed_is_followed_by_one_that_takes_over_its_queue(calo: Calo) -> None:
    with calo.live() as before:
        before.fence(calo)
        cursor = before.cursors[-1]
        queues = calo.relay_queues()
        calo.system.relay.kill()
    meanwhile = calo.create("pasta")
    calo.system.start_relay()
    assert (calo.relay_queues(), subscriptions(calo)) == (queues, 1)
    with calo.live(lastEventId=cursor) as after:
        assert after.ended(meanwhile["id"])["status"] == "resolved"
        # the dead one's last requests may still take messages; those come again within seconds
        for _ in range(3):
            after.ended(calo.create("pasta")["id"], seconds=25)
