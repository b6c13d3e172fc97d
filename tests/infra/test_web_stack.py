"""CaloWeb: private bucket, headers, caching, addresses of pages, and the configuration that a page reads."""

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
    """The two deployments, by where they put their files."""
    found = template.find_resources("Custom::CDKBucketDeployment").values()
    return {one["Properties"].get("DestinationBucketKeyPrefix", ""): dict(one) for one in found}


def text_of(value: Any) -> str:
    """A value of a template with its references as their names."""
    if isinstance(value, dict):
        ((name, inner),) = value.items()
        return "".join(map(text_of, inner[1])) if name == "Fn::Join" else str(inner)
    return str(value)


def test_only_the_distribution_reads_the_bucket(web: Template) -> None:
    assert set(only(web, "AWS::S3::Bucket")["PublicAccessBlockConfiguration"].values()) == {True}
    (origin,) = only(web, "AWS::CloudFront::Distribution")["DistributionConfig"]["Origins"]
    assert "OriginAccessControlId" in origin
    statements = only(web, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    readers = [one["Principal"] for one in statements if "s3:GetObject" in one["Action"]]
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


def test_hotlinked_images_may_be_shown() -> None:
    config = only(synth_stacks(images="hotlink")["CaloWeb"], "AWS::CloudFront::ResponseHeadersPolicy")
    policy = config["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]["ContentSecurityPolicy"]
    images = text_of(policy["ContentSecurityPolicy"]).split("img-src")[1].split(";")[0]
    assert images.split() == ["'self'", "https://images.unsplash.com", "https://plus.unsplash.com"]


def test_assets_are_kept_for_ever_and_the_page_is_asked_for_anew(web: Template) -> None:
    parts = published(web)
    assert parts["assets"]["Properties"]["SystemMetadata"] == {"cache-control": IMMUTABLE}
    assert parts[""]["Properties"]["SystemMetadata"] == {"cache-control": REVALIDATED}
    (assets_id,) = [
        name
        for name, one in web.find_resources("Custom::CDKBucketDeployment").items()
        if one == parts["assets"]
    ]
    assert assets_id in parts[""]["DependsOn"]
    # whoever has the page open still needs the assets that it names
    assert [one["Properties"]["Prune"] for one in parts.values()] == [False, False]


def test_the_page_is_published_without_assets_and_with_the_address_of_the_api(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path))
    build(app)
    app.synth()
    template = json.loads((tmp_path / "CaloWeb.template.json").read_text())
    deployments = [one for one in template["Resources"].values() if "BucketDeployment" in one["Type"]]
    (page,) = [one for one in deployments if "DestinationBucketKeyPrefix" not in one["Properties"]]
    files, config = [
        tmp_path / f"asset.{key.split('.')[0]}" for key in page["Properties"]["SourceObjectKeys"]
    ]
    assert {path.name for path in files.iterdir()} == {"index.html", "favicon.svg"}
    told = json.loads(
        (config / "config.json").read_text().replace("<<marker", '"<<marker').replace(">>", '>>"')
    )
    (marker,) = [markers for markers in page["Properties"]["SourceMarkers"] if told["apiUrl"] in markers]
    address = text_of(marker[told["apiUrl"]])
    assert address.startswith('"https://SsmParameterValuecaloapiid')
    assert ".execute-api." in address


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("/", "/index.html"),
        ("/jobs/123e4567-e89b-12d3-a456-426614174000", "/index.html"),
        ("/nowhere", "/index.html"),
        ("/assets/index-abc.js", "/assets/index-abc.js"),
        ("/config.json", "/config.json"),
    ],
)
def test_addresses_of_pages_lead_to_the_one_page(asked: str, served: str) -> None:
    node = str(Path(sys.executable).with_name("node"))
    script = f"{web_stack.PAGES}; console.log(handler({{request: {{uri: {json.dumps(asked)}}}}}).uri)"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == served


def test_what_was_not_built_is_not_deployed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(web_stack, "SITE", tmp_path)
    with pytest.raises(RuntimeError, match="make web"):
        synth_stacks()


def test_it_can_be_left_out() -> None:
    assert "CaloWeb" not in synth_stacks(web="false")
