"""Settings that change which resources are deployed."""

import pytest

from tests.conftest import synth_stacks


def test_without_live_there_is_no_relay_and_no_route_to_it() -> None:
    stacks = synth_stacks(live="false")
    assert set(stacks) == {"CaloJobs", "CaloApi", "CaloWeb", "CaloOps"}
    integrations = stacks["CaloApi"].find_resources("AWS::ApiGateway::Method").values()
    assert "HTTP_PROXY" not in {method["Properties"]["Integration"]["Type"] for method in integrations}
    alarms = stacks["CaloOps"].find_resources("AWS::CloudWatch::Alarm")
    assert not [name for name in alarms if "Relay" in name or "LiveLate" in name]


def test_hotlinked_images_need_no_bucket_distribution_or_permission_to_store_them() -> None:
    jobs = synth_stacks(live="false", images="hotlink", access_logs="false")["CaloJobs"]
    assert "s3:PutObject" not in str(jobs.find_resources("AWS::IAM::Policy"))
    kinds = {resource["Type"] for resource in jobs.to_json()["Resources"].values()}
    assert not [kind for kind in kinds if kind.startswith(("AWS::S3::", "AWS::CloudFront::"))]


def test_the_workers_concurrency_can_be_set() -> None:
    limits = {"kind.*.concurrency": "4", "result_concurrency": "3", "dlq_concurrency": "5"}
    jobs = synth_stacks(live="false", **limits)["CaloJobs"]
    mappings = jobs.find_resources("AWS::Lambda::EventSourceMapping").values()
    scaling = [
        mapping["Properties"]["ScalingConfig"]
        for mapping in mappings
        if "ScalingConfig" in mapping["Properties"]
    ]
    assert sorted(config["MaximumConcurrency"] for config in scaling) == [3, 4, 4, 5]


def test_data_can_be_deleted_with_the_stack() -> None:
    jobs = synth_stacks(live="false", retain_data="false")["CaloJobs"]
    tables = jobs.find_resources("AWS::DynamoDB::GlobalTable").values()
    assert {table["DeletionPolicy"] for table in tables} == {"Delete"}


@pytest.mark.parametrize("start", ["snapstart", "provisioned"])
def test_the_api_can_call_published_versions_of_its_functions(start: str) -> None:
    api = synth_stacks(live="false", api_start=start)["CaloApi"]
    aliases = api.find_resources("AWS::Lambda::Alias")
    assert len(aliases) == 3
    warm = [alias["Properties"].get("ProvisionedConcurrencyConfig") for alias in aliases.values()]
    assert warm == [None if start == "snapstart" else {"ProvisionedConcurrentExecutions": 1}] * 3
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
