"""What would lose state on the way from one commit to the next is told, and fails the check."""

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from infra.tools.template_changes import Change, changes
from infra.tools.upgrade import base_of, meant, report

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


def only(before: dict[str, Any], after: dict[str, Any]) -> Change:
    (change,) = changes(of({"Jobs": before}), of({"Jobs": after}))
    return change


def changed(resource: dict[str, Any], **properties: Any) -> dict[str, Any]:
    other = copy.deepcopy(resource)
    other["Properties"] |= properties
    return other


def test_equal_templates_differ_in_nothing() -> None:
    assert changes(of({"Jobs": TABLE}), of({"Jobs": copy.deepcopy(TABLE)})) == []


def test_a_table_under_another_id_is_removed_and_made_anew() -> None:
    found = changes(of({"Jobs": TABLE}), of({"Tasks": TABLE}))
    assert [(one.sign, one.name, bool(one.loss)) for one in found] == [
        ("-", "Jobs", True),
        ("+", "Tasks", False),
    ]


def test_another_key_replaces_a_table() -> None:
    change = only(TABLE, changed(TABLE, KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}]))
    assert change.loss == "replaced, for KeySchema is fixed, and with it its items"


def test_a_name_of_its_own_replaces_a_queue() -> None:
    queue = {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}}
    assert "its messages" in only(queue, changed(queue, QueueName="jobs")).loss
    assert only(queue, changed(queue, VisibilityTimeout=120)).loss == ""


def test_another_index_or_another_billing_loses_nothing() -> None:
    change = only(TABLE, changed(TABLE, GlobalSecondaryIndexes=[], BillingMode="PROVISIONED"))
    assert (change.properties, change.loss) == (("BillingMode", "GlobalSecondaryIndexes"), "")


def test_to_keep_a_table_no_longer_is_told() -> None:
    given_up = {**TABLE, "DeletionPolicy": "Delete"}
    assert only(TABLE, given_up).loss.startswith("no longer kept")
    assert only(given_up, TABLE).loss == ""


def test_what_holds_no_state_may_go() -> None:
    (change,) = changes(of({"Old": {"Type": "AWS::Lambda::Function", "Properties": {}}}), of({}))
    assert (change.sign, change.loss) == ("-", "")


@pytest.fixture
def assemblies(templates: dict[str, Template], tmp_path: Path) -> Callable[[str, str], tuple[Path, Path]]:
    """This app's templates, and the same with one text in place of another."""

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


def test_a_renamed_table_fails_the_check_unless_it_is_meant(
    assemblies: Callable[[str, str], tuple[Path, Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = assemblies("TablesJobs313634AE", "TablesTasks12345678")
    assert report(before, after, set()) == 1
    shown = capsys.readouterr()
    assert "- AWS::DynamoDB::GlobalTable TablesJobs313634AE   <-- removed, and with it its items" in shown.out
    assert "state would be lost: CaloJobs/TablesJobs313634AE\n" in shown.err
    assert report(before, after, {"CaloJobs/TablesJobs313634AE"}) == 0


def test_a_stack_that_is_gone_takes_its_tables_with_it(
    assemblies: Callable[[str, str], tuple[Path, Path]],
) -> None:
    before, after = assemblies("", "")
    (after / "CaloJobs.template.json").unlink()
    assert report(before, after, set()) == 1


def test_a_change_that_loses_nothing_passes(assemblies: Callable[[str, str], tuple[Path, Path]]) -> None:
    assert report(*assemblies('"VisibilityTimeout": 360', '"VisibilityTimeout": 600'), set()) == 0


def test_what_is_meant_is_listed_with_its_reason() -> None:
    text = "# comment\n\nCaloJobs/TablesJobs313634AE keys by tenant, see decision 9\n"
    assert meant(text) == {"CaloJobs/TablesJobs313634AE"}


class Repository:
    """A small one, with a clock and an author of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
        done = subprocess.run(
            ["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True, text=True
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


def test_on_main_the_last_commit_is_compared_with_the_one_before(repository: Repository) -> None:
    first = repository.commit("one")
    assert base_of(repository.folder) is None
    second = repository.commit("two")
    assert base_of(repository.folder) == first
    (repository.folder / "file").write_text("being changed")
    assert base_of(repository.folder) == second


def test_a_branch_is_compared_with_where_it_left_main(repository: Repository) -> None:
    left = repository.commit("one")
    repository.git("switch", "--quiet", "-c", "branch")
    for text in ("two", "three"):
        repository.commit(text)
    assert base_of(repository.folder) == left
