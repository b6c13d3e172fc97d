"""The web application firewall (AWS WAF) of the API."""

from http import HTTPStatus

from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from infra.constructs.gateway_responses import problem

MAX_BODY = 8192
"""Bytes. Twice the number of characters that `POST /jobs` accepts, because most characters need 1 or 2."""
WINDOW_SECONDS = 300
TOO_MANY_REQUESTS, TOO_LARGE = "too-many-requests", "too-large"
"""Names of the custom responses."""


class WebAcl(waf.CfnWebACL):
    """A firewall with AWS's managed rules, a size limit for bodies, and a rate limit per IP address.

    Each rule has its own metric.
    """

    def __init__(self, scope: Construct, construct_id: str, *, rate: int) -> None:
        super().__init__(
            scope,
            construct_id,
            scope="REGIONAL",
            description="Calo API",
            default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=_visibility("Calo"),
            custom_response_bodies={
                TOO_MANY_REQUESTS: _body(HTTPStatus.TOO_MANY_REQUESTS, "too many requests from this address"),
                TOO_LARGE: _body(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "send a smaller body"),
            },
            rules=[
                _rule(
                    "Rate",
                    priority=0,
                    statement=_rate(rate),
                    action=_block(429, TOO_MANY_REQUESTS, {"Retry-After": str(WINDOW_SECONDS)}),
                ),
                _rule("LargeBody", priority=1, statement=_large_body(), action=_block(413, TOO_LARGE, {})),
                # a stream may name a hundred jobs, and this rule would reject such a long query string
                _managed("AWSManagedRulesCommonRuleSet", 2, count_only=["SizeRestrictions_QUERYSTRING"]),
                _managed("AWSManagedRulesKnownBadInputsRuleSet", 3),
            ],
        )

    def protect(self, stage_arn: str) -> None:
        """Associate the firewall with a stage of a REST API."""
        waf.CfnWebACLAssociation(self, "Guard", resource_arn=stage_arn, web_acl_arn=self.attr_arn)


def _rate(rate: int) -> waf.CfnWebACL.StatementProperty:
    by_address = waf.CfnWebACL.RateBasedStatementProperty(
        aggregate_key_type="IP", limit=rate, evaluation_window_sec=WINDOW_SECONDS
    )
    return waf.CfnWebACL.StatementProperty(rate_based_statement=by_address)


def _large_body() -> waf.CfnWebACL.StatementProperty:
    body = waf.CfnWebACL.FieldToMatchProperty(
        # a body that is larger than the part that WAF inspects is too large
        body=waf.CfnWebACL.BodyProperty(oversize_handling="MATCH")
    )
    size = waf.CfnWebACL.SizeConstraintStatementProperty(
        field_to_match=body,
        comparison_operator="GT",
        size=MAX_BODY,
        text_transformations=[waf.CfnWebACL.TextTransformationProperty(priority=0, type="NONE")],
    )
    return waf.CfnWebACL.StatementProperty(size_constraint_statement=size)


def _managed(name: str, priority: int, count_only: list[str] | None = None) -> waf.CfnWebACL.RuleProperty:
    """Return a rule group of AWS with its default actions. Rules in `count_only` do not block requests."""
    overrides = [
        waf.CfnWebACL.RuleActionOverrideProperty(
            name=rule, action_to_use=waf.CfnWebACL.RuleActionProperty(count={})
        )
        for rule in count_only or []
    ]
    group = waf.CfnWebACL.ManagedRuleGroupStatementProperty(
        vendor_name="AWS", name=name, rule_action_overrides=overrides or None
    )
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=waf.CfnWebACL.StatementProperty(managed_rule_group_statement=group),
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        visibility_config=_visibility(name),
    )


def _rule(
    name: str,
    *,
    priority: int,
    statement: waf.CfnWebACL.StatementProperty,
    action: waf.CfnWebACL.RuleActionProperty,
) -> waf.CfnWebACL.RuleProperty:
    return waf.CfnWebACL.RuleProperty(
        name=name,
        priority=priority,
        statement=statement,
        action=action,
        visibility_config=_visibility(name),
    )


def _block(status: int, body: str, headers: dict[str, str]) -> waf.CfnWebACL.RuleActionProperty:
    """Block the request with a response in the API's error format, with CORS headers."""
    headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After", **headers}
    response = waf.CfnWebACL.CustomResponseProperty(
        response_code=status,
        custom_response_body_key=body,
        response_headers=[
            waf.CfnWebACL.CustomHTTPHeaderProperty(name=name, value=value) for name, value in headers.items()
        ],
    )
    return waf.CfnWebACL.RuleActionProperty(block=waf.CfnWebACL.BlockActionProperty(custom_response=response))


def _body(status: HTTPStatus, detail: str) -> waf.CfnWebACL.CustomResponseBodyProperty:
    return waf.CfnWebACL.CustomResponseBodyProperty(
        content=problem(status, detail), content_type="APPLICATION_JSON"
    )


def _visibility(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        cloud_watch_metrics_enabled=True, metric_name=name, sampled_requests_enabled=True
    )
