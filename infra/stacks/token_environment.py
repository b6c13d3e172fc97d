"""What a process needs in order to verify tokens."""

from infra.names import COGNITO_GROUPS_CLAIM, COGNITO_SCOPE
from infra.settings import Settings
from infra.stacks.base import CaloStack

POOL = "{pool}"


def token_environment(stack: CaloStack, jobs: CaloStack, settings: Settings) -> dict[str, str]:
    """Return the environment of the verifier in functions/common/tokens.py. It is empty without sign-in.

    `stack` is that of the process, `jobs` that of the user pool.
    """
    if settings.auth == "none":
        return {}
    if settings.auth == "oidc":
        return {
            "OIDC_ISSUER": settings.oidc_issuer,
            "OIDC_AUDIENCE": settings.oidc_audience,
            "OIDC_JWKS_URL": settings.oidc_jwks_url,
            "OIDC_GROUPS_CLAIM": settings.oidc_groups_claim,
        }
    jwks_url = settings.oidc_jwks_url
    if POOL in jwks_url:  # cfn-lint reports a parameter that is read but not used
        jwks_url = jwks_url.replace(POOL, stack.read(jobs, "sign-in/pool"))
    return {
        "OIDC_ISSUER": stack.read(jobs, "sign-in/issuer"),
        "OIDC_AUDIENCE": stack.read(jobs, "sign-in/client"),
        "OIDC_JWKS_URL": jwks_url,
        "OIDC_GROUPS_CLAIM": COGNITO_GROUPS_CLAIM,
        "OIDC_SCOPE": COGNITO_SCOPE,
    }
