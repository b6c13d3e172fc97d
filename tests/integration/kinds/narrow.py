"""Spend a small budget."""

from msgspec import Struct

from functions.common.kind import Budget, Context, Kind

NARROW = Budget("narrow", limit=5, seconds=10)


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Output(Struct, frozen=True):
    """The unit was spent between these times (epoch ms)."""

    after: int
    before: int


def work(_: Input, context: Context) -> Output:
    after = context.now()
    context.spend(NARROW)
    return Output(after=after, before=context.now())


KIND = Kind("narrow", "Spend a small budget", Input, Output, work, memory=256, budgets=(NARROW,))
