"""What `make deploy` tells at its end."""

from infra.deploy import next_steps

OUTPUTS = {
    "CaloApi": {"ApiUrl": "https://x.execute-api.eu-west-1.amazonaws.com/api/"},
    "CaloJobs": {"UnsplashSecret": "arn:secret"},
}


def test_it_names_the_api_and_the_secret_to_fill() -> None:
    told = next_steps({**OUTPUTS, "CaloLive": {}})
    assert "https://x.execute-api.eu-west-1.amazonaws.com/api\n" in told
    assert "put-secret-value --secret-id 'arn:secret'" in told
    assert "curl -N https://x.execute-api.eu-west-1.amazonaws.com/api/live" in told


def test_without_the_relay_it_names_no_stream() -> None:
    assert "/live" not in next_steps(OUTPUTS)


def test_it_names_the_web_app_where_there_is_one() -> None:
    told = next_steps({**OUTPUTS, "CaloWeb": {"SiteUrl": "https://d1.cloudfront.net"}})
    assert "The web app is at https://d1.cloudfront.net\nThe API is at" in told
    assert "web app" not in next_steps(OUTPUTS)
