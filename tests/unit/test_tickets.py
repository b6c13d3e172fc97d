"""Tickets: what they carry, which keys sign and verify them, how keys are replaced."""

import base64
import json
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.common.tickets import (
    ACCEPTED,
    KEYS_MAX_AGE,
    REFETCH_INTERVAL,
    SIGNING,
    InvalidTicket,
    Key,
    Ticket,
    TicketKeys,
    fetch_keys,
    read_ticket,
)

NOW = 1_800_000_000_000
OLD, NEW = ("v1", b"the old key"), ("v2", b"the new key")
TICKET = Ticket("ann", False, None, NOW + 60_000, NOW + 3_600_000)
JOBS = ["3f2a4b66-7c8d-4e9f-8a1b-2c3d4e5f6a7b"]


class Secrets:
    """The keys as they are at the moment, newest first. Counts how often they are fetched."""

    def __init__(self, *keys: Key) -> None:
        self.keys = list(keys)
        self.count = 0
        self.fails = False

    def fetch(self) -> list[Key]:
        self.count += 1
        if self.fails:
            raise ClientError({"Error": {"Code": "InternalServiceError"}}, "GetSecretValue")
        return list(self.keys)

    def rotate(self, key: Key) -> None:
        self.keys = [key, *self.keys][:2]


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.mark.parametrize(
    "ticket",
    [
        TICKET,
        replace(TICKET, is_operator=True),
        replace(TICKET, jobs=JOBS),
        replace(TICKET, jobs=[]),
        replace(TICKET, token_expires_at=None),
    ],
)
def test_a_ticket_survives_its_way_through_the_url(ticket: Ticket) -> None:
    text = ticket.sign(NEW)
    assert all(c.isalnum() or c in "-_." for c in text)
    assert read_ticket(text, TicketKeys(Secrets(NEW).fetch), NOW) == ticket


def test_a_ticket_is_valid_until_it_expires() -> None:
    keys, text = TicketKeys(Secrets(NEW).fetch), TICKET.sign(NEW)
    assert read_ticket(text, keys, TICKET.expires_at - 1) == TICKET
    with pytest.raises(InvalidTicket, match="expired"):
        read_ticket(text, keys, TICKET.expires_at)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "v2", "v2.x", "v2..x", ".x.y", "v2.e30.", "ü.ü.ü", "v2.\ud800.x"]
)
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidTicket):
        read_ticket(text, TicketKeys(Secrets(NEW).fetch), NOW)


def test_every_changed_character_is_detected() -> None:
    text, keys = replace(TICKET, jobs=JOBS).sign(NEW), TicketKeys(Secrets(OLD, NEW).fetch)
    for index, character in enumerate(text):
        changed = text[:index] + ("A" if character != "A" else "B") + text[index + 1 :]
        with pytest.raises(InvalidTicket):
            read_ticket(changed, keys, NOW)


def test_the_content_of_another_ticket_is_refused() -> None:
    """Having a ticket does not help to make one of another owner."""
    key_id, content, signature = TICKET.sign(NEW).split(".")
    forged = json.loads(base64.urlsafe_b64decode(content + "==")) | {"owner": "bob"}
    encoded = base64.urlsafe_b64encode(json.dumps(forged).encode()).decode().rstrip("=")
    for text in (
        f"{key_id}.{encoded}.{signature}",
        f"{key_id}.{encoded}.",
        f"{OLD[0]}.{content}.{signature}",
    ):
        with pytest.raises(InvalidTicket):
            read_ticket(text, TicketKeys(Secrets(NEW, OLD).fetch), NOW)


def test_a_signed_text_of_another_form_is_refused() -> None:
    import functions.common.tickets as module

    for content in ("e30", "bnVsbA", "W10", "!", "_w"):  # {}, null, [], and no JSON
        signed = f"{NEW[0]}.{content}"
        with pytest.raises(InvalidTicket):
            read_ticket(f"{signed}.{module._signature(signed, NEW[1])}", TicketKeys(Secrets(NEW).fetch), NOW)


# --- keys ---


def test_a_ticket_is_valid_after_one_rotation_but_not_after_two(clock: Clock) -> None:
    secrets = Secrets(OLD)
    keys, text = TicketKeys(secrets.fetch, clock), TICKET.sign(OLD)
    read_ticket(text, keys, NOW)
    secrets.rotate(NEW)
    clock.now += KEYS_MAX_AGE
    assert read_ticket(text, keys, NOW) == TICKET
    assert keys.newest() == NEW
    secrets.rotate(("v3", b"the newest"))
    clock.now += KEYS_MAX_AGE
    with pytest.raises(InvalidTicket):
        read_ticket(text, keys, NOW)
    assert keys.newest() == ("v3", b"the newest")


def test_an_unknown_key_is_looked_up_once_a_minute(clock: Clock) -> None:
    secrets = Secrets(OLD)
    keys = TicketKeys(secrets.fetch, clock)
    assert keys.newest() == OLD
    secrets.rotate(NEW)
    assert [keys.find("v2") for _ in range(5)] == [None] * 5
    assert secrets.count == 1
    clock.now += REFETCH_INTERVAL
    assert keys.find("v2") == NEW[1]
    assert [keys.find("invented") for _ in range(5)] == [None] * 5
    assert secrets.count == 2


def test_keys_are_kept_for_minutes_and_while_they_cannot_be_fetched(clock: Clock) -> None:
    secrets = Secrets(OLD)
    keys = TicketKeys(secrets.fetch, clock)
    secrets.fails = True
    with pytest.raises(ClientError):
        keys.newest()
    secrets.fails = False
    for _ in range(3):
        assert keys.newest() == OLD
        assert keys.find("v1") == OLD[1]
    assert secrets.count == 2
    secrets.rotate(NEW)
    secrets.fails = True
    clock.now += KEYS_MAX_AGE
    assert [keys.newest() for _ in range(3)] == [OLD] * 3
    assert secrets.count == 3, "the next attempt follows a minute later"
    secrets.fails = False
    clock.now += REFETCH_INTERVAL
    assert keys.newest() == NEW


def test_the_versions_of_the_secret_are_the_keys(aws: boto3.Session) -> None:
    client: Any = aws.client("secretsmanager")
    with pytest.raises(ClientError):
        fetch_keys(client, "tickets", (SIGNING, ACCEPTED))
    client.create_secret(Name="tickets", SecretString="first")
    values = []
    for text in ("first", "second", "third"):
        client.put_secret_value(SecretId="tickets", SecretString=text)
        keys = fetch_keys(client, "tickets", (SIGNING, ACCEPTED))
        values.append([value for _, value in keys])
        assert [len(key_id) > 30 and "." not in key_id for key_id, _ in keys] == [True] * len(keys)
    assert values[1:] == [[b"second", b"first"], [b"third", b"second"]]
    assert fetch_keys(client, "tickets", (SIGNING,)) == keys[:1]
