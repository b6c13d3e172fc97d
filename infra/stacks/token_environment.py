"""What a process needs in order to verify tokens."""

from infra.settings import Settings
from infra.sign_in_config import cognito_environment, oidc_environment
from infra.stacks.base import CaloStack

POOL = "{pool}"


def token_environment(stack: CaloStack, jobs: CaloStack, settings: Settings) -> dict[str, str]:
    """Return the environment of the verifier in functions/common/tokens.py. It is empty without sign-in.

    `stack` is that of the process, `jobs` that of the user pool.
    """
    if settings.auth == "none":
        return {}
    if settings.auth == "oidc":
        return oidc_environment(settings)
    jwks_url = settings.oidc_jwks_url
    if POOL in jwks_url:  # cfn-lint reports a parameter that is read but not used
        jwks_url = jwks_url.replace(POOL, stack.read(jobs, "sign-in/pool"))
    issuer, client = stack.read(jobs, "sign-in/issuer"), stack.read(jobs, "sign-in/client")
    return cognito_environment(issuer, client, jwks_url)
