"""Known vulnerabilities of what is installed, by pip-audit, where a service that knows them can be reached."""

from __future__ import annotations

import json
import subprocess  # nosec B404
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

SERVICES = ("pypi", "osv")
PROBE, WHOLE = 15, 300  # seconds
WAIT = "5"  # seconds for one answer


def audit(service: str, options: list[str], seconds: int) -> list[dict[str, Any]] | None:
    """What the service says of each package; None if it cannot be asked."""
    command = [sys.executable, "-m", "pip_audit", "-s", service, "-f", "json", "--timeout", WAIT]
    command += ["--progress-spinner", "off", *options]
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)  # nosec B603
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return found if any("vulns" in package for package in found) else None


def answers(service: str) -> bool:
    """Whether it knows pip, which every environment has."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "probe.txt"
        file.write_text(f"pip=={version('pip')}\n")
        return audit(service, ["-r", str(file), "--no-deps", "--disable-pip"], PROBE) is not None


def main() -> int:
    """1 if something is known to be vulnerable, else 0; says so where nothing could be asked."""
    service = next((service for service in SERVICES if answers(service)), None)
    packages = None if service is None else audit(service, ["--skip-editable"], WHOLE)
    if packages is None:
        sys.stdout.write(f"pip-audit: skipped, no service answers ({', '.join(SERVICES)})\n")
        return 0
    bad = [(package["name"], package["version"], flaw) for package in packages for flaw in package.get("vulns", ())]
    for name, held, flaw in bad:
        fixed = ", ".join(flaw["fix_versions"]) or "none yet"
        sys.stdout.write(f"{name} {held}: {flaw['id']}; fixed in {fixed}\n")
    asked = sum("vulns" in package for package in packages)
    sys.stdout.write(f"pip-audit: {asked} of {len(packages)} packages known to {service}, {len(bad)} flaws\n")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
