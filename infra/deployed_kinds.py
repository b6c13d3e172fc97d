"""The kinds and budgets of a deployment: the declarations, changed by its settings."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from functions.common.kind import Budget, Kind
from infra.kinds import KINDS, Declaration, read_kinds
from infra.names import construct_name
from infra.settings import Settings

KIND_OPTIONS = ("timeout", "memory", "concurrency", "retry_seconds")
"""What a deployment can change of a declaration."""
ENVIRONMENT = "environment"
PHOTO = "photo"
"""The kind of the first contract. The setting `images` and some names of outputs are for it."""


@dataclass(frozen=True)
class DeployedKind:
    """A kind with the deployment's own values: see `kinds_of`. `environment` is the worker's."""

    declaration: Declaration
    kind: Kind
    environment: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def construct_name(self) -> str:
        """The name in the ids of constructs."""
        return construct_name(self.kind.name)


@dataclass(frozen=True)
class Kinds:
    """All kinds and budgets of a deployment, by name."""

    deployed: dict[str, DeployedKind]
    budgets: dict[str, Budget]

    @property
    def store_files(self) -> bool:
        """Whether one of the kinds stores files."""
        return any(kind.kind.stores_files for kind in self.deployed.values())

    @property
    def secrets(self) -> list[str]:
        """The names of the secrets of all kinds, sorted."""
        return sorted({name for kind in self.deployed.values() for name in kind.kind.secrets})

    @property
    def declarations(self) -> dict[str, Declaration]:
        """The declarations as they are in the files."""
        return {name: kind.declaration for name, kind in self.deployed.items()}

    def limits(self, settings: Settings, budgets: Iterable[Budget]) -> str:
        """Return the limits of budgets as JSON, in the form that the functions read."""
        deployed = [self.budgets[budget.name] for budget in budgets]
        limits = {
            budget.name: {
                "limit": budget.limit,
                "seconds": budget.seconds,
                "share": settings.share(budget.limit),
            }
            for budget in deployed
        }
        return json.dumps(limits, separators=(",", ":"))


def kinds_of(settings: Settings) -> Kinds:
    """Read the declarations, and change them by these settings:

    kind.<name>.<option>: for the options in KIND_OPTIONS; `kind.*.<option>` is for kinds without their own.
    kind.<name>.environment: a JSON object of further environment variables.
    budget.<name>: a limit, or `limit/seconds`.
    images: with `hotlink`, photo stores no files.

    Raises KindError, or ValueError that names the setting.
    """
    declarations = read_kinds([KINDS, *settings.extra_kinds])
    overrides = settings.overrides
    budgets = {budget.name: budget for each in declarations.values() for budget in each.kind.budgets}
    valid = [f"budget.{name}" for name in budgets]
    valid += [f"kind.{name}.{option}" for name in (*declarations, "*") for option in KIND_OPTIONS]
    valid += [f"kind.{name}.{ENVIRONMENT}" for name in declarations]
    for setting in overrides:
        if setting not in valid:
            hint = get_close_matches(setting, valid, 1) or sorted(valid)
            raise ValueError(f"setting {setting} is unknown; did you mean {hint[0]}?")
    for name, budget in budgets.items():
        if (text := overrides.get(f"budget.{name}")) is not None:
            budgets[name] = _budget(budget, str(text))
    kinds = {name: _deployed(each, overrides) for name, each in declarations.items()}
    if settings.images == "hotlink" and PHOTO in kinds:
        photo = kinds[PHOTO]
        kinds[PHOTO] = replace(photo, kind=replace(photo.kind, stores_files=False))
    return Kinds(kinds, dict(sorted(budgets.items())))


def _budget(budget: Budget, text: str) -> Budget:
    limit, slash, seconds = text.partition("/")
    if not limit.isdecimal() or seconds.isdecimal() != bool(slash):
        raise ValueError(f"setting budget.{budget.name} must be a limit like 5000, or limit/seconds")
    try:
        return replace(budget, limit=int(limit), seconds=int(seconds or budget.seconds))
    except ValueError as error:
        raise ValueError(f"setting budget.{budget.name}: {error}") from error


def _deployed(declaration: Declaration, settings: Mapping[str, Any]) -> DeployedKind:
    kind = declaration.kind
    for option in KIND_OPTIONS:
        names = (f"kind.{kind.name}.{option}", f"kind.*.{option}")
        setting = next((name for name in names if name in settings), None)
        if setting:
            text = str(settings[setting])
            if not text.isdecimal():
                raise ValueError(f"setting {setting} must be a whole number")
            try:
                changed: dict[str, Any] = {option: int(text)}
                kind = replace(kind, **changed)
            except ValueError as error:
                raise ValueError(f"setting {setting}: {error}") from error
    setting = f"kind.{kind.name}.{ENVIRONMENT}"
    try:
        environment = json.loads(str(settings.get(setting, "{}")))
    except ValueError as error:
        raise ValueError(f"setting {setting} must be a JSON object: {error}") from error
    if not isinstance(environment, dict) or not all(isinstance(value, str) for value in environment.values()):
        raise ValueError(f"setting {setting} must be a JSON object of texts")
    return DeployedKind(declaration, kind, environment)
