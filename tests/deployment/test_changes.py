"""Create all five stacks with `make deploy`, and change settings from the default and back."""

import json
import re
from pathlib import Path

import pytest

from tests.declarations import declare
from tests.deployment.account import (
    ALL,
    Account,
    assert_complete,
    changed,
    content_security_policy,
    dashboards,
    make_deploy,
    queue_names,
    restored,
    routes,
)

SETTINGS: list[dict[str, str]] = [
    {"api_key": "true", "web": "false"},
    {"images": "hotlink", "ops": "false"},
    {"auth": "cognito"},
]
"""Settings that remove resources or change names which other stacks read."""


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_a_setting_can_be_changed_after_the_first_deployment_and_changed_back(
    deployed: Account, settings: dict[str, str]
) -> None:
    with changed(deployed, **settings):
        assert_settings(deployed, settings)


def test_make_deploy_says_what_is_next(first_output: str) -> None:
    assert "ok    CDK bootstrap: version" in first_output
    assert not re.search("^stop", first_output, re.MULTILINE)
    assert "The web app is at https://" in first_output
    assert "/live\n" in first_output
    assert "delete-stack" not in first_output


def test_make_deploy_says_which_stacks_remain(deployed: Account) -> None:
    settings = {
        "live": "false",
        "kind.photo.timeout": "30",
        "kind.*.concurrency": "3",
        "budget.unsplash": "100/60",
    }
    with restored(deployed):
        output = make_deploy(deployed, **settings)
        assert set(deployed.stacks()) == ALL
        assert re.findall(r"^  aws cloudformation (.*)$", output, re.MULTILINE) == [
            "delete-stack --stack-name CaloLive",
            "wait stack-delete-complete --stack-name CaloLive",
        ]
        deployed.call("cloudformation", "delete_stack", StackName="CaloLive")
        assert_settings(deployed, settings)


def assert_settings(account: Account, settings: dict[str, str]) -> None:
    assert_complete(account)
    omitted = {f"Calo{name.title()}" for name in ("live", "web", "ops") if settings.get(name) == "false"}
    assert set(account.stacks()) == ALL - omitted
    assert ("/live" in routes(account)) == ("CaloLive" not in omitted)
    assert bool(dashboards(account)) == ("CaloOps" not in omitted)
    assert bool(account.resources("CaloApi", "AWS::ApiGateway::ApiKey")) == ("api_key" in settings)
    assert len(account.resources("CaloJobs", "AWS::S3::Bucket")) == (1 if "images" in settings else 2)
    if "CaloWeb" not in omitted:
        hotlinked = "https://images.unsplash.com" in content_security_policy(account)
        assert hotlinked == ("images" in settings)


def test_a_kind_can_be_added_and_removed(deployed: Account, tmp_path: Path) -> None:
    """One file, nothing else. The other kinds keep their queues."""
    options = "secrets=('words_key',), budgets=(Budget('words', limit=5, seconds=10),), stores_files=True"
    (tmp_path / "words.py").write_text(declare("words", options))
    before = queue_names(deployed)
    outputs = deployed.deploy(kinds_folders=str(tmp_path))
    assert_complete(deployed)
    (queue,) = queue_names(deployed) - before
    assert before < queue_names(deployed)
    assert outputs["JobsQueueUrlWords"].endswith(queue)
    assert outputs["SecretWordsKey"]
    kinds = {
        name: kind["queue"].rsplit("/", 1)[1]
        for function in deployed.pages("lambda", "list_functions", "Functions")
        if "CreateJob" in function["FunctionName"]
        for name, kind in json.loads(function["Environment"]["Variables"]["KINDS"]).items()
    }
    assert set(kinds) == {"countdown", "photo", "words"}
    assert kinds["words"] == queue
    deployed.deploy()
    assert_complete(deployed)
    assert queue_names(deployed) == before


def test_a_changed_parameter_reaches_a_stack_whose_template_is_unchanged(deployed: Account) -> None:
    parameter = "/calo/images-base-url"
    value = deployed.call("ssm", "get_parameter", Name=parameter)["Parameter"]["Value"]
    for images in ("https://images.example", value):
        deployed.call("ssm", "put_parameter", Name=parameter, Value=images, Overwrite=True)
        assert images not in content_security_policy(deployed)
        deployed.deploy()
        assert images in content_security_policy(deployed)
