"""All Python tests.

Powertools reads the metrics' namespace when the functions are imported; infra sets it in a deployment.
The CDK's jsii runtime starts the first `node` in PATH. Here the virtual environment's comes first, so that
`python -m pytest` works without `make`.
"""

import os
import sys
from pathlib import Path

os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Calo")
