"""Sign-in: a user pool of Cognito with its hosted page."""

from aws_cdk import Duration, Fn, RemovalPolicy, Stack
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.names import COGNITO_SCOPE, COGNITO_SERVER, COMMAND_CALLBACK, OPERATORS
from infra.settings import Settings

ACKNOWLEDGED = {
    "AwsSolutions-COG2": "Users may add a second factor. The pool can be set to require it.",
    "AwsSolutions-COG8": "Threat protection needs the Plus plan, which costs money for every active user.",
}


class SignIn(Construct):
    """A user pool with the group `operators`. `client` is that of the frontends in `sign_in_urls`."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.pool = cognito.UserPool(
            self,
            "Users",
            self_sign_up_enabled=settings.self_sign_up,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_digits=True,
                require_lowercase=True,
                require_uppercase=True,
                require_symbols=True,
                temp_password_validity=Duration.days(3),
            ),
            deletion_protection=settings.retain_data,
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        acknowledge(self.pool, ACKNOWLEDGED)
        self.domain = self.pool.add_domain(
            "Domain", cognito_domain=cognito.CognitoDomainOptions(domain_prefix=_unique_prefix(self))
        )
        scope_of_jobs = cognito.ResourceServerScope(
            scope_name=COGNITO_SCOPE.removeprefix(f"{COGNITO_SERVER}/"), scope_description="Use the API"
        )
        server = self.pool.add_resource_server("Api", identifier=COGNITO_SERVER, scopes=[scope_of_jobs])
        cognito.CfnUserPoolGroup(
            self,
            "Operators",
            user_pool_id=self.pool.user_pool_id,
            group_name=OPERATORS,
            description="See and change the jobs of all owners",
        )
        self.client = add_client(self, "Client", self.pool, settings.frontends)
        self.client.node.add_dependency(server)

    @property
    def issuer(self) -> str:
        """Return the issuer of the pool's tokens."""
        # GetAtt ProviderURL would be the same, but not every emulator has it
        return f"https://{self.pool.user_pool_provider_name}"


def add_client(
    scope: Construct, construct_id: str, pool: cognito.IUserPool, urls: list[str]
) -> cognito.UserPoolClient:
    """Add the client of a frontend at these URLs, and of the `calo` command: code with PKCE, no secret."""
    return cognito.UserPoolClient(
        scope,
        construct_id,
        user_pool=pool,
        generate_secret=False,
        auth_flows=cognito.AuthFlow(),
        o_auth=cognito.OAuthSettings(
            flows=cognito.OAuthFlows(authorization_code_grant=True),
            scopes=[
                cognito.OAuthScope.OPENID,
                cognito.OAuthScope.EMAIL,
                cognito.OAuthScope.custom(COGNITO_SCOPE),
            ],
            callback_urls=[*urls, COMMAND_CALLBACK],
            logout_urls=urls,
        ),
        supported_identity_providers=[cognito.UserPoolClientIdentityProvider.COGNITO],
        prevent_user_existence_errors=True,
        enable_token_revocation=True,
        access_token_validity=Duration.hours(1),
        id_token_validity=Duration.hours(1),
        refresh_token_validity=Duration.days(1),
    )


def _unique_prefix(scope: Construct) -> str:
    """Return a name for the page's address, which must be unique in the region: a part of the stack's id."""
    uuid = Fn.select(2, Fn.split("/", Stack.of(scope).stack_id))
    return Fn.join("-", ["calo", Fn.select(4, Fn.split("-", uuid))])
