"""The live stream of the deployed whole: named jobs, resuming, several relays."""

import uuid

from tests.integration.conftest import Calo, eventually


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


def relay_queues(calo: Calo) -> list[str]:
    found: list[str] = calo.client("sqs").list_queues(QueueNamePrefix="CaloRelay-").get("QueueUrls", [])
    return found


def subscriptions(calo: Calo) -> int:
    return len(calo.client("sns").list_subscriptions()["Subscriptions"])


def test_a_relay_that_is_stopped_takes_its_queue_along_and_its_successor_misses_nothing(calo: Calo) -> None:
    assert (len(relay_queues(calo)), subscriptions(calo)) == (1, 1)
    with calo.live() as before:
        before.ended(calo.create("pasta")["id"])
        cursor = before.cursors[-1]
        calo.system.relay.stop()
        assert (relay_queues(calo), subscriptions(calo)) == ([], 0)
    meanwhile = calo.create("pasta")
    eventually(lambda: calo.get(f"jobs/{meanwhile['id']}").json()["status"] == "resolved")
    calo.system.start_relay()
    with calo.live(lastEventId=cursor) as after:
        assert after.ended(meanwhile["id"])["status"] == "resolved"
    assert (len(relay_queues(calo)), subscriptions(calo)) == (1, 1)
