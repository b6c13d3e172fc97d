"""Settings are checked when the templates are made, and say which of them is wrong."""

from dataclasses import replace

import pytest

from infra.settings import Settings


def test_defaults_are_productions() -> None:
    settings = Settings.from_context({})
    assert settings == Settings()
    assert settings.retain_data is True


def test_context_is_text() -> None:
    context = {"live": "false", "rate_limit": "5000", "images": "hotlink"}
    settings = Settings.from_context(context)
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
        ("nat_gateways", "4"),
        ("size", "tiny"),
        ("relay_cpu", "amd64"),
        ("relay_units", "300"),
        ("relay_memory", "512"),  # too little for 512 units
        ("relay_streams", "10"),
        ("availability_zones", "us-east-1a"),
        ("live_rate", "4001"),
        ("worker_concurrency", "1"),
        ("result_concurrency", "1001"),
        ("dlq_concurrency", "0"),
        ("alarms", "some"),
        ("api_rate", "500"),
        ("post_rate", "41"),
        ("api_key", "yes"),
        ("api_key", "true"),  # with the web app, which has none
        ("api_start", "warm"),
        ("api_provisioned", "0"),
        ("waf_rate", "9"),
        ("flow_logs", "some"),
        ("alarm_email", "nobody"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"setting {name} "):
        Settings.from_context({name: value})


def test_a_size_sets_several_settings_and_each_can_still_be_overridden() -> None:
    small = Settings.from_context({"size": "small"})
    assert (small.relay_tasks_min, small.relay_units, small.nat_gateways) == (1, 256, 0)
    assert (small.waf, small.access_logs, small.dashboard, small.metrics) == (False, False, False, False)
    assert Settings.from_context({"size": "small", "waf": "true"}) == replace(small, waf=True)
    assert Settings.from_context({"size": "standard"}) == Settings()


def test_custom_metrics_are_needed_by_what_rests_on_them() -> None:
    with pytest.raises(ValueError, match="setting relay_tasks_max must equal relay_tasks_min"):
        Settings.from_context({"metrics": "false", "alarms": "few"})
    with pytest.raises(ValueError, match="setting alarms must be few with metrics=false"):
        Settings.from_context({"size": "small", "alarms": "all"})


def test_an_unknown_setting_is_named_with_those_that_are_known() -> None:
    message = r"setting rate_limits is unknown; known are size, images, .*rate_limit,"
    with pytest.raises(ValueError, match=message):
        Settings.from_context({"rate_limits": "5000"})


def test_what_cdk_itself_puts_into_the_context_is_no_setting() -> None:
    theirs = {"@aws-cdk/aws-iam:minimizePolicies": True, "aws:cdk:enable-path-metadata": True}
    assert Settings.from_context({**theirs, "live": "false"}) == Settings(live=False)
