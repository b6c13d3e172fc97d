"""CaloWeb: private bucket, headers, caching, page URLs, and the configuration that the page reads."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template

from calo.login import CALLBACK
from infra.constructs.site_headers import FIXED, IMMUTABLE, REVALIDATED
from infra.stacks import web as web_stack
from local.deployment import ROOT
from tests.conftest import app_of, synth_stacks

PUBLIC = ROOT / "frontend" / "public"


@pytest.fixture
def web(templates: dict[str, Template]) -> Template:
    return templates["CaloWeb"]


def only(template: Template, kind: str) -> dict[str, Any]:
    (resource,) = template.find_resources(kind).values()
    properties: dict[str, Any] = resource["Properties"]
    return properties


def published(template: Template) -> dict[str, dict[str, Any]]:
    """Return the two bucket deployments by destination prefix."""
    resources = template.find_resources("Custom::CDKBucketDeployment").values()
    return {
        resource["Properties"].get("DestinationBucketKeyPrefix", ""): dict(resource) for resource in resources
    }


def text_of(value: Any) -> str:
    """Return a template value as text, with references replaced by the names that they refer to."""
    if isinstance(value, dict):
        ((name, inner),) = value.items()
        return "".join(map(text_of, inner[1])) if name == "Fn::Join" else str(inner)
    return str(value)


def test_only_the_distribution_reads_the_bucket(web: Template) -> None:
    assert set(only(web, "AWS::S3::Bucket")["PublicAccessBlockConfiguration"].values()) == {True}
    (origin,) = only(web, "AWS::CloudFront::Distribution")["DistributionConfig"]["Origins"]
    assert "OriginAccessControlId" in origin
    statements = only(web, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    readers = [statement["Principal"] for statement in statements if "s3:GetObject" in statement["Action"]]
    assert readers == [{"Service": "cloudfront.amazonaws.com"}]
    assert "aws:SecureTransport" in json.dumps(statements)


def test_pages_are_sent_with_strict_headers(web: Template) -> None:
    config = only(web, "AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    security = config["SecurityHeadersConfig"]
    policy = text_of(security["ContentSecurityPolicy"]["ContentSecurityPolicy"])
    assert "unsafe" not in policy
    assert "default-src 'none'; script-src 'self'; style-src 'self'; " in policy
    assert "frame-ancestors 'none'" in policy
    assert ".execute-api." in policy.split("connect-src")[1].split(";")[0]
    for directive in ("img-src", "connect-src"):  # images are shown and downloaded
        assert "imagesbaseurl" in policy.split(directive)[1].split(";")[0]
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31536000
    assert security["ContentTypeOptions"] == {"Override": True}
    assert security["FrameOptions"]["FrameOption"] == FIXED["X-Frame-Options"]
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == FIXED["Referrer-Policy"]


def test_the_policy_allows_hotlinked_images() -> None:
    config = only(synth_stacks(images="hotlink")["CaloWeb"], "AWS::CloudFront::ResponseHeadersPolicy")
    policy = config["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]["ContentSecurityPolicy"]
    images = text_of(policy["ContentSecurityPolicy"]).split("img-src")[1].split(";")[0]
    assert images.split() == ["'self'", "https://images.unsplash.com", "https://plus.unsplash.com"]


def test_assets_are_cached_permanently_and_the_page_is_revalidated(web: Template) -> None:
    deployments = published(web)
    assert deployments["assets"]["Properties"]["SystemMetadata"] == {"cache-control": IMMUTABLE}
    assert deployments[""]["Properties"]["SystemMetadata"] == {"cache-control": REVALIDATED}
    (assets_id,) = [
        name
        for name, resource in web.find_resources("Custom::CDKBucketDeployment").items()
        if resource == deployments["assets"]
    ]
    assert assets_id in deployments[""]["DependsOn"]
    # an open page still needs the assets that it names
    assert [resource["Properties"]["Prune"] for resource in deployments.values()] == [False, False]


def published_page(folder: Path, **context: str) -> tuple[set[str], dict[str, Any]]:
    """Return the names of the files that are published with the page, and what config.json contains."""
    app_of(str(folder), **context).synth()
    template = json.loads((folder / "CaloWeb.template.json").read_text())
    (page,) = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if "BucketDeployment" in resource["Type"]
        and "DestinationBucketKeyPrefix" not in resource["Properties"]
    ]
    files, config = [folder / f"asset.{key.split('.')[0]}" for key in page["SourceObjectKeys"]]
    text = (config / "config.json").read_text()
    for markers in page["SourceMarkers"]:
        for marker, value in markers.items():
            text = text.replace(marker, json.dumps(text_of(value).strip('"')))
    return {path.name for path in files.iterdir()}, json.loads(text)


def test_the_page_is_published_without_assets_and_with_the_url_of_the_api(tmp_path: Path) -> None:
    files, config = published_page(tmp_path)
    assert files == {path.name for path in PUBLIC.iterdir()} | {"index.html"}
    assert "manifest.json" in files
    assert list(config) == ["apiUrl", "dashboardUrl"]
    assert config["apiUrl"].startswith("https://SsmParameterValuecaloapiid")
    assert ".execute-api." in config["apiUrl"]


@pytest.mark.parametrize("setting", [{"ops": "false"}, {"dashboard": "false"}, {"size": "small"}, {}])
def test_the_page_links_to_the_dashboard_of_the_deployment(tmp_path: Path, setting: dict[str, str]) -> None:
    _, config = published_page(tmp_path, **setting)
    assert ("dashboardUrl" in config) == (setting == {})
    if not setting:
        ops = Template.from_json(json.loads((tmp_path / "CaloOps.template.json").read_text()))
        name = text_of(only(ops, "AWS::CloudWatch::Dashboard")["DashboardName"])
        assert name.startswith("Calo-")
        assert config["dashboardUrl"].endswith(f"#dashboards/dashboard/{name}")


def test_with_cognito_the_web_app_has_its_own_client_for_its_own_address(tmp_path: Path) -> None:
    _, config = published_page(tmp_path, auth="cognito")
    web = Template.from_json(json.loads((tmp_path / "CaloWeb.template.json").read_text()))
    (client_id,) = web.find_resources("AWS::Cognito::UserPoolClient")
    client = only(web, "AWS::Cognito::UserPoolClient")
    home, command = map(text_of, client["CallbackURLs"])
    assert re.fullmatch(
        r"https://Distribution\w+\.DomainName/|https://\['Distribution\w+', 'DomainName'\]/", home
    )
    assert command == CALLBACK
    assert client["LogoutURLs"] == client["CallbackURLs"][:1]
    assert client["AllowedOAuthFlows"] == ["code"]
    assert client["GenerateSecret"] is False
    sign_in = config["signIn"]
    assert sign_in["clientId"] == client_id
    assert sign_in["issuer"].startswith("SsmParameterValuecalosigninissuer")
    assert sign_in["hostedUrl"].startswith("SsmParameterValuecalosigninurl")
    assert (sign_in["bearer"], sign_in["scope"]) == ("access_token", "openid email calo/jobs")
    assert set(sign_in["scope"].split()) == set(client["AllowedOAuthScopes"])
    assert "SsmParameterValuecalosigninurl" in connect_sources(web)


def test_with_another_issuer_the_web_app_sends_id_tokens_of_its_client(tmp_path: Path) -> None:
    issuer = "https://login.example.com:8443/realms/acme"
    _, config = published_page(tmp_path, auth="oidc", oidc_issuer=issuer, oidc_audience="calo-web")
    assert config["signIn"] == {
        "issuer": issuer,
        "clientId": "calo-web",
        "scope": "openid email profile",
        "hostedUrl": "",
        "bearer": "id_token",
    }
    web = Template.from_json(json.loads((tmp_path / "CaloWeb.template.json").read_text()))
    web.resource_count_is("AWS::Cognito::UserPoolClient", 0)
    assert "https://login.example.com:8443" in connect_sources(web).split()


def connect_sources(template: Template) -> str:
    config = only(template, "AWS::CloudFront::ResponseHeadersPolicy")["ResponseHeadersPolicyConfig"]
    policy = text_of(config["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"])
    return policy.split("connect-src")[1].split(";")[0]


@pytest.mark.parametrize(
    ("requested", "served"),
    [
        ("/", "/index.html"),
        ("/jobs/123e4567-e89b-12d3-a456-426614174000", "/index.html"),
        ("/nowhere", "/index.html"),
        ("/assets/index-abc.js", "/assets/index-abc.js"),
        ("/config.json", "/config.json"),
    ],
)
def test_page_urls_serve_the_page(requested: str, served: str) -> None:
    node = str(Path(sys.executable).with_name("node"))
    script = f"{web_stack.PAGES}; console.log(handler({{request: {{uri: {json.dumps(requested)}}}}}).uri)"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == served


def test_a_missing_build_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(web_stack, "SITE", tmp_path)
    with pytest.raises(RuntimeError, match="make web"):
        synth_stacks()


def test_the_stack_can_be_omitted() -> None:
    assert "CaloWeb" not in synth_stacks(web="false", live="false", ops="false")
