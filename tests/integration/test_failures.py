#!/usr/bin/env python3
"""Whatever fails, the job ends by itself with an error, and its files can be read.

test_failures.py PRISM_DIST PRISM [CASE...]. The cases are in failure_cases.py. Those
that need two hosts are left out where namespaces are not allowed."""

import os
import sys
import traceback

import cli
import failure_cases
import two_hosts

GUARD = 90  # seconds after which the job counts as hanging


def peer_timeout(case):
    """The launcher must be quicker than the ranks to see that a host is gone."""
    return 6 if case.hosts else 4


def main():
    cli.DIST, cli.TOOL = (os.path.abspath(path) for path in sys.argv[1:3])
    failures = count = 0
    for name in sys.argv[3:] or failure_cases.CASES:
        case = failure_cases.CASES[name]
        reason = failure_cases.possible(case)
        if reason is not None:
            print(f"left out {name}: {reason}", flush=True)
            continue
        count += 1
        try:
            seconds = failure_cases.attempt(case, peer_timeout(case), GUARD)
            print(f"ok   {name}: {case.title}: ended after {seconds:.1f} s", flush=True)
        except Exception:  # every kind of failure is reported the same way
            failures += 1
            print(f"FAIL {name}: {case.title}\n{traceback.format_exc()}", flush=True)
    print(f"{count} cases, {failures} failures")
    return 1 if failures or count == 0 else 0


if __name__ == "__main__":
    two_hosts.enter(optional=True)
    sys.exit(main())
