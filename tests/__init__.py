"""All Python tests.

The CDK's jsii runtime starts the first `node` in PATH. The one in the virtual environment comes first here, so that
`python -m pytest` works without `make`.
"""

import os
import sys
from pathlib import Path

os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
