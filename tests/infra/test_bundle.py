"""The bundle: pure Python, the functions' sources, and a hash that depends on nothing else."""

from infra.bundle import NATIVE, build_bundle


def test_the_bundle_is_pure_python_and_holds_what_handlers_import() -> None:
    bundle, _ = build_bundle()
    names = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if path.is_file()}
    assert {"functions/create_job/handler.py", "functions/read_jobs/openapi.json"} <= names
    assert {"aws_lambda_powertools/__init__.py", "requests/__init__.py"} <= names
    assert not [name for name in names if name.endswith(tuple(NATIVE))]
    assert not [name for name in names if "sse_relay" in name or name.startswith("boto")]


def test_the_same_sources_give_the_same_asset() -> None:
    assert build_bundle() == build_bundle()
