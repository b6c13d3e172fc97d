"""Settings that change what is deployed."""

from tests.conftest import synth_stacks


def test_without_live_there_is_no_relay_and_no_route_to_it() -> None:
    stacks = synth_stacks(live="false")
    assert set(stacks) == {"CaloJobs", "CaloApi", "CaloWeb"}
    integrations = stacks["CaloApi"].find_resources("AWS::ApiGateway::Method").values()
    assert "HTTP_PROXY" not in {one["Properties"]["Integration"]["Type"] for one in integrations}


def test_hotlinked_images_need_no_right_to_store_them() -> None:
    jobs = synth_stacks(live="false", images="hotlink")["CaloJobs"]
    assert "s3:PutObject" not in str(jobs.find_resources("AWS::IAM::Policy"))


def test_data_can_be_given_up_with_the_stack() -> None:
    jobs = synth_stacks(live="false", retain_data="false")["CaloJobs"]
    tables = jobs.find_resources("AWS::DynamoDB::GlobalTable").values()
    assert {table["DeletionPolicy"] for table in tables} == {"Delete"}
