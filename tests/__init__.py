"""All tests. Powertools reads the metrics' namespace when the functions' code is imported."""

import os

os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Calo")
