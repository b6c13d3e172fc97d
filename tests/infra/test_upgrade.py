"""The upgrade check reports a change that would lose state, and fails."""

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from infra.tools.template_changes import ResourceChange, compare
from infra.tools.upgrade import find_base, parse_replacements, report

TABLE = {
    "Type": "AWS::DynamoDB::GlobalTable",
    "DeletionPolicy": "Retain",
    "Properties": {
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [{"IndexName": "by-created"}],
    },
}


def of(resources: dict[str, Any]) -> dict[str, Any]:
    return {"Resources": resources}


def only(before: dict[str, Any], after: dict[str, Any]) -> ResourceChange:
    (change,) = compare(of({"Jobs": before}), of({"Jobs": after}))
    return change


def changed(resource: dict[str, Any], **properties: Any) -> dict[str, Any]:
    other = copy.deepcopy(resource)
    other["Properties"] |= properties
    return other


def test_equal_templates_have_no_changes() -> None:
    assert compare(of({"Jobs": TABLE}), of({"Jobs": copy.deepcopy(TABLE)})) == []


def test_a_table_with_another_logical_id_is_removed_and_created_again() -> None:
    changes = compare(of({"Jobs": TABLE}), of({"Tasks": TABLE}))
    assert [(change.sign, change.name, bool(change.loss)) for change in changes] == [
        ("-", "Jobs", True),
        ("+", "Tasks", False),
    ]


def test_another_first_value_overwrites_a_secret() -> None:
    """CloudFormation writes the value again when its property changes."""
    secret = {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": "a", "Description": "b"}}
    assert only(secret, changed(secret, Description="c")).loss == ""
    change = only(secret, changed(secret, SecretString="c"))
    assert change.loss == "overwritten because SecretString changes, which loses its value"


def test_cdks_own_metadata_is_not_a_change() -> None:
    metadata = {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2:…"}}
    assert compare(of({"Jobs": TABLE, "CDKMetadata": metadata}), of({"Jobs": TABLE})) == []


def test_another_key_replaces_a_table() -> None:
    change = only(TABLE, changed(TABLE, KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}]))
    assert change.loss == "replaced because KeySchema cannot be changed, which loses its items"


def test_a_new_name_replaces_a_queue() -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}}
    assert "its messages" in only(queue, changed(queue, QueueName="jobs")).loss
    assert only(queue, changed(queue, VisibilityTimeout=120)).loss == ""


def test_a_change_of_indexes_or_billing_loses_nothing() -> None:
    change = only(TABLE, changed(TABLE, GlobalSecondaryIndexes=[], BillingMode="PROVISIONED"))
    assert (change.properties, change.loss) == (("BillingMode", "GlobalSecondaryIndexes"), "")


def test_a_table_that_is_no_longer_retained_is_reported() -> None:
    deletable = {**TABLE, "DeletionPolicy": "Delete"}
    assert only(TABLE, deletable).loss.startswith("no longer retained")
    assert only(deletable, TABLE).loss == ""


def test_a_resource_without_state_may_be_removed() -> None:
    (change,) = compare(of({"Old": {"Type": "AWS::Lambda::Function", "Properties": {}}}), of({}))
    assert (change.sign, change.loss) == ("-", "")


@pytest.fixture
def assemblies(templates: dict[str, Template], tmp_path: Path) -> Callable[[str, str], tuple[Path, Path]]:
    """Write this app's templates, and a copy in which a text is replaced."""

    def make(old: str, new: str) -> tuple[Path, Path]:
        before, after = tmp_path / "before", tmp_path / "after"
        for folder in (before, after):
            folder.mkdir()
        for stack, template in templates.items():
            text = json.dumps(template.to_json())
            (before / f"{stack}.template.json").write_text(text)
            (after / f"{stack}.template.json").write_text(text.replace(old, new))
        return before, after

    return make


def test_a_renamed_table_fails_the_check_unless_it_is_intended(
    assemblies: Callable[[str, str], tuple[Path, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = assemblies("TablesJobs313634AE", "TablesTasks12345678")
    assert report(before, after, set()) == 1
    captured = capsys.readouterr()
    assert (
        "- AWS::DynamoDB::GlobalTable TablesJobs313634AE   <-- removed, which loses its items" in captured.out
    )
    assert "state would be lost: CaloJobs/TablesJobs313634AE\n" in captured.err
    assert report(before, after, {"CaloJobs/TablesJobs313634AE"}) == 0


def test_a_removed_stack_loses_its_tables(
    assemblies: Callable[[str, str], tuple[Path, Path]],
) -> None:
    before, after = assemblies("", "")
    (after / "CaloJobs.template.json").unlink()
    assert report(before, after, set()) == 1


def test_a_change_that_loses_nothing_passes(assemblies: Callable[[str, str], tuple[Path, Path]]) -> None:
    assert report(*assemblies('"VisibilityTimeout": 360', '"VisibilityTimeout": 600'), set()) == 0


def test_intended_replacements_are_listed_with_reasons() -> None:
    text = "# comment\n\nCaloJobs/TablesJobs313634AE keys by tenant, see decision 9\n"
    assert parse_replacements(text) == {"CaloJobs/TablesJobs313634AE"}


class Repository:
    """A Git repository in a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, text: str) -> str:
        (self.folder / "file").write_text(text)
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", text)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_on_main_the_last_commit_is_compared_with_the_previous_one(repository: Repository) -> None:
    first = repository.commit("one")
    assert find_base(repository.folder) is None
    second = repository.commit("two")
    assert find_base(repository.folder) == first
    (repository.folder / "file").write_text("being changed")
    assert find_base(repository.folder) == second


def test_a_branch_is_compared_with_its_merge_base(repository: Repository) -> None:
    merge_base = repository.commit("one")
    repository.git("switch", "--quiet", "-c", "branch")
    for text in ("two", "three"):
        repository.commit(text)
    assert find_base(repository.folder) == merge_base
