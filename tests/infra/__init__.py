SIGN_IN = {"auth": "oidc", "oidc_issuer": "https://issuer.test", "oidc_audience": "calo"}
"""Settings of a deployment with sign-in."""
