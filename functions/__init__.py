"""The Lambda functions, each in its folder, and the relay.

Importing boto3 and making its clients builds some hundred thousand objects that stay for good. Scanning them
for garbage over and over would be a fifth of a cold start, so the collector rests until `at_start` is done.
"""

import gc
import os

if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    gc.disable()
