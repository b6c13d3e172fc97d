"""CaloWeb: private bucket, headers, caching, page URLs, and the configuration that the page reads."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.app import build
from infra.constructs.site_headers import FIXED, IMMUTABLE, REVALIDATED
from infra.stacks import web as web_stack
from tests.conftest import synth_stacks


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
    assert "imagesbaseurl" in policy.split("img-src")[1].split(";")[0]
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


def test_the_page_is_published_without_assets_and_with_the_url_of_the_api(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    build(app)
    app.synth()
    template = json.loads((tmp_path / "CaloWeb.template.json").read_text())
    deployments = [
        resource for resource in template["Resources"].values() if "BucketDeployment" in resource["Type"]
    ]
    (page,) = [
        deployment
        for deployment in deployments
        if "DestinationBucketKeyPrefix" not in deployment["Properties"]
    ]
    files, config = [
        tmp_path / f"asset.{key.split('.')[0]}" for key in page["Properties"]["SourceObjectKeys"]
    ]
    assert {path.name for path in files.iterdir()} == {"index.html", "favicon.svg"}
    written = json.loads(
        (config / "config.json").read_text().replace("<<marker", '"<<marker').replace(">>", '>>"')
    )
    (marker,) = [markers for markers in page["Properties"]["SourceMarkers"] if written["apiUrl"] in markers]
    url = text_of(marker[written["apiUrl"]])
    assert url.startswith('"https://SsmParameterValuecaloapiid')
    assert ".execute-api." in url


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
    assert "CaloWeb" not in synth_stacks(web="false")
