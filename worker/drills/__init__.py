"""Drills: each breaks something on purpose, shows how a person sees it in psql, and how it is put right."""
