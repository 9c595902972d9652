"""Tests of the clients."""

import pytest

pytest.register_assert_rewrite("tests.clients.batches")  # before its first import
