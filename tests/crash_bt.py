# SPDX-License-Identifier: GPL-2.0-only
"""What crash's 'foreach bt' says, as stacks.

    PID: 215      TASK: ff263e936bbe4180  CPU: 0    COMMAND: "reproducer"
     #7 [ff392e6680003ff0] sysvec_apic_timer_interrupt at ffffffffb2a06569
    --- <IRQ stack> ---
     #8 [ff392e668065bb48] asm_sysvec_apic_timer_interrupt at ffffffffb2c00ec6
        [exception RIP: ldhang_spin+19]
        RIP: ffffffffc0234013  RSP: ff392e668065bbf0  RFLAGS: 00010206
        ...
        ORIG_RAX: ffffffffffffffff  CS: 0010  SS: 0018
     #9 [ff392e668065bbf0] ldhang_busy_loop at ffffffffc0234190 [ldhang]

Registers are those of an interrupted frame, which has no number of its own; those of user
mode have no '[exception RIP'. Where an interrupt came in on another stack, the frame may be
there twice: as registers, and again with a number behind the line of dashes.
"""

import re

TASK = re.compile(r'PID: (\d+) +TASK: [0-9a-f]+ +CPU: (\d+) +COMMAND: "(.*)"$')
FRAME = re.compile(r" *#\d+ \[[0-9a-f]+\] (\S+) at ([0-9a-f]+)(?: \[\S+\])?$")
EXCEPTION = re.compile(r" +\[exception RIP: (?:no symbolic reference|(\S+?)(?:\+\d+)?)\]$")
RIP = re.compile(r" +RIP: ([0-9a-f]+) ")
OTHER_REGISTERS = re.compile(r" +(R..|ORIG_RAX): +[0-9a-f]+ ")
OTHER_STACK = re.compile(r"--- <.*> ---$")
REMARKS = ("(no stack)",  # of a zombie
           "WARNING: possibly bogus exception frame")


class Unreadable(Exception):
    """A line of crash's that this does not understand."""


def _add_line(frames, line, state):
    if match := FRAME.match(line):
        frame = {"pc": int(match[2], 16), "name": match[1]}
        if not (state.pop("other_stack", False) and frames and frames[-1]["pc"] == frame["pc"]):
            frames.append(frame)
    elif match := EXCEPTION.match(line):
        state["exception"] = match[1]
    elif match := RIP.match(line):
        frames.append({"pc": int(match[1], 16), "name": state.pop("exception", None)})
    elif OTHER_STACK.match(line):
        state["other_stack"] = True
    elif line and line.strip() not in REMARKS and not OTHER_REGISTERS.match(line):
        raise Unreadable(line)


def parse(text):
    """The tasks in what crash printed: [{pid, cpu, comm, frames: [{pc, name}]}]."""
    tasks, state = [], {}
    for line in text.splitlines():
        if match := TASK.match(line):
            tasks.append({"pid": int(match[1]), "cpu": int(match[2]), "comm": match[3],
                          "frames": []})
            state = {}
        elif tasks:
            _add_line(tasks[-1]["frames"], line, state)
    return tasks
