"""Settings are validated when the templates are synthesized, and errors name the invalid setting."""

import json
import re
from dataclasses import fields, replace
from typing import Any

import pytest

from infra.deployed_kinds import kinds_of
from infra.settings import Settings


def test_defaults_are_for_production() -> None:
    settings = Settings.from_context({})
    assert settings == Settings()
    assert settings.retain_data is True


def test_context_values_are_strings() -> None:
    context = {"live": "false", "grace_seconds": "60", "budget_share": "0.2", "images": "hotlink"}
    settings = Settings.from_context(context)
    assert (settings.live, settings.grace_seconds, settings.images) == (False, 60, "hotlink")
    assert settings.budget_share == 0.2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("images", "ftp"),
        ("live", "maybe"),
        ("grace_seconds", "many"),
        ("grace_seconds", "0"),
        ("budget_share", "0"),
        ("budget_share", "half"),
        ("functions_platform", "docker"),
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
        ("auth", "basic"),
        ("oidc_issuer", "https://issuer.example"),  # without auth=oidc
        ("oidc_audience", "calo"),
        ("oidc_jwks_url", "https://issuer.example/keys"),
        ("oidc_groups_claim", ""),
        ("self_sign_up", "true"),
        ("webhook_concurrency", "1"),
        ("webhook_private_hosts", "127.0.0.1"),
        ("webhook_private_hosts", "127.0.0.1:9000,http://localhost:9001"),
        ("webhook_private_hosts", "127.0.0.1:0"),
        ("webhook_private_hosts", "user@localhost:9000"),
        ("webhook_private_hosts", "localhost:99999"),
        ("sign_in_urls", ","),
        ("sign_in_urls", "http://example.com/"),
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


def test_private_hosts_of_webhooks_are_host_and_port() -> None:
    for hosts in ("127.0.0.1:9000", "localhost:9000, receiver.local:1", "[::1]:9000"):
        assert Settings.from_context({"webhook_private_hosts": hosts}).webhook_private_hosts == hosts


def test_settings_that_need_custom_metrics_are_rejected_without_them() -> None:
    with pytest.raises(ValueError, match="setting relay_tasks_max must equal relay_tasks_min"):
        Settings.from_context({"metrics": "false", "alarms": "few"})
    with pytest.raises(ValueError, match="setting alarms must be few with metrics=false"):
        Settings.from_context({"size": "small", "alarms": "all"})


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("post_rates", r"did you mean post_rate.*\?"),
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
    assert Settings(size="small", grace_seconds=1).changed_local_run_settings == []
    settings = Settings(tls_only=False, images_base_url="http://localhost:8080")
    assert settings.changed_local_run_settings == ["images_base_url", "tls_only"]


