"""Tests of the clients."""

import pytest

pytest.register_assert_rewrite("tests.clients.batch.batches")  # before its first import
