"""The Resonate protocol, version 2026-04-01: records, requests, responses and messages as typed structs."""
