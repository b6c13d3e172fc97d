"""Settings that change which resources are deployed."""

import json

import pytest

from tests.conftest import synth_stacks, templates_of

ONLY_JOBS_AND_API = {"live": "false", "web": "false", "ops": "false"}


def test_without_live_there_is_no_relay_and_no_route_to_it() -> None:
    stacks = synth_stacks(live="false")
    assert set(stacks) == {"CaloJobs", "CaloApi", "CaloWeb", "CaloOps"}
    integrations = stacks["CaloApi"].find_resources("AWS::ApiGateway::Method").values()
    assert "HTTP_PROXY" not in {method["Properties"]["Integration"]["Type"] for method in integrations}
    alarms = stacks["CaloOps"].find_resources("AWS::CloudWatch::Alarm")
    assert not [name for name in alarms if "Relay" in name or "LiveLate" in name]


def test_hotlinked_images_need_no_bucket_distribution_or_permission_to_store_them() -> None:
    jobs = synth_stacks(**ONLY_JOBS_AND_API, images="hotlink", access_logs="false")["CaloJobs"]
    assert "s3:PutObject" not in str(jobs.find_resources("AWS::IAM::Policy"))
    kinds = {resource["Type"] for resource in jobs.to_json()["Resources"].values()}
    assert not [kind for kind in kinds if kind.startswith(("AWS::S3::", "AWS::CloudFront::"))]


def test_the_workers_concurrency_can_be_set() -> None:
    limits = {
        "kind.*.concurrency": "4",
        "result_concurrency": "3",
        "dlq_concurrency": "5",
        "webhook_concurrency": "6",
    }
    jobs = synth_stacks(**ONLY_JOBS_AND_API, **limits)["CaloJobs"]
    mappings = jobs.find_resources("AWS::Lambda::EventSourceMapping").values()
    scaling = [
        mapping["Properties"]["ScalingConfig"]
        for mapping in mappings
        if "ScalingConfig" in mapping["Properties"]
    ]
    assert sorted(config["MaximumConcurrency"] for config in scaling) == [3, 4, 4, 5, 6]


def test_data_can_be_deleted_with_the_stack() -> None:
    jobs = synth_stacks(**ONLY_JOBS_AND_API, retain_data="false")["CaloJobs"]
    tables = jobs.find_resources("AWS::DynamoDB::GlobalTable").values()
    assert {table["DeletionPolicy"] for table in tables} == {"Delete"}


@pytest.mark.parametrize("start", ["snapstart", "provisioned"])
def test_the_api_can_call_published_versions_of_its_functions(start: str) -> None:
    api = synth_stacks(**ONLY_JOBS_AND_API, api_start=start)["CaloApi"]
    aliases = api.find_resources("AWS::Lambda::Alias")
    assert len(aliases) == 5
    warm = [alias["Properties"].get("ProvisionedConcurrencyConfig") for alias in aliases.values()]
    assert warm == [None if start == "snapstart" else {"ProvisionedConcurrentExecutions": 1}] * 5
    functions = api.find_resources("AWS::Lambda::Function").values()
    snapshots = {str(function["Properties"].get("SnapStart")) for function in functions}
    assert snapshots == ({"{'ApplyOn': 'PublishedVersions'}"} if start == "snapstart" else {"None"})
    for method in api.find_resources("AWS::ApiGateway::Method").values():
        uri = str(method["Properties"]["Integration"].get("Uri", ""))
        assert not uri or any(alias in uri for alias in aliases)


def test_flow_logs_and_access_logs_can_be_omitted() -> None:
    stacks = synth_stacks(flow_logs="none", access_logs="false")
    assert stacks["CaloLive"].find_resources("AWS::EC2::FlowLog") == {}
    assert len(stacks["CaloJobs"].find_resources("AWS::S3::Bucket")) == 1


def test_without_webhooks_there_is_nothing_of_them() -> None:
    """The small size does not have them, because they cost two thirds of a dollar a month while idle."""
    for context in ({"webhooks": "false"}, {"size": "small"}):
        stacks = templates_of(**context, live="false")
        text = json.dumps([stacks[name].to_json() for name in ("CaloJobs", "CaloApi", "CaloOps")])
        for word in ("WebhookNotices", "WebhookSender", "WebhookKey", "WebhooksGivenUp", "deliveries"):
            assert word not in text
        (create_job,) = [
            function["Properties"]
            for function in stacks["CaloApi"].find_resources("AWS::Lambda::Function").values()
            if function["Properties"]["Handler"] == "functions.create_job.handler.handler"
        ]
        assert create_job["Environment"]["Variables"]["WEBHOOKS"] == "false"
    added = synth_stacks(**ONLY_JOBS_AND_API, size="small", webhooks="true")
    assert "WebhookSender" in json.dumps(added["CaloJobs"].to_json())
