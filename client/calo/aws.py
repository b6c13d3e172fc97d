"""boto3 clients, for an account or an emulator."""

from typing import TYPE_CHECKING, Any

from calo.errors import CommandError

if TYPE_CHECKING:
    import boto3


def session(**credentials: str) -> "boto3.Session":
    """Return a session of the caller's profile, or with these credentials.

    Raises CommandError without boto3, and botocore's errors for an unknown profile.
    """
    try:
        import boto3  # optional: the extra `aws`
    except ImportError:
        raise CommandError("this needs boto3; run: pip install 'calo[aws]'") from None
    if not credentials:
        return boto3.Session()
    import botocore.session

    # reads no profile: AWS_PROFILE may name one that does not exist
    core = botocore.session.Session({"profile": (None, None, None, None)})
    return boto3.Session(botocore_session=core, **credentials)


def emulator_client(session: "boto3.Session", service: str, endpoint: str) -> Any:
    """Return a client of the emulator at `endpoint`. It ignores the environment's proxies."""
    from botocore.config import Config

    return session.client(service, endpoint_url=endpoint, config=Config(proxies={}))
