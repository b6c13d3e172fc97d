"""The live stream of the deployed system: streams of given jobs, resuming, several relays."""

import uuid

from infra.names import RELAY_QUEUE_PREFIX
from tests.integration.conftest import Calo, LiveStream, eventually


def test_a_stream_of_a_job_begins_with_its_current_state(calo: Calo) -> None:
    with calo.live() as live:
        job = live.wait_for_end(calo.create("pasta")["id"])
    with calo.live(job=job["id"]) as named:
        assert named.wait_for(lambda _: True) == job


def test_a_stream_of_a_job_contains_only_that_job(calo: Calo) -> None:
    mine = calo.create("pasta", delay_seconds=1)
    with calo.live(job=mine["id"]) as live:
        calo.create("soup")
        live.wait_for_end(mine["id"])
    assert {job["id"] for job in live.received} == {mine["id"]}


def test_no_change_is_lost_between_the_list_and_the_stream(calo: Calo) -> None:
    cursor = calo.get("jobs").json()["live_cursor"]
    with calo.live() as elsewhere:
        job = elsewhere.wait_for_end(calo.create("pasta")["id"])
    with calo.live(lastEventId=cursor) as live:
        assert live.wait_for_end(job["id"]) == job


def test_a_stream_resumes_from_its_last_event(calo: Calo) -> None:
    with calo.live() as live:
        live.wait_for_end(calo.create("pasta")["id"])
        cursor = live.cursors[-1]
    with calo.live() as elsewhere:
        missed = elsewhere.wait_for_end(calo.create("pasta")["id"])
    with calo.live(lastEventId=cursor) as resumed:
        assert resumed.wait_for_end(missed["id"]) == missed


def test_a_cursor_that_cannot_be_served_causes_a_resync(calo: Calo) -> None:
    for cursor in ("junk", "1"):
        with calo.live(lastEventId=cursor) as live:
            assert live.next_event().event == "resync"


def test_an_unknown_id_opens_a_stream_and_a_malformed_id_is_rejected(calo: Calo) -> None:
    assert calo.get("live", job="12").status_code == 400
    mine = calo.create("pasta")
    with calo.live(job=f"{uuid.uuid4()},{mine['id']}") as live:
        live.wait_for_end(mine["id"])
    assert {job["id"] for job in live.received} == {mine["id"]}


def count_subscriptions(calo: Calo) -> int:
    """Return the number of the relays' subscriptions. That of the webhooks is another."""
    subscriptions = calo.client("sns").list_subscriptions()["Subscriptions"]
    return sum(RELAY_QUEUE_PREFIX in subscription["Endpoint"] for subscription in subscriptions)


def test_a_stopped_relay_deletes_its_queue_and_the_next_relay_misses_nothing(calo: Calo) -> None:
    assert (len(calo.relay_queues()), count_subscriptions(calo)) == (1, 1)
    with calo.live() as before:
        before.wait_for_end(calo.create("pasta")["id"])
        cursor = before.cursors[-1]
        calo.system.relay.stop()
        assert (calo.relay_queues(), count_subscriptions(calo)) == ([], 0)
    meanwhile = calo.create("pasta")
    eventually(lambda: calo.get(f"jobs/{meanwhile['id']}").json()["status"] == "resolved")
    calo.system.start_relay()
    with calo.live(lastEventId=cursor) as after:
        assert after.wait_for_end(meanwhile["id"])["status"] == "resolved"
    assert (len(calo.relay_queues()), count_subscriptions(calo)) == (1, 1)


def test_clients_of_two_relays_both_see_every_job_end(calo: Calo) -> None:
    """They may miss a version: a queue does not keep the order, and a relay skips older versions."""
    with calo.system.another_relay({}) as relay, calo.live() as first, LiveStream(relay.url) as second:
        assert (len(calo.relay_queues()), count_subscriptions(calo)) == (2, 2)
        jobs = {calo.create("pasta")["id"] for _ in range(10)}
        for live in (first, second):
            pending = set(jobs)
            while pending:
                pending.discard(live.wait_for(lambda job: job["status"] == "resolved")["id"])
    for live in (first, second):
        for job_id in jobs:
            versions = [job["version"] for job in live.received if job["id"] == job_id]
            assert versions in ([1, 2], [2])


def test_the_relay_after_a_killed_one_takes_over_its_queue(calo: Calo) -> None:
    with calo.live() as before:
        before.catch_up(calo)
        cursor = before.cursors[-1]
        queues = calo.relay_queues()
        calo.system.relay.kill()
    meanwhile = calo.create("pasta")
    calo.system.start_relay()
    assert (calo.relay_queues(), count_subscriptions(calo)) == (queues, 1)
    with calo.live(lastEventId=cursor) as after:
        assert after.wait_for_end(meanwhile["id"])["status"] == "resolved"
        # open requests of the killed relay may receive messages, which are redelivered within seconds
        for _ in range(3):
            after.wait_for_end(calo.create("pasta")["id"], seconds=25)
