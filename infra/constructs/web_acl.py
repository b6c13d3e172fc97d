"""The web application firewall in front of the API."""

from http import HTTPStatus

from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.constructs.gateway_responses import problem

MAX_BODY = 8192
"""Bytes: twice the characters that `POST /jobs` takes, since most letters are one or two bytes long."""
WINDOW_SECONDS = 300
BUSY, TOO_LARGE = "too-many-requests", "too-large"
"""Names of the answers."""


class WebAcl(waf.CfnWebACL):
    """AWS's managed rules, a bound for bodies, and a rate for each address, all with metrics of their own."""

    def __init__(self, scope: Construct, construct_id: str, *, rate: int) -> None:
        super().__init__(
            scope,
            construct_id,
            scope="REGIONAL",
            description="Calo API",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_seen_as("Calo"),
            custom_response_bodies={
                BUSY: _body(HTTPStatus.TOO_MANY_REQUESTS, "too many requests from this address"),
                TOO_LARGE: _body(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "send a smaller body"),
            },
            rules=[
                _rule(0, "Rate", _rate(rate), _refusal(429, BUSY, {"Retry-After": str(WINDOW_SECONDS)})),
                _rule(1, "LargeBody", _large_body(), _refusal(413, TOO_LARGE, {})),
                # one stream may name a hundred jobs, which is longer than this rule allows a query to be
                _managed(2, "AWSManagedRulesCommonRuleSet", only_counted=["SizeRestrictions_QUERYSTRING"]),
                _managed(3, "AWSManagedRulesKnownBadInputsRuleSet"),
            ],
        )

    def guard(self, stage_arn: str) -> None:
        """Put it in front of a stage of a REST API."""
        waf.CfnWebACLAssociation(self, "Guard", resource_arn=stage_arn, web_acl_arn=self.attr_arn)


def _rate(rate: int) -> waf.CfnWebACL.StatementProperty:
    by_address = waf.CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="IP", limit=rate, evaluation_window_sec=WINDOW_SECONDS
    )
    return waf.CfnWebACL.StatementProperty(rate_based_statement=by_address)


def _large_body() -> waf.CfnWebACL.StatementProperty:
    body = waf.CfnWebACL.FieldToMatchProperty(
        # what is longer than the firewall reads is certainly too long
        body=waf.CfnWebACL.BodyProperty(oversize_handling="MATCH")
    )
    size = waf.CfnWebACL.SizeConstraintStatementProperty(
        field_to_match=body,
        comparison_operator="GT",
        size=MAX_BODY,
        text_transformations=[waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
    )
    return waf.CfnWebACL.StatementProperty(size_constraint_statement=size)


def _managed(priority: int, name: str, only_counted: list[str] | None = None) -> waf.CfnWebACL.RuleProperty:
    """A group of AWS's rules with their own actions."""
    counted = [
        waf.CfnWebACL.RuleActionOverrideProperty(
            name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
        )
        for rule in only_counted or []
    ]
    group = waf.CfnWebACL.ManagedRuleGroupStatementProperty(
        vendor_name="AWS", name=name, rule_action_overrides=counted or None
    )
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=waf.CfnWebACL.StatementProperty(managed_rule_group_statement=group),
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        visibility_config=_seen_as(name),
    )


def _rule(
    priority: int,
    name: str,
    statement: waf.CfnWebACL.StatementProperty,
    action: waf.CfnWebACL.RuleActionProperty,
) -> waf.CfnWebACL.RuleProperty:
    return waf.CfnWebACL.RuleProperty(
        name=name, priority=priority, statement=statement, action=action, visibility_config=_seen_as(name)
    )


def _refusal(status: int, body: str, headers: dict[str, str]) -> waf.CfnWebACL.RuleActionProperty:
    """Answered as the API answers, CORS included."""
    named = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After", **headers}
    response = waf.CfnWebACL.CustomResponseProperty(
        response_code=status,
        custom_response_body_key=body,
        response_headers=[
            waf.CfnWebACL.CustomHTTPHeaderProperty(name=name, value=value) for name, value in named.items()
        ],
    )
    return waf.CfnWebACL.RuleActionProperty(block=waf.CfnWebACL.BlockActionProperty(custom_response=response))


def _body(status: HTTPStatus, detail: str) -> waf.CfnWebACL.CustomResponseBodyProperty:
    return waf.CfnWebACL.CustomResponseBodyProperty(
        content=problem(status, detail), content_type="APPLICATION_JSON"
    )


def _seen_as(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )
