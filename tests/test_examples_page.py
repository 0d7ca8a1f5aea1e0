"""The lines of docs/examples.md, done as written in a whole installation."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

from tests import installation
from tests.conftest import absent
from tests.services import free_port
from tests.test_examples import EXAMPLES, ROOT, bring
from tests.test_readme import matches

PAGE = (ROOT / "docs/examples.md").read_text()


def test_the_pages_lines_work_as_written(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        absent("curl is not installed")
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.M | re.S)
    script = "set -eu\n" + "".join(f"{text}\nprintf '\\n===\\n'\n" for kind, text in blocks if kind == "sh")
    port = free_port()
    shutil.copytree(EXAMPLES, tmp_path / "examples")
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    for path in (tmp_path / "examples/crm_sync").rglob("*.yaml"):
        path.write_text(path.read_text().replace("8899", str(port)))
    more = {"STACKYARD_OUTBOUND_ALLOW": "127.0.0.1/32"}
    with installation.running(tmp_path / "home", **more) as started:
        bring("npm:jimp@1.6.0", started.home / "lambdas")
        script = script.replace("8899", str(port)).replace("127.0.0.1:8000", f"127.0.0.1:{started.port}")
        script = script.replace("python manage.py", f"python {ROOT}/manage.py")
        process = subprocess.Popen(
            ["sh", "-c", script],
            cwd=tmp_path,
            env=installation.variables(started.home, started.port, "", more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            # The stand-in holds no pipe of ours, so this ends with the script.
            said, errors = process.communicate(timeout=180)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, said + errors
    outputs, shell, compared = said.split("\n===\n"), -1, 0
    for kind, text in blocks:
        shell += kind == "sh"
        if kind == "json":
            compared += 1
            assert matches(json.loads(text), json.loads(outputs[shell].strip().splitlines()[-1])), text
    assert compared == 4
