"""Run by the interpreter that has Tempest: the tests that are named, each of which must pass.

A test that is skipped has shown nothing, so it counts as one that failed.
"""

import sys
import unittest

suite = unittest.defaultTestLoader.loadTestsFromNames(sys.argv[1:])
result = unittest.TextTestRunner(verbosity=2).run(suite)
for test, why in result.skipped:
    print(f"SKIPPED {test.id()}: {why}")
passed = result.testsRun - len(result.failures) - len(result.errors) - len(result.skipped)
print(f"{passed} passed, {len(sys.argv[1:]) - passed} failed")
sys.exit(passed != len(sys.argv[1:]) or not result.wasSuccessful())
