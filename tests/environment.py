# SPDX-License-Identifier: GPL-2.0-only
"""Where things are: the variables of scripts/env.sh."""

import os
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent


def variables(*names, **environ):
    """Variables of scripts/env.sh, as paths; a word is one, too."""
    script = ". scripts/env.sh; printf '%s\\n' " + " ".join(f'"${name}"' for name in names)
    values = subprocess.check_output(
        ["bash", "-c", script], cwd=CHECKOUT, env=os.environ | environ, text=True
    )
    return map(Path, values.splitlines())