def changed(context: dict[str, str]) -> dict[str, Any]:
    """Return what the settings change of the declarations of photo and countdown, and of their budgets."""
    before, after = (kinds_of(Settings.from_context(given)) for given in ({}, context))
    return {
        **{
            f"{name}.{option.name}": value
            for name, kind in after.deployed.items()
            for option in fields(kind.kind)
            if (value := getattr(kind.kind, option.name)) != getattr(before.deployed[name].kind, option.name)
        },
        **{
            name: (budget.limit, budget.seconds)
            for name, budget in after.budgets.items()
            if budget != before.budgets[name]
        },
        **{name: kind.environment for name, kind in after.deployed.items() if kind.environment},
    }


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({}, {}),
        ({"budget.unsplash": "5000"}, {"unsplash": (5000, 3600)}),
        ({"budget.unsplash": "12/15"}, {"unsplash": (12, 15)}),
        ({"kind.photo.timeout": "30"}, {"photo.timeout": 30}),
        ({"kind.photo.memory": "1024", "kind.countdown.concurrency": "4"},
         {"photo.memory": 1024, "countdown.concurrency": 4}),
        ({"kind.*.retry_seconds": "1"}, {"photo.retry_seconds": 1, "countdown.retry_seconds": 1}),
        ({"kind.*.timeout": "9", "kind.photo.timeout": "8"}, {"photo.timeout": 8, "countdown.timeout": 9}),
        ({"kind.photo.environment": '{"IMAGE_HOSTS": "a:1"}'}, {"photo": {"IMAGE_HOSTS": "a:1"}}),
    ],
)  # fmt: skip
def test_settings_with_a_dot_change_kinds_and_budgets(
    context: dict[str, str], expected: dict[str, Any]
) -> None:
    assert changed(context) == expected


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("budget.unsplash", "many", "must be a limit like 5000, or limit/seconds"),
        ("budget.unsplash", "5/", "must be a limit like 5000, or limit/seconds"),
        ("budget.unsplash", "-5", "must be a limit like 5000, or limit/seconds"),
        ("budget.unsplash", "0", "the limit of budget unsplash must be from 1 to"),
        ("budget.unsplash", "5/0", "the seconds of budget unsplash must be from 1 to"),
        ("budget.unsplosh", "5", "is unknown; did you mean budget.unsplash?"),
        ("budgets.unsplash", "5", "is unknown; did you mean budget.unsplash?"),
        ("kind.photo.timeout", "881", "timeout must be from 1 to 880"),
        ("kind.photo.timeout", "long", "must be a whole number"),
        ("kind.*.concurrency", "1", "concurrency must be from 2 to 1000"),
        ("kind.photo.memory", "64", "memory must be from 128 to 10240"),
        ("kind.photo.timout", "5", "is unknown; did you mean kind.photo.timeout?"),
        ("kind.fotos.memory", "512", "is unknown; did you mean kind.photo.memory?"),
        ("kind.photo.batch", "5", "is unknown; did you mean kind."),
        ("kind.photo.environment", "HOSTS=a", "must be a JSON object"),
        ("kind.photo.environment", '{"PORT": 5}', "must be a JSON object of texts"),
        ("kind.*.environment", "{}", "is unknown; did you mean kind."),
    ],
)
def test_the_error_names_the_invalid_setting_with_a_dot(name: str, value: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^setting {re.escape(name)}:? {re.escape(message)}"):
        kinds_of(Settings.from_context({name: value}))


def test_the_share_of_a_caller_is_at_least_one_unit() -> None:
    settings = Settings(budget_share=0.5)
    assert [settings.share(limit) for limit in (1, 2, 5, 50)] == [1, 1, 2, 25]
    kinds = kinds_of(Settings(overrides={"budget.unsplash": "12/15"}))
    limits = json.loads(kinds.limits(settings, kinds.deployed["photo"].kind.budgets))
    assert limits == {"unsplash": {"limit": 12, "seconds": 15, "share": 6}}


@pytest.mark.parametrize(
    ("url", "valid"),
    [
        ("https://issuer.example", True),
        ("https://issuer.example:8443/realms/calo", True),
        ("http://127.0.0.1:9000", True),
        ("http://localhost:9000/", True),
        ("http://[::1]:9000", True),
        ("http://issuer.example", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost@example.com", False),
        ("http://169.254.169.254", False),
        ("issuer.example", False),
        ("https://", False),
        ("https://issuer.example:0", False),
        ("https://issuer.example:x", False),
        ("https://issuer example", False),
        ("ftp://issuer.example", False),
    ],
)
@pytest.mark.parametrize("name", ["oidc_issuer", "oidc_jwks_url"])
def test_urls_of_an_issuer(name: str, url: str, valid: bool) -> None:
    context = {"auth": "oidc", "oidc_issuer": "https://a.example", "oidc_audience": "calo", name: url}
    if valid:
        assert getattr(Settings.from_context(context), name) == url
        return
    with pytest.raises(ValueError, match=f"setting {name} must be an https URL"):
        Settings.from_context(context)


@pytest.mark.parametrize("missing", ["oidc_issuer", "oidc_audience"])
def test_an_issuer_needs_both_settings(missing: str) -> None:
    context = {"auth": "oidc", "oidc_issuer": "https://a.example", "oidc_audience": "calo"}
    del context[missing]
    with pytest.raises(ValueError, match=f"setting {missing}"):
        Settings.from_context(context)
