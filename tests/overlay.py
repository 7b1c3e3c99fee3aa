# SPDX-License-Identifier: GPL-2.0-only
"""Files of this machine for a guest of the lab, which has none but its own: a folder for the lab's --overlay."""

import os
import re
import shutil
import subprocess


def copy(root, path):
    """A file, to the same place in the guest. /bin and /lib are /usr/bin and /usr/lib."""
    to = root + (path if path.startswith("/usr/") else "/usr" + path)
    os.makedirs(os.path.dirname(to), exist_ok=True)
    shutil.copy(path, to)


def copy_program(root, path):
    """A program, and the libraries that it is loaded with."""
    copy(root, path)
    said = subprocess.run(["ldd", path], stdout=subprocess.PIPE, text=True, check=True).stdout
    for library in re.findall(r"(/\S+) \(0x", said):
        copy(root, library)
