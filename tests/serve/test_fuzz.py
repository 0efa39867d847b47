"""Made-up requests of every route: refused or answered, never broken. Many more of them: ``make fuzz-serve``."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings


@pytest.mark.no_cover
def test_no_request_breaks_the_service(running):
    document = schemathesis.openapi.from_url(f"{running[0]}/openapi.json")
    broken, routes = [], 0
    for found in document.get_all_operations():
        operation = found.ok()
        if "refit" in operation.path:
            continue  # starts a process
        routes += 1

        @settings(max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def ask(case):
            answer = case.call()
            if answer.status_code >= 500:
                broken.append((case.method, case.path, answer.text))

        ask()
    assert routes > 50
    assert broken == []
