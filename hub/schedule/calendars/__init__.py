"""Dated lessons and the calendars that show them."""
