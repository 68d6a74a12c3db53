"""Contestants of the end-to-end benchmark: each groups the articles of a file in a process of its own."""
