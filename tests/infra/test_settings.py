"""Settings are validated when the templates are synthesized, and errors name the invalid setting."""

from dataclasses import replace

import pytest

from infra.settings import Settings


def test_defaults_are_for_production() -> None:
    settings = Settings.from_context({})
    assert settings == Settings()
    assert settings.retain_data is True


def test_context_values_are_strings() -> None:
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
        ("retry_seconds", "901"),
        ("unsplash_api_url", "api.unsplash.com"),
        ("image_hosts", ""),
        ("relay_tasks_min", "11"),
        ("nat_gateways", "4"),
        ("size", "tiny"),
        ("relay_cpu", "amd64"),
        ("relay_units", "300"),
        ("relay_memory", "512"),  # too little for 512 units
        ("relay_streams", "10"),
        ("relay_streams", "20000"),  # too many for the memory
        ("availability_zones", "us-east-1a"),
        ("live_rate", "4001"),
        ("worker_concurrency", "1"),
        ("result_concurrency", "1001"),
        ("dlq_concurrency", "0"),
        ("alarms", "some"),
        ("api_rate", "500"),
        ("post_rate", "41"),
        ("api_key", "yes"),
        ("api_key", "true"),  # cannot be combined with the web app
        ("api_start", "warm"),
        ("api_provisioned", "0"),
        ("waf_rate", "9"),
        ("flow_logs", "some"),
        ("alarm_email", "example.com"),
    ],
)
def test_the_error_names_the_invalid_setting(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"setting {name} "):
        Settings.from_context({name: value})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("size", "must be standard or small"),
        ("flow_logs", "must be none, reject or all"),
        ("relay_units", "must be 256, 512 or 1024"),
    ],
)
def test_the_error_lists_the_choices(name: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^setting {name} {message}$"):
        Settings.from_context({name: "7"})


def test_a_size_changes_several_settings_and_each_can_be_overridden() -> None:
    small = Settings.from_context({"size": "small"})
    assert (small.relay_tasks_min, small.relay_units, small.nat_gateways) == (1, 256, 0)
    assert (small.waf, small.access_logs, small.dashboard, small.metrics) == (False, False, False, False)
    assert Settings.from_context({"size": "small", "waf": "true"}) == replace(small, waf=True)
    assert Settings.from_context({"size": "standard"}) == Settings()


def test_settings_that_need_custom_metrics_are_rejected_without_them() -> None:
    with pytest.raises(ValueError, match="setting relay_tasks_max must equal relay_tasks_min"):
        Settings.from_context({"metrics": "false", "alarms": "few"})
    with pytest.raises(ValueError, match="setting alarms must be few with metrics=false"):
        Settings.from_context({"size": "small", "alarms": "all"})


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("rate_limits", r"did you mean rate_limit.*\?"),
        ("nat_gateway", r"did you mean nat_gateways\?"),
        ("x", "infra/settings.py lists all settings"),
    ],
)
def test_the_error_for_an_unknown_setting_suggests_similar_names(name: str, hint: str) -> None:
    with pytest.raises(ValueError, match=f"^setting {name} is unknown; {hint}$"):
        Settings.from_context({name: "5000"})


def test_context_keys_of_cdk_are_not_settings() -> None:
    cdk_context = {"@aws-cdk/aws-iam:minimizePolicies": True, "aws:cdk:enable-path-metadata": True}
    assert Settings.from_context({**cdk_context, "live": "false"}) == Settings(live=False)


def test_changed_settings_for_the_local_run_are_listed() -> None:
    assert Settings(size="small", retry_seconds=1).changed_local_run_settings == []
    settings = Settings(tls_only=False, images_base_url="http://localhost:8080")
    assert settings.changed_local_run_settings == ["images_base_url", "tls_only"]
