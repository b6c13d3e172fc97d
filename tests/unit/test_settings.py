from dataclasses import dataclass

import pytest

from functions.common.settings import load


@dataclass(frozen=True)
class Settings:
    table: str
    limit: int
    bucket: str = "none"


def test_settings_are_read_by_name_and_type() -> None:
    assert load(Settings, {"TABLE": "t", "LIMIT": "50", "BUCKET": "b", "OTHER": "x"}) == Settings(
        "t", 50, "b"
    )
    assert load(Settings, {"TABLE": "", "LIMIT": "0"}) == Settings("", 0, "none")


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"LIMIT": "50"}, "TABLE is not set"),
        ({"TABLE": "t"}, "LIMIT is not set"),
        ({"TABLE": "t", "LIMIT": "many"}, "LIMIT must be a whole number, not 'many'"),
        ({"TABLE": "t", "LIMIT": "-1"}, "LIMIT must be a whole number, not '-1'"),
    ],
)
def test_an_invalid_setting_is_named(environment: dict[str, str], complaint: str) -> None:
    with pytest.raises(RuntimeError, match=complaint):
        load(Settings, environment)
