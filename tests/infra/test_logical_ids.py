"""The logical ids of stateful resources. A resource with another id is a new, empty resource.

CDK derives the ids from a construct's position in the tree, so moving a construct loses its data.
"""

import pytest
from aws_cdk.assertions import Template

from infra.tools.template_changes import STATEFUL

PINNED = {
    "CaloJobs": {
        "TablesJobs313634AE": "AWS::DynamoDB::GlobalTable",
        "TablesLedgerF9806C8B": "AWS::DynamoDB::GlobalTable",
        "ImagesBucket4B6DB8E1": "AWS::S3::Bucket",
        "ImagesDistribution3202FF6C": "AWS::CloudFront::Distribution",
        "AccessLogs8B620ECA": "AWS::S3::Bucket",
        "QueuesJobsPhotoE6B0D0BC": "AWS::SQS::Queue",
        "QueuesJobsCountdown158EE3E7": "AWS::SQS::Queue",
        "QueuesResultsAB5BD05C": "AWS::SQS::Queue",
        "QueuesDeadLettersF0D5D2AD": "AWS::SQS::Queue",
        "PublishingUndeliveredB7B7A3DA": "AWS::SQS::Queue",
        "PublishingTopic56EEAD64": "AWS::SNS::Topic",
        "WebhooksWebhookDeadLetters74FAEBD4": "AWS::SQS::Queue",
        "WebhooksWebhookKey9B00D3BD": "AWS::SecretsManager::Secret",
        "WebhooksWebhookNoticesF1A9A908": "AWS::SQS::Queue",
        "UnsplashAccessKeyAED6935D": "AWS::SecretsManager::Secret",
    },
    "CaloLive": {"UndeliveredF3CF66A9": "AWS::SQS::Queue"},
    "CaloApi": {"ApiF70053CD": "AWS::ApiGateway::RestApi"},
    "CaloWeb": {
        "SiteE53D7754": "AWS::S3::Bucket",
        "Distribution830FAC52": "AWS::CloudFront::Distribution",
    },
    "CaloOps": {"AlarmTopicD01E77F9": "AWS::SNS::Topic"},
}


@pytest.mark.parametrize("stack", PINNED)
def test_stateful_resources_keep_their_ids(templates: dict[str, Template], stack: str) -> None:
    resources = templates[stack].to_json()["Resources"]
    stateful = {
        name: resource["Type"] for name, resource in resources.items() if resource["Type"] in STATEFUL
    }
    assert stateful == PINNED[stack]


def test_every_stack_with_state_is_pinned(templates: dict[str, Template]) -> None:
    with_state = {
        stack
        for stack, template in templates.items()
        if any(resource["Type"] in STATEFUL for resource in template.to_json()["Resources"].values())
    }
    assert with_state == set(PINNED)
