"""The Lambda functions, one folder each, and the relay.

Importing boto3 and creating its clients allocates several hundred thousand objects that are never freed.
Garbage collection would take a fifth of a cold start, so the collector is off until `at_start` has run.
"""

import gc
import os

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()
