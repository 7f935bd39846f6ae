"""Audits: how much a published figure owes to the way it was measured."""
