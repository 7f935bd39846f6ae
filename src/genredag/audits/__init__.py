"""Audits: how much a result depends on the way it was measured."""
