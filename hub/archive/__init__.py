"""Uploads, receipts, playback."""
