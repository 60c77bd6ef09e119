"""The third party's plugin has tests of its own, which run where it is installed: tests/package installs it."""

collect_ignore = ["third_party"]
