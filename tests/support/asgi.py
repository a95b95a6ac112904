"""Starlette's test client, which works with httpx 0 as well, and warns that a later one will not."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient as TestClient
