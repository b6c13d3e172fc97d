"""The web application firewall (AWS WAF) of the API."""

from http import HTTPStatus

from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.constructs.gateway_responses import problem

WINDOW_SECONDS = 300
TOO_MANY_REQUESTS = "too-many-requests"
"""The name of the custom response."""
MANAGED = {
    "AWSManagedRulesCommonRuleSet": [
        # a stream may name a hundred jobs, and this rule would reject such a long query string
        "SizeRestrictions_QUERYSTRING",
        "SizeRestrictions_BODY",
        "EC2MetaDataSSRF_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "CrossSiteScripting_BODY",
    ],
    "AWSManagedRulesKnownBadInputsRuleSet": [
        "JavaDeserializationRCE_BODY",
        "Log4JRCE_BODY",
        "ReactJSRCE_BODY",
    ],
}
"""AWS's rule groups, each with the rules that only count. Names without a rule are ignored:
https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html

All rules about bodies only count: the input of a job may be any text of 32 KB, including markup and URLs.
The functions check it and limit its size.
"""


class WebAcl(waf.CfnWebACL):
    """A firewall with AWS's managed rules and a rate limit per IP address. Each rule has its own metric.

    With `samples`, AWS WAF shows some of the requests of the last hours, with their headers.
    """

    def __init__(self, scope: Construct, construct_id: str, *, rate: int, samples: bool) -> None:
        super().__init__(
            scope,
            construct_id,
            scope="REGIONAL",
            description="Calo API",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visibility("Calo", samples),
            custom_response_bodies={
                TOO_MANY_REQUESTS: waf.CfnWebACL.CustomResponseBodyProperty(
                    content=problem(HTTPStatus.TOO_MANY_REQUESTS, "too many requests from this address"),
                    content_type="APPLICATION_JSON",
                )
            },
            rules=[
                _rate(rate, samples),
                *(_managed(name, priority, samples) for priority, name in enumerate(MANAGED, start=1)),
            ],
        )

    def protect(self, stage_arn: str) -> None:
        """Associate the firewall with a stage of a REST API."""
        waf.CfnWebACLAssociation(self, "Guard", resource_arn=stage_arn, web_acl_arn=self.attr_arn)


def _rate(rate: int, samples: bool) -> waf.CfnWebACL.RuleProperty:
    """Block an address that makes too many requests, with a response in the API's error format and CORS."""
    by_address = waf.CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="IP", limit=rate, evaluation_window_sec=WINDOW_SECONDS
    )
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "Retry-After",
        "Retry-After": str(WINDOW_SECONDS),
    }
    response = waf.CfnWebACL.CustomResponseProperty(
        response_code=HTTPStatus.TOO_MANY_REQUESTS.value,
        custom_response_body_key=TOO_MANY_REQUESTS,
        response_headers=[
            waf.CfnWebACL.CustomHTTPHeaderProperty(name=name, value=value) for name, value in headers.items()
        ],
    )
    return waf.CfnWebACL.RuleProperty(
        name="Rate",
        priority=0,
        statement=waf.CfnWebACL.StatementProperty(rate_based_statement=by_address),
        action=waf.CfnWebACL.RuleActionProperty(
            block=waf.CfnWebACL.BlockActionProperty(custom_response=response)
        ),
        visibility_config=_visibility("Rate", samples),
    )


def _managed(name: str, priority: int, samples: bool) -> waf.CfnWebACL.RuleProperty:
    """Return a rule group of AWS with its default actions, except that rules in `MANAGED` only count."""
    overrides = [
        waf.CfnWebACL.RuleActionOverrideProperty(
            name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
        )
        for rule in MANAGED[name]
    ]
    group = waf.CfnWebACL.ManagedRuleGroupStatementProperty(
        vendor_name="AWS", name=name, rule_action_overrides=overrides
    )
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=waf.CfnWebACL.StatementProperty(managed_rule_group_statement=group),
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        visibility_config=_visibility(name, samples),
    )


def _visibility(name: str, samples: bool) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=samples
    )
