"""Settings are checked when the templates are made, and say which of them is wrong."""

import pytest

from infra.settings import Settings


def test_defaults_are_productions() -> None:
    settings = Settings.from_context(lambda _: None)
    assert settings == Settings()
    assert settings.retain_data is True


def test_context_is_text() -> None:
    context = {"live": "false", "rate_limit": "5000", "images": "hotlink"}
    settings = Settings.from_context(context.get)
    assert (settings.live, settings.rate_limit, settings.images) == (False, 5000, "hotlink")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("images", "ftp"),
        ("live", "maybe"),
        ("rate_limit", "many"),
        ("rate_limit", "0"),
        ("worker_timeout", "901"),
        ("retry_seconds", "0"),
        ("unsplash_api_url", "api.unsplash.com"),
        ("image_hosts", ""),
        ("relay_tasks_min", "11"),
        ("nat_gateways", "0"),
        ("api_rate", "500"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"setting {name} "):
        Settings.from_context({name: value}.get)
