"""The kinds of the simulation: photo and countdown as they are, and kinds that fail in every way."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from msgspec import Struct

from functions.common.budget import Limits
from functions.common.kind import Budget, Context, Kind, Permanent, RateLimited, Transient
from kinds import countdown, photo
from kinds.photo.find_photos import assign_photos
from kinds.photo.photo_source import PhotoSource
from kinds.photo.spares import SparePhotos
from tests.simulation.third_party import Images, ThirdParty
from tests.simulation.world import World

PHOTO_LIMIT = Limits(limit=2, seconds=60, share=2)
NARROW = Budget("narrow", limit=2, seconds=30)
Way = Literal[
    "none",
    "permanent",
    "transient",
    "waits",
    "waits long",
    "exception",
    "hangs",
    "bad_output",
    "dies",
    "exits",
]


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    way: Way = "none"
    until_attempt: int = 9


class Output(Struct, frozen=True):
    attempt: int


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    pass


@dataclass(frozen=True)
class Kinds:
    """The declarations by name, with work that runs in this world."""

    world: World
    third_party: ThirdParty
    spent: list[int] = field(default_factory=list)
    """When a unit of the narrow budget was spent (the world's time)."""

    @property
    def declarations(self) -> dict[str, Kind]:
        flaky = Kind("flaky", "Fail", Input, Output, self._fail, attempts=3, retry_seconds=2, timeout=10)
        narrow = Kind("narrow", "Spend", Nothing, Output, self._spend, timeout=10, budgets=(NARROW,))
        return {
            "photo": replace(photo.KIND, work=self._find_photos, retry_seconds=2, timeout=30),
            "countdown": replace(countdown.KIND, timeout=30),
            "flaky": flaky,
            "narrow": narrow,
        }

    def _find_photos(self, jobs: Any, context: Context) -> Any:
        process = self.world.process
        spares = SparePhotos(context.items)
        source = PhotoSource(self.third_party, spares, context, sleep=process.sleep)
        return assign_photos(jobs, source, Images())

    def _spend(self, _: Nothing, context: Context) -> Output:
        context.spend(NARROW)
        self.spent.append(self.world.now)
        return Output(attempt=context.attempt)

    def _fail(self, wanted: Input, context: Context) -> Any:
        if context.attempt >= wanted.until_attempt:
            return Output(attempt=context.attempt)
        match wanted.way:
            case "permanent":
                raise Permanent("no_luck", "it cannot work")
            case "transient":
                raise Transient("unlucky", "it may work later")
            case "waits":
                if context.now() < self.world.start + 20_000:
                    raise RateLimited(context.now() + 5_000)
            case "waits long":
                if context.now() < self.world.start + 500_000:
                    raise RateLimited(self.world.start + 1_000_000)
            case "exception":
                raise ZeroDivisionError("a secret")
            case "hangs":
                context.sleep(600)
            case "bad_output":
                return {"attempt": 1}
            case "dies":
                raise self.world.kill(self.world.process)
            case "exits":
                raise SystemExit
        return Output(attempt=context.attempt)
